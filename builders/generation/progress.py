"""What a build has done so far, for whoever watches it."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Progress:
    """Counts of one build; it grows while requests are answered.

    Attributes:
        planned: Requests planned so far; a later round may add some.
        known: Requests that the ledger had answered already.
        answered: Requests that were answered now.
        failed: Reason -> requests that were given up.
        retried: Requests sent again, for whatever reason.
        refused: Of these, refused for want of capacity.
        troubles: Reason -> times that a request was sent again for it.
        said: The last failure with what the server said of it; for the terminal alone, since it may
            quote what was sent.
        in_flight: Requests that are waited for.
        window: The most that may be in flight now.
        prompt_tokens: Of the answered requests, known ones too, as far as servers said.
        answer_tokens: The same of their answers.
        usd: What was used so far, where the price is known.
    """

    planned: int = 0
    known: int = 0
    answered: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    retried: int = 0
    refused: int = 0
    troubles: Counter[str] = field(default_factory=Counter)
    said: str = ""
    in_flight: int = 0
    window: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    usd: float | None = None

    @property
    def left(self) -> int:
        """Requests that are still to be answered."""
        return max(0, self.planned - self.known - self.answered - self.failed.total())
