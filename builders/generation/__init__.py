"""Asks an LLM what a build needs: `Generation` fills the ledger, and reads it in order."""

import asyncio
import contextlib
import itertools
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

from builders.generation.asking import Answer, Asking, Questions, Stretch
from builders.generation.budget import Budget, Caps
from builders.generation.engine import Engine
from builders.generation.outcome import Book
from builders.generation.progress import Progress
from builders.generation.rounds import Rounds
from builders.generation.waves import Waves
from builders.ledger import Ledger
from builders.llms.base import DirectLLM, Exhausted, WaveLLM

__all__ = [
    "Answer",
    "Asking",
    "Budget",
    "Caps",
    "Generation",
    "Interrupted",
    "Progress",
    "Questions",
    "Rounds",
    "Stretch",
]


class Interrupted(Exhausted):
    """A signal asked for the end; what was in flight is in the ledger.

    Attributes:
        signal: Its number.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.signal = number


class Generation:
    """One build's requests to one live LLM.

    Filling and reading are apart: what a corpus holds is read from the ledger in the order of the
    requests, so it does not depend on the order in which answers arrived, or on how often the build
    was interrupted; and while requests are in flight no answer has to be kept in memory.

    Args:
        asking: How the LLM is asked.
        ledger: Where completions are kept for good.
        budget: What may be used.
        watch: Called with the counts whenever they change.
    """

    def __init__(
        self,
        asking: Asking,
        ledger: Ledger,
        budget: Budget,
        watch: Callable[[Progress], object] = lambda progress: None,
    ) -> None:
        self._book = Book(asking, ledger, budget, watch)
        llm = asking.llm
        if isinstance(llm, DirectLLM):
            self._filler: Engine | Waves = Engine(llm, self._book, asking.plan.seed)
        elif isinstance(llm, WaveLLM):
            self._filler = Waves(llm, self._book)
        else:
            raise TypeError(f"{llm} is not asked live")
        self.progress = self._book.progress

    @property
    def broken(self) -> set[tuple[str, int]]:
        """Label and index of the conversations in which a turn failed."""
        return self._book.broken

    def fill(self, stretches: Sequence[Stretch]) -> None:
        """Get an answer to every request of `stretches` that the ledger has none for.

        Raises:
            Interrupted: SIGINT or SIGTERM came; a second one raises KeyboardInterrupt at once.
            Exhausted: A budget is met, or nothing more can be answered now.
            UserError: Nothing can be answered, or the ledger cannot be written. What is in flight
                then is waited for and kept, since it is paid for.
        """
        self.progress.planned += sum(1 + s.last - s.first for s in stretches)
        _run_to_end(self._fill, stretches)

    def read(self, stretches: Iterable[Stretch]) -> Iterator[Answer]:
        """Yield the answers to `stretches` in the order of label, conversation and turn.

        Labels are in the order in which they come first.
        """
        stretches = list(stretches)
        rank = {label: i for i, label in enumerate(dict.fromkeys(s.label for s in stretches))}
        ordered = sorted(stretches, key=lambda s: (rank[s.label], s.conversation, s.first))
        return self._replay(iter(ordered))

    def _replay(self, stretches: Iterator[Stretch]) -> Iterator[Answer]:
        book = self._book
        while block := list(itertools.islice(stretches, _TOGETHER)):
            with book.ledger.reading():
                answers = list(book.asking.replay(block, book.known))
            yield from answers

    async def _fill(self, stretches: Sequence[Stretch], signals: "_Signals") -> None:
        stop = asyncio.Event()
        filling = asyncio.create_task(self._charge_and_fill(stretches, stop))
        with signals.heard(stop, filling):
            await asyncio.wait([filling])
        if filling.cancelled():
            raise KeyboardInterrupt
        if signals.number is not None and filling.exception() is None:
            raise Interrupted(signals.number)
        filling.result()

    async def _charge_and_fill(self, stretches: Sequence[Stretch], stop: asyncio.Event) -> None:
        await self._book.charge(stretches, stop)
        await self._filler.fill(stretches, stop)


class _Signals:
    """Lets the first SIGINT or SIGTERM ask for the end, and the second one force it."""

    def __init__(self) -> None:
        self.number: int | None = None

    @contextlib.contextmanager
    def heard(self, stop: asyncio.Event, filling: "asyncio.Task[None]") -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may handle signals
            return
        loop = asyncio.get_running_loop()

        def hear(number: int, frame: FrameType | None) -> None:
            if self.number is None:
                self.number = number
                loop.call_soon_threadsafe(stop.set)
            else:
                loop.call_soon_threadsafe(filling.cancel)

        before = {number: signal.signal(number, hear) for number in _NUMBERS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


_NUMBERS = (signal.SIGINT, signal.SIGTERM)
_TOGETHER = 16  # conversations that are looked up at once


def _run_to_end(
    work: Callable[[Sequence[Stretch], _Signals], Any], stretches: Sequence[Stretch]
) -> None:
    """Run `work`, in a thread of its own where an event loop runs already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work(stretches, _Signals()))
        return
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, work(stretches, _Signals())).result()
