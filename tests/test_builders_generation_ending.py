"""How a build ends that is asked to: by signals, in a notebook, whatever it is doing."""

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import pytest
from plants import PLANTS

from builders.errors import UserError
from builders.generation import Asking, Budget, Generation, Interrupted, Stretch
from builders.generation.ending import Signals
from builders.ledger import Ledger
from builders.llms.base import DirectLLM, Limits, LiveLLM, RequestFailed, WaveLLM
from builders.requests import Completion, Request
from builders.strategies import Plan, ZeroShot

TASK = PLANTS


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Open a new ledger."""
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


def interrupt() -> None:
    """Press Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)


async def held(until: Callable[[], bool]) -> None:
    """Wait until something is so, 30 s at the longest: the test then sees that it was not."""
    for _ in range(3000):
        if until():
            return
        await asyncio.sleep(0.01)


class Wave(WaveLLM):
    """Does something before it answers a wave, and answers when something is so."""

    model, endpoint, description, finishes = "gardener-2", "local", "gardener-2", True

    def __init__(
        self, before: Callable[[], object], until: Callable[[], bool] = lambda: True
    ) -> None:
        self._before, self._until = before, until

    async def complete_all(
        self, requests: Sequence[Request]
    ) -> AsyncIterator[tuple[Request, Completion | RequestFailed]]:
        """Answer after half a second."""
        self._before()
        await asyncio.sleep(0.5)
        await held(self._until)
        for request in requests:
            yield request, Completion("[]")


class OneByOne(DirectLLM):
    """Answers one request after another; does something before it does, as `Wave` does."""

    model, endpoint, description, limits = "gardener-2", "local", "gardener-2", Limits(8)

    def __init__(
        self, before: Callable[[], object], until: Callable[[], bool] = lambda: True
    ) -> None:
        self._before, self._until = before, until

    async def complete(self, request: Request) -> Completion:
        """Answer soon."""
        self._before()
        await asyncio.sleep(0.01)
        await held(self._until)
        return Completion("[]")


def generation(llm: LiveLLM, ledger: Ledger) -> Generation:
    """Return a build's requests to `llm`."""
    asking = Asking(TASK, ZeroShot(), Plan(2, sampling={"max_tokens": 300}), llm)
    return Generation(asking, ledger, Budget())


def stretches(count: int) -> list[Stretch]:
    """Return conversations of one turn."""
    return [Stretch("in/door", i, 1, 1) for i in range(count)]


def test_a_second_interrupt_ends_a_wave_at_once(ledger: Ledger) -> None:
    """The answer that is being waited for does not keep it, and nothing else is raised."""

    def twice() -> None:
        loop = asyncio.get_running_loop()
        for delay in (0.05, 0.1):
            loop.call_later(delay, interrupt)

    with pytest.raises(KeyboardInterrupt):
        generation(Wave(twice), ledger).fill(stretches(2))

    assert len(ledger) == 0


def test_an_interrupt_in_a_notebook_ends_the_build(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There a thread asks, and the interrupt comes to another: what was sent is waited for.

    From the tenth on it is answered when the thread was told; up to eight are in flight by then.
    """
    sent = 0
    told = threading.Event()
    give_up = Signals.give_up

    def tell(signals: Signals) -> None:
        give_up(signals)
        told.set()

    monkeypatch.setattr(Signals, "give_up", tell)

    def before() -> None:
        nonlocal sent
        sent += 1
        if sent == 10:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    async def cell() -> None:
        with pytest.raises(KeyboardInterrupt):
            llm = OneByOne(before, until=lambda: sent < 10 or told.is_set())
            generation(llm, ledger).fill(stretches(2000))

    loop = asyncio.new_event_loop()  # `asyncio.run` would handle the signal itself
    loop.run_until_complete(cell())
    loop.close()

    assert 10 <= sent == len(ledger) < 10 + 8


@pytest.mark.parametrize("kind", [OneByOne, Wave])
def test_an_interrupt_is_heard_while_known_answers_are_looked_up(
    ledger: Ledger, kind: type[OneByOne | Wave]
) -> None:
    """Of 300 known conversations no more are walked than are looked up together, 16."""
    generation(OneByOne(lambda: None), ledger).fill(stretches(300))
    walked = 0

    class Interrupting(kind):  # type: ignore[misc, valid-type]
        def phrased(self, request: Request) -> Request:
            nonlocal walked
            walked += 1
            if walked == 50:
                interrupt()
            return request

    with pytest.raises(Interrupted):
        generation(Interrupting(lambda: None), ledger).fill(stretches(300))

    assert 50 <= walked <= 66


def test_a_wave_is_brought_to_the_disk_as_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may last for hours. A ledger that another process holds for once is tried again."""
    monkeypatch.setattr("builders.generation._SYNC_S", 0.01)
    synced = 0

    class Held(Ledger):
        def sync(self) -> None:
            nonlocal synced
            synced += 1
            if synced == 1:
                raise UserError("another process holds it")
            super().sync()

    with Held(tmp_path / "ledger.sqlite") as ledger:
        wave = Wave(lambda: None, until=lambda: synced >= 2)
        generation(wave, ledger).fill(stretches(1))

    assert synced >= 2
