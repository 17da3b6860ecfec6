"""How many requests are in flight, in simulated time: few where more do not help, else all."""

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable

import pytest

from builders.generation.window import Window

MOST = 64
Latency = Callable[[], float]


class Simulation:
    """A client with a window and a server with slots and a queue.

    Args:
        service: Draws the seconds that one request takes of a slot.
        window: None for a fixed window.
        slots: Requests that are served side by side; all others wait, first come, first served.
    """

    def __init__(self, service: Latency, window: Window | None, slots: int = 10_000) -> None:
        self.service, self.window, self.slots = service, window, slots
        self.now = 0.0
        self.sizes: list[int] = []
        self.queue: deque[float] = deque()  # when they were sent
        self.served: list[tuple[float, int, float]] = []
        self.numbers = itertools.count()

    def run(self, n: int) -> float:
        """Send and answer `n` more requests; return the answers a second."""
        began, left, answered = self.now, n, 0
        while answered < n:
            size = self.window.size if self.window else MOST
            while left and len(self.queue) + len(self.served) < size:
                left -= 1
                self.queue.append(self.now)
            while self.queue and len(self.served) < self.slots:
                sent, number = self.queue.popleft(), next(self.numbers)
                heapq.heappush(self.served, (self.now + self.service(), number, sent))
            self.now, _, sent = heapq.heappop(self.served)
            answered += 1
            self.sizes.append(size)
            if self.window:
                self.window.answered(self.now, self.now - sent)
        return n / (self.now - began)


def relative(service: Callable[[random.Random], float], n: int, slots: int, seed: int) -> float:
    """Return the throughput with a window, of that with a fixed one and the same draws."""
    rates = []
    for window in (Window(MOST), None):
        rng = random.Random(seed)
        rates.append(Simulation(lambda rng=rng: service(rng), window, slots).run(n))  # type: ignore[misc]  # bound now
    return rates[0] / rates[1]


def heavy_tail(rng: random.Random) -> float:
    """0.2 s and an exponential 0.2 s."""
    return 0.2 + rng.expovariate(1 / 0.2)


def llm_like(rng: random.Random) -> float:
    """Answers of lognormal length, 150 tokens in the median, written at 60 tokens a second."""
    return 0.3 + rng.lognormvariate(0, 0.8) * 150 / 60


@pytest.mark.parametrize("slots", [4, 8, 16])
def test_the_window_comes_down_to_what_a_queueing_server_serves(slots: int) -> None:
    """A queue gains nothing: in the end the window is near the number of slots."""
    simulation = Simulation(lambda: 0.2, Window(MOST), slots)

    simulation.run(4000)

    last = simulation.sizes[-1000:]
    assert sum(last) / len(last) <= 3 * slots
    assert min(last) >= 0.7 * slots


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("slots", [4, 8, 16, 32])
@pytest.mark.parametrize("service", [lambda rng: 0.2, heavy_tail, llm_like])
def test_a_queueing_server_loses_no_throughput(
    service: Callable[[random.Random], float], slots: int, seed: int
) -> None:
    """Whatever the window tries, the slots stay busy."""
    assert relative(service, 3000, slots, seed) >= 0.95


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("service", [lambda rng: 0.2, heavy_tail, llm_like])
def test_long_answers_are_not_mistaken_for_a_queue(
    service: Callable[[random.Random], float], seed: int
) -> None:
    """Where answers only differ in length, the window stays open."""
    assert relative(service, 2000, 10_000, seed) >= 0.98


def test_a_server_that_only_slows_down_meets_fewer_requests() -> None:
    """All at once at first; then it serves four side by side, and the window comes down."""
    simulation = Simulation(lambda: 0.2, Window(MOST))
    simulation.run(500)
    assert simulation.sizes[-1] == MOST

    simulation.slots = 4
    simulation.run(3000)

    assert simulation.sizes[-1] <= 12


def test_the_window_comes_back_when_the_server_does() -> None:
    """After a time with four slots it serves all again, and all are in flight again."""
    simulation = Simulation(lambda: 0.2, Window(MOST), slots=4)
    simulation.run(3000)
    assert simulation.sizes[-1] < 16

    simulation.slots = 10_000
    simulation.run(3000)

    assert simulation.sizes[-1] == MOST


@pytest.mark.parametrize("most", [1, 2, 64])
def test_the_window_stays_within_its_bounds(most: int) -> None:
    """Never none, never more than the user allows."""
    window = Window(most)
    simulation = Simulation(lambda: 0.2, window, slots=1)

    simulation.run(1000)

    assert min(simulation.sizes) >= 1
    assert max(simulation.sizes) == most
