"""Asks an LLM what a build needs: `Generation` fills the ledger, and reads it in order."""

import asyncio
import contextlib
import itertools
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence

from builders.errors import UserError
from builders.generation.asking import Answer, Asking, Questions, Stretch
from builders.generation.budget import Budget, Caps
from builders.generation.ending import Signals, Stop, run_to_end
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
        run_to_end(lambda signals: self._fill(stretches, signals))

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

    async def _fill(self, stretches: Sequence[Stretch], signals: Signals) -> None:
        stop = Stop()
        filling = asyncio.create_task(self._charge_and_fill(stretches, stop))
        syncing = asyncio.create_task(self._sync())
        try:
            with signals.heard(stop, filling):
                await asyncio.wait([filling])
        finally:
            syncing.cancel()
            await asyncio.gather(syncing, return_exceptions=True)
        if filling.cancelled():
            raise KeyboardInterrupt
        if signals.number is not None and filling.exception() is None:
            raise Interrupted(signals.number)
        filling.result()

    async def _charge_and_fill(self, stretches: Sequence[Stretch], stop: asyncio.Event) -> None:
        await self._book.charge(stretches, stop)
        await self._filler.fill(stretches, stop)

    async def _sync(self) -> None:
        """Bring what was recorded to the disk, out of the way of what is being asked."""
        while True:
            await asyncio.sleep(_SYNC_S)
            with contextlib.suppress(UserError):  # it is tried again, and recording will say it
                await asyncio.to_thread(self._book.ledger.sync)


_SYNC_S = 1.0
_TOGETHER = 16  # conversations that are looked up at once
