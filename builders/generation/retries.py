"""When a request that got no answer is sent again, and when it is given up."""

import random
from dataclasses import dataclass

MOST_ATTEMPTS = 6
"""Times that a request is sent before it has failed; refusals for want of capacity do not count."""

PATIENCE_S = 900.0
"""For so long a request is sent again that is refused for want of capacity."""

_FIRST_S, _LONGEST_S, _LONGEST_ASKED_S = 0.5, 30.0, 300.0


@dataclass
class Retries:
    """Decides on one build's retries.

    Args:
        seed: Of the jitter.
    """

    seed: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def delay(self, attempts: int, asked_s: float | None) -> float:
        """Return the seconds until a request is sent again.

        Without a word of the server: exponential back-off with full jitter above one half (Amazon
        Architecture Blog, "Exponential Backoff And Jitter"), so that requests that failed together
        do not come back together.

        Args:
            attempts: How often it was sent.
            asked_s: What the server asked for, None where it did not say.
        """
        if asked_s is not None:
            return min(asked_s, _LONGEST_ASKED_S) * (1 + 0.02 * self._random.random())
        longest: float = min(_LONGEST_S, _FIRST_S * 2 ** min(attempts - 1, 16))
        return longest * self._random.uniform(0.5, 1.0)
