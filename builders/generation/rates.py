"""How fast requests may be sent: the user's limits, and the one that the server shows."""

from builders.generation.pacing import Bucket, LearnedPace, Sent
from builders.llms.base import Limits


class Rates:
    """All limits of one endpoint together.

    Args:
        limits: The user's.
    """

    def __init__(self, limits: Limits) -> None:
        self._pace = LearnedPace()
        self._requests = Bucket(limits.per_minute) if limits.per_minute else None
        self._tokens = Bucket(limits.tokens_per_minute) if limits.tokens_per_minute else None

    def wait(self, now: float, tokens: int) -> float:
        """Return the seconds until a request of so many tokens may be sent."""
        pause = self._pace.wait(now)
        if self._requests:
            pause = max(pause, self._requests.wait(now, 1))
        if self._tokens:
            pause = max(pause, self._tokens.wait(now, tokens))
        return pause

    def send(self, now: float, tokens: int, left: int) -> Sent:
        """Note that a request is sent; see `LearnedPace.send`."""
        if self._requests:
            self._requests.take(now, 1)
        if self._tokens:
            self._tokens.take(now, tokens)
        return self._pace.send(now, left)

    def refused(self, now: float, sent: Sent, throughput: float) -> None:
        """Hear that a request was refused for want of capacity; see `LearnedPace.refused`."""
        self._pace.refused(now, sent, throughput)
