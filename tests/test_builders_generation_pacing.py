"""The pace of requests, in simulated time: what is lost to a limit, and what to chance refusals."""

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from builders.generation.pacing import Bucket, LearnedPace
from builders.generation.retries import Retries

LATENCY_S = 0.2
AT_ONCE_S = 0.001
TIMER_S = 0.001
"""By this much a timer of an event loop is late."""


@dataclass
class Reply:
    """What a server answers, and when; `asked_s` is its Retry-After."""

    after_s: float
    refused: bool = False
    asked_s: float | None = None


Server = Callable[[float], Reply]


class LimitedServer:
    """Refuses what its token bucket has no token for; `change` is when another rate holds."""

    def __init__(
        self,
        rate: float,
        burst: float,
        *,
        seed: int = 0,
        refusal_s: float = AT_ONCE_S,
        exact: bool = False,
        change: tuple[float, float] | None = None,
    ) -> None:
        self.rate, self.burst, self.level, self.at = rate, burst, burst, 0.0
        self.refusal_s, self.exact, self.change = refusal_s, exact, change
        self.jitter = random.Random(seed)

    def __call__(self, now: float) -> Reply:
        """Answer a request that comes at `now`."""
        if self.change and now >= self.change[0]:
            self._fill(self.change[0])
            self.rate, self.change = self.change[1], None
        self._fill(now)
        if self.level >= 1 - 1e-9:
            self.level -= 1
            return Reply(LATENCY_S + self.jitter.uniform(0, 0.004))
        return Reply(self.refusal_s, True, (1 - self.level) / self.rate if self.exact else 1.0)

    def _fill(self, now: float) -> None:
        self.level = min(self.burst, self.level + (now - self.at) * self.rate)
        self.at = now


class ChanceServer:
    """Refuses at random, whatever the rate."""

    def __init__(self, share: float, seed: int, refusal_s: float = AT_ONCE_S) -> None:
        self.share, self.refusal_s, self.random = share, refusal_s, random.Random(seed)

    def __call__(self, now: float) -> Reply:
        """Answer a request that comes at `now`."""
        if self.random.random() < self.share:
            return Reply(self.refusal_s, True, 1.0)
        return Reply(LATENCY_S)


class Client:
    """Sends `n` requests to a server as the engine does, in simulated time."""

    def __init__(
        self, server: Server, n: int, *, at_once: int = 64, per_minute: float = 0, seed: int = 0
    ) -> None:
        self.server, self.n, self.at_once = server, n, at_once
        self.pace, self.retries = LearnedPace(), Retries(seed)
        self.bucket = Bucket(per_minute) if per_minute else None
        self.refused = self.answered = 0
        self.flying: list[tuple[float, int, Reply, int, object]] = []
        self.later: list[tuple[float, int, int]] = []
        self.numbers = itertools.count()

    def run(self) -> float:
        """Return the seconds until all are answered."""
        now, fresh, ready = 0.0, self.n, list[int]()
        while True:
            self._land(now)
            room = len(self.flying) < self.at_once
            if room and self.later and self.later[0][0] <= now:
                attempts = heapq.heappop(self.later)[2]
            elif room and ready:
                attempts = ready.pop()
            elif room and fresh:
                fresh, attempts = fresh - 1, 0
            elif self.flying or self.later:
                coming = self.flying[:1] + (self.later[:1] if room else [])
                now = max(now, min(each[0] for each in coming))
                continue
            else:
                return now
            wait = max(self.pace.wait(now), self.bucket.wait(now, 1) if self.bucket else 0.0)
            if wait:
                ready.append(attempts)
                now += min(wait, 0.2) + TIMER_S
            else:
                self._send(now, attempts + 1)

    def _send(self, now: float, attempts: int) -> None:
        if self.bucket:
            self.bucket.take(now, 1)
        mark = self.pace.send(now, self.n - self.answered - len(self.flying))
        reply = self.server(now)
        flight = (now + reply.after_s, next(self.numbers), reply, attempts, mark)
        heapq.heappush(self.flying, flight)

    def _land(self, now: float) -> None:
        while self.flying and self.flying[0][0] <= now:
            at, number, reply, attempts, mark = heapq.heappop(self.flying)
            if reply.refused:
                self.refused += 1
                self.pace.refused(at, mark, self.answered / max(at, 0.05))  # type: ignore[arg-type]  # what send returned
                delay = self.retries.delay(attempts, reply.asked_s)
                heapq.heappush(self.later, (at + delay, number, attempts))
            else:
                self.answered += 1


class BusyClient(Client):
    """Hears of nothing while it sends all that is ready, as an event loop does; `SEND_S` each."""

    SEND_S = 0.001

    def run(self) -> float:
        """Return the seconds until all are answered."""
        now, fresh = 0.0, self.n
        while self.answered < self.n:
            self._land(now)
            coming = []
            for _ in range(self.at_once - len(self.flying)):
                again = bool(self.later) and self.later[0][0] <= now
                if not again and not fresh:
                    break
                if pause := self.pace.wait(now):
                    coming.append(now + pause + TIMER_S)
                    break
                attempts = heapq.heappop(self.later)[2] if again else 0
                fresh -= not again
                self._send(now, attempts + 1)
                now += self.SEND_S
            coming += [each[0] for each in self.flying[:1]]
            coming += [each[0] for each in self.later[:1] if each[0] > now]
            now = max(now, min(coming, default=now))
        return now


def bare_loop_s(server: Server, n: int, workers: int = 64) -> float:
    """Return the seconds of `workers` loops that send, wait as they are told, and send again."""
    times = [(0.0, worker) for worker in range(workers)]
    busy, end = [False] * workers, 0.0
    while times:
        now, worker = heapq.heappop(times)
        if not busy[worker]:
            if not n:
                continue
            n, busy[worker] = n - 1, True
        reply = server(now)
        end = max(end, now + reply.after_s)
        busy[worker] = reply.refused
        heapq.heappush(times, (now + reply.after_s + (reply.asked_s or 0.0), worker))
    return end


# ---- A server with a limit ------------------------------------------------------------------

BEST_S = 9.2
"""(1000 - 100) / 100 + 0.2: the burst at once, then 100 a second, and the last one's latency."""


@pytest.mark.parametrize("exact", [False, True], ids=["retry-after", "retry-after-ms"])
@pytest.mark.parametrize("seed", range(5))
def test_an_unknown_limit_is_found_and_used(exact: bool, seed: int) -> None:
    """100 a second: within 5 % of the best time, and one request in twenty refused at most."""
    client = Client(LimitedServer(100, 100, exact=exact, seed=seed), 1000, seed=seed)

    seconds = client.run()

    assert client.answered == 1000
    assert BEST_S <= seconds <= 1.05 * BEST_S
    assert client.refused <= 50


@pytest.mark.parametrize("exact", [False, True], ids=["retry-after", "retry-after-ms"])
@pytest.mark.parametrize("seed", range(5))
def test_a_limit_is_seen_in_the_burst_that_meets_it(exact: bool, seed: int) -> None:
    """A busy client sends what is ready before it hears of a refusal: one in twenty all the same.

    64 answers arrive together, and 64 requests are sent in 64 ms.
    """
    client = BusyClient(LimitedServer(100, 100, exact=exact, seed=seed), 1000, seed=seed)

    assert client.run() <= 1.05 * BEST_S
    assert client.refused <= 50


@pytest.mark.parametrize("seed", range(3))
def test_a_known_limit_is_kept(seed: int) -> None:
    """With 6,000 a minute given, five refusals in a thousand at most."""
    client = Client(LimitedServer(100, 100, seed=seed), 1000, per_minute=6000, seed=seed)

    assert client.run() <= 1.05 * BEST_S
    assert client.refused <= 5


@pytest.mark.parametrize(
    ("rate", "n", "at_once", "unseen"),
    [(10, 300, 64, 54), (300, 3000, 128, 0), (1000, 6000, 256, 0)],
)
@pytest.mark.parametrize("exact", [False, True])
def test_slow_and_fast_limits_are_found(
    rate: int, n: int, at_once: int, unseen: int, exact: bool
) -> None:
    """10 to 1,000 a second; `unseen` are refused before the first refusal is heard of (64 - 10).

    At the very end one refusal costs its Retry-After: up to a second, of 5.2 s for the fastest.
    """
    client = Client(LimitedServer(rate, rate, exact=exact), n, at_once=at_once)

    assert client.run() <= 1.05 * ((n - rate) / rate + LATENCY_S) + 0.5
    assert client.refused - unseen <= 0.06 * n


@pytest.mark.parametrize("burst", [1, 10])
def test_a_server_that_allows_no_burst_is_not_crawled_at(burst: int) -> None:
    """The search loses what such a server cannot store: half as long again, not many times."""
    client = Client(LimitedServer(100, burst), 1000)

    assert client.run() <= 1.5 * (1000 - burst) / 100
    assert client.refused <= 100


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(("refusal_s", "most"), [(0.05, 100), (0.2, 180)])
def test_refusals_that_take_their_time(refusal_s: float, most: int, exact: bool) -> None:
    """What is in flight when the first refusal arrives is refused too; the time stays the same."""
    client = Client(LimitedServer(100, 100, refusal_s=refusal_s, exact=exact), 1000)

    assert client.run() <= 1.08 * BEST_S
    assert client.refused <= most


def test_a_limit_that_is_lowered_is_followed() -> None:
    """From 100 to 50 a second after 5 s: 600 are answered by then, 400 more take 8 s."""
    client = Client(LimitedServer(100, 100, change=(5, 50)), 1000)

    assert client.run() <= 1.05 * (5 + 8 + LATENCY_S)
    assert client.refused <= 80


def test_a_limit_that_is_raised_is_used() -> None:
    """From 100 to 200 a second after 5 s: 600 are answered by then, 1,400 more take 7 s."""
    client = Client(LimitedServer(100, 100, change=(5, 200)), 2000)

    assert client.run() <= 1.1 * (5 + 7 + LATENCY_S)
    assert client.refused <= 100


# ---- A server that refuses at random ----------------------------------------------------------


@pytest.mark.parametrize("refusal_s", [AT_ONCE_S, LATENCY_S])
@pytest.mark.parametrize("share", [0.05, 0.1, 0.2, 0.3, 0.5])
def test_chance_refusals_do_not_slow_requests_down(share: float, refusal_s: float) -> None:
    """Whatever share is refused, it takes no longer than a bare loop that waits as it is told."""
    for seed in range(4):
        client = Client(ChanceServer(share, seed, refusal_s), 2000, seed=seed)
        bare = bare_loop_s(ChanceServer(share, seed, refusal_s), 2000)

        assert client.run() <= 1.15 * bare, seed
        assert client.answered == 2000


def test_refusals_that_arrive_out_of_order_are_not_taken_for_a_row() -> None:
    """Eight refusals of 64 requests set no pace, though the last heard of was sent first."""
    pace = LearnedPace()
    marks = [pace.send(0.001 * i, 100) for i in range(64)]

    for number in (8, 16, 24, 32, 40, 48, 56, 0):
        pace.refused(0.3, marks[number], 50.0)

    assert pace.rate is None


def test_one_refusal_sets_no_pace() -> None:
    """An isolated 429 does not cool the endpoint."""
    pace = LearnedPace()
    marks = [pace.send(0.01 * i, 100) for i in range(20)]

    pace.refused(0.3, marks[7], 50.0)

    assert pace.rate is None
    assert pace.wait(0.3) == 0.0


# ---- The client's own bucket ------------------------------------------------------------------


def test_a_bucket_holds_nine_tenths_of_a_second_of_its_rate() -> None:
    """1,200 a minute: 18 at once, the next a twentieth of a second later."""
    bucket = Bucket(1200)
    for _ in range(18):
        assert bucket.wait(10.0, 1) == 0.0
        bucket.take(10.0, 1)

    assert bucket.wait(10.0, 1) == pytest.approx(0.05)
    assert bucket.wait(10.05, 1) == 0.0


def test_more_than_a_bucket_holds_is_made_up_for() -> None:
    """600 tokens a minute hold 9; 40 may go when it is full, and leave 32 to wait for the next."""
    bucket = Bucket(600)
    assert bucket.wait(0.0, 40) == 0.0

    bucket.take(0.0, 40)

    assert bucket.wait(0.0, 1) == pytest.approx(3.2)
    assert bucket.wait(3.0, 40) == pytest.approx(1.0)


def test_rounding_does_not_make_a_bucket_wait() -> None:
    """After exactly the wait that was asked for there is enough, whatever the floats are."""
    bucket, now = Bucket(7), 0.1
    for _ in range(200):
        now += bucket.wait(now, 1)
        assert bucket.wait(now, 1) == 0.0
        bucket.take(now, 1)
