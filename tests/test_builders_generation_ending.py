"""How a build ends that is asked to: by signals, in a notebook, whatever it is doing."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import pytest

from builders.generation import Asking, Budget, Generation, Stretch
from builders.ledger import Ledger
from builders.llms.base import LiveLLM, RequestFailed, WaveLLM
from builders.requests import Completion, Request
from builders.strategies import Plan, ZeroShot
from builders.tasks import Prompt, Task

TASK = Task(
    name="plants",
    title="Plants",
    description="Where does this plant grow?",
    labels={"in/door": "inside a house", "out door": "in the open"},
    prompt=Prompt("You are a gardener.", "Write {count} notes on {label} ({meaning})."),
    length_words=(4, 20),
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Open a new ledger."""
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


def interrupt() -> None:
    """Press Ctrl-C."""
    os.kill(os.getpid(), signal.SIGINT)


class Wave(WaveLLM):
    """Does something before it answers a wave."""

    model, endpoint, description, finishes = "gardener-2", "local", "gardener-2", True

    def __init__(self, before: Callable[[], object]) -> None:
        self._before = before

    async def complete_all(
        self, requests: Sequence[Request]
    ) -> AsyncIterator[tuple[Request, Completion | RequestFailed]]:
        """Answer after half a second."""
        self._before()
        await asyncio.sleep(0.5)
        for request in requests:
            yield request, Completion("[]")


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
