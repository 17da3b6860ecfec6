"""How many requests are in flight: as many as help, at most as many as the user allows.

A server that only gets slower, such as one that queues what it cannot serve, gains nothing from
more requests in flight, and time-outs come nearer. So when the quickest answers have become much
slower than they were, fewer are tried; if no throughput is lost, fewer it stays. The quickest
tenth is looked at because answers differ in length: their mean says little of the server.
"""

from collections import deque

_SLOWER = 2.0  # times the quickest tenth so far: reason to try with fewer
_LOSS = 0.92  # of the throughput; less than that is lost by noise alone
_TRY = 0.75  # of the window
_BLOCK, _FOURTH = 16, 3  # the fourth of the first answers: near the tenth of 64 sent together
_LEAST = 32  # answers of one measurement


class Window:
    """The most requests that may be in flight now.

    Args:
        most: What the user allows.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.size = most
        self._latencies: deque[float] = deque(maxlen=max(_LEAST, most))
        self._since = 0.0
        self._answers = -1
        self._quickest = float("inf")
        self._trial: tuple[int, float] | None = None  # the window before it and its throughput
        self._pause = 0
        self._penalty = 1

    def answered(self, now: float, latency_s: float) -> None:
        """Hear of an answer.

        Args:
            now: When it was there, in seconds of any clock.
            latency_s: How long it took.
        """
        if self._answers < 0:
            self._since, self._answers = now - latency_s, 0
        self._latencies.append(latency_s)
        self._answers += 1
        # The first few tell it before a queue has built up. The least of many such small blocks
        # would be chance alone; later whole measurements are compared.
        if self._quickest == float("inf") and self._answers == _BLOCK:
            self._quickest = sorted(self._latencies)[_FOURTH]
        # Twice the window: the first half was still sent under the window before.
        if self._answers >= max(_LEAST, 2 * self.size):
            self._judge(now)

    def _judge(self, now: float) -> None:
        throughput = self._answers / max(now - self._since, 1e-9)
        self._since, self._answers = now, 0
        tenth = _tenth(list(self._latencies))
        self._quickest = min(self._quickest, tenth)
        if self._trial is not None:
            before, rate = self._trial
            self._trial = None
            if throughput < _LOSS * rate:  # there was no queue: look less often
                self.size = before
                self._pause = self._penalty
                self._penalty = min(64, 4 * self._penalty)
        if self._pause:
            self._pause -= 1
        elif tenth > _SLOWER * self._quickest and self.size > 1:
            self._trial = (self.size, throughput)
            self.size = max(1, int(self.size * _TRY))
        elif self.size < self.most:  # the server may have become faster
            self.size = min(self.most, self.size + max(1, self.size // 8))


def _tenth(latencies: list[float]) -> float:
    return sorted(latencies)[len(latencies) // 10]
