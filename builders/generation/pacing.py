"""How fast requests are sent: as fast as the user's limits, and those of the server, allow.

A server that limits its rate says so only by refusing. One refusal means little: some servers
refuse at random. When most of what was sent lately was refused, the rate is limited, and it can be
measured and need not be felt for: whenever a request is refused the server has nothing left, so
what it accepted between two refusals is just what it allows, however fast or slow it was asked
in between. Refusals that do not end well below the measured rate have nothing to do with it.
"""

import itertools
import math
from collections import deque
from typing import NamedTuple

_LIMITED = ((8, 8), (20, 32))
"""So many of so many requests sent one after another are refused: the rate is limited. The first
shows in the burst that empties a server's store: the sooner it is seen, the fewer are sent into it.
Where one in three is refused at random either comes about by chance once in some thousand times."""

_SPAN, _LEAST_SPAN = 64, 8
"""Accepted requests of a measurement, which is off by one of them at most; and of the first."""

_BELOW = (0.985, 0.94, 0.8)
"""Of the measured rate, what the pace is set to: after a refusal, and when there are some again.
A server that refuses even the last refuses at random."""

_BLOCK, _BLOCK_S, _LONGEST_BLOCK_S = 24, 0.25, 1.0
"""Requests without a refusal until a pace is raised, and its least and most seconds: a refusal may
take its time."""

_GROWTH, _IN_EARNEST = (1.015, 1.01, 1.02, 1.04, 1.08, 1.16), 4
"""What a pace is raised by, again and again: little near the measured rate, then in earnest."""

_FIRST, _LEAST_FIRST, _SEARCH, _TOO_FAST = 0.25, 4.0, 2.0, 3
"""The first pace, of the throughput so far, and at least; its growth until there is a measurement;
so many refusals to one accepted request halve it."""

_LAST_S, _CAREFUL = 2.0, 0.96
"""What is refused at the very end has to be waited for: the last requests are sent more slowly."""

_RELIEF_S = 2.0
"""For so long a server that refuses at random is not paced again, and twice as long every time."""

_LATE_S = 0.01
"""Timers are late by milliseconds: so much of the pace is made up for."""

_USED = 0.9
"""Of what a server allows at once, what is sent at once."""

_TINY = 1e-9
"""What rounding leaves of an amount."""


class Bucket:
    """A token bucket of the client's own: so much at once, and so much a second.

    Args:
        per_minute: What is allowed in a minute, in requests or tokens.
    """

    def __init__(self, per_minute: float) -> None:
        self.rate = per_minute / 60
        # Servers often enforce a limit a minute as a sixtieth of it a second. Not all of that is
        # used: requests that were sent in time may arrive a little closer together.
        self.capacity = max(1.0, _USED * self.rate)
        self._level = self.capacity
        self._at = -math.inf

    def wait(self, now: float, amount: float) -> float:
        """Return the seconds until `amount` may be taken; an amount above all, when it is full."""
        self._fill(now)
        missing = min(amount, self.capacity) - self._level
        return missing / self.rate if missing > _TINY * self.capacity else 0.0

    def take(self, now: float, amount: float) -> None:
        """Take `amount`; more than there is has to be made up for before the next is taken."""
        self._fill(now)
        self._level -= amount

    def _fill(self, now: float) -> None:
        if now > self._at:
            self._level = min(self.capacity, self._level + (now - self._at) * self.rate)
            self._at = now


class Sent(NamedTuple):
    """A request that was sent.

    Attributes:
        number: How many were sent before it.
        at: When it was sent.
    """

    number: int
    at: float


class _Empty(NamedTuple):
    """A refusal: when the request was sent, its number, and how many were accepted before it."""

    at: float
    number: int
    accepted: int


class LearnedPace:
    """The rate that a server allows, learned from what it refuses. There is none at first."""

    def __init__(self) -> None:
        self.rate: float | None = None
        self._sent = self._refused = 0
        self._empty: deque[_Empty] = deque(maxlen=128)
        self._next = -math.inf
        self._block = Sent(0, 0.0)  # the first request at the present pace
        self._measured: float | None = None
        self._passed = 0.0  # the pace before, if none of its requests was refused
        self._clean = 0  # raises since the last refusal
        self._strikes = 0  # times that the pace was lowered and there were refusals again
        self._relief_s = _RELIEF_S
        self._relieved_until = -math.inf

    def wait(self, now: float) -> float:
        """Return the seconds until a request may be sent."""
        return max(0.0, self._next - now)

    def send(self, now: float, left: int) -> Sent:
        """Note that a request is sent; return what `refused` has to be told of it.

        Args:
            now: The time.
            left: How many more are to be sent, as far as is known.
        """
        if self.rate is not None:
            self._raise(self.rate, now, left)
            self._next = max(now - _LATE_S, self._next + 1 / self.rate)
        sent = Sent(self._sent, now)
        self._sent += 1
        return sent

    def refused(self, now: float, sent: Sent, throughput: float) -> None:
        """Hear that a request was refused for want of capacity.

        Args:
            now: The time.
            sent: What `send` returned.
            throughput: Requests a second that are answered now, as well as it is known.
        """
        empty = _Empty(sent.at, sent.number, sent.number - self._refused)
        self._refused += 1
        self._empty.append(empty)
        if self.rate is None:
            if now >= self._relieved_until and self._is_limited():
                self._measured = None
                self._clean = self._strikes = 0
                self._empty = deque([empty], self._empty.maxlen)
                self._set(now, max(_LEAST_FIRST, _FIRST * throughput))
        elif sent.number >= self._block.number:  # not of the pace before
            self._lower(self.rate, now, empty)

    def _is_limited(self) -> bool:
        for most, lately in _LIMITED:
            numbers = [each.number for each in itertools.islice(reversed(self._empty), most)]
            if len(numbers) == most and max(numbers) - min(numbers) < lately:
                return True
        return False

    def _lower(self, rate: float, now: float, empty: _Empty) -> None:
        since = self._since(empty)
        accepted = empty.accepted - since.accepted
        if accepted < _LEAST_SPAN and not self._far_too_fast(empty):
            return
        if self._strikes == len(_BELOW):
            self.rate = None
            self._next, self._relieved_until = now, now + self._relief_s
            self._relief_s *= 2
        elif accepted < _LEAST_SPAN:
            self._strikes += self._measured is not None
            self._set(now, rate / _SEARCH)
        else:
            # The first may be too low: what a small store could not hold was lost while searching.
            self._clean = 0 if self._measured else _IN_EARNEST
            self._measured = max(self._passed, accepted / (empty.at - since.at))
            self._set(now, _BELOW[self._strikes] * self._measured)
            self._strikes += 1

    def _far_too_fast(self, empty: _Empty) -> bool:
        refused = sum(e.number >= self._block.number for e in self._empty)
        accepted = empty.number + 1 - self._block.number - refused
        return refused >= _TOO_FAST * max(1, accepted)

    def _since(self, empty: _Empty) -> _Empty:
        """Return the refusal from which on is measured: what was before may be another limit."""
        if self._strikes:
            return next(e for e in self._empty if e.number >= self._block.number)
        for e in reversed(self._empty):
            if empty.accepted - e.accepted >= _SPAN and empty.at - e.at >= _BLOCK_S:
                return e
        return self._empty[0]

    def _raise(self, rate: float, now: float, left: int) -> None:
        # A block starts again with what was refused in it and is not acted upon yet.
        last = self._empty[-1]
        seconds = now - max(self._block.at, last.at)
        n = self._sent - max(self._block.number, last.number + 1)
        if self._measured is None:
            if now - self._block.at >= _BLOCK_S:
                self._set(now, _SEARCH * rate)
        elif left < _LAST_S * self._measured:
            if rate > _CAREFUL * self._measured:
                self._set(now, _CAREFUL * self._measured)
        elif seconds >= _BLOCK_S and (n >= _BLOCK or seconds >= _LONGEST_BLOCK_S):
            self._set(now, rate * _GROWTH[min(self._clean, len(_GROWTH) - 1)])
            self._passed = rate
            self._clean += 1
            if self._sent - last.number > _BLOCK:  # fewer may pass by chance
                self._strikes = 0

    def _set(self, now: float, rate: float) -> None:
        self.rate = max(rate, 0.05)
        self._block = Sent(self._sent, now)
        self._next = max(now, self._next)
        self._passed = 0.0
