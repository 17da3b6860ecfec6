"""Brings answers to the ledger, those that arrive together in one transaction."""

import asyncio
from collections.abc import Callable

from builders.generation.outcome import Book, Talk
from builders.requests import Completion

_ENOUGH = 8  # answers that are recorded without waiting for more


class Recorder:
    """Records answers while an event loop runs.

    Args:
        book: Keeps them.
        failed: Called with what keeps the ledger from taking them.
    """

    def __init__(self, book: Book, failed: Callable[[Exception], None]) -> None:
        self._book = book
        self._failed = failed
        self._waiting: asyncio.Event | None = None

    async def recorded(self, talk: Talk, completion: Completion, latency_s: float) -> None:
        """Wait until an answer is in the ledger, or the ledger has failed.

        A transaction takes as much of the processor as ten answers in it. So what arrives in this
        round of the event loop and in the next is recorded together, unless it is enough before.
        """
        if self._book.arrived(talk, completion, latency_s) >= _ENOUGH:
            self.record()
            return
        if self._waiting is None:
            self._waiting = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.call_soon(loop.call_soon, self.record)
        await self._waiting.wait()

    def record(self) -> None:
        """Record what has arrived; what the ledger did not take before is tried again."""
        waiting, self._waiting = self._waiting, None
        try:
            self._book.keep()
        except Exception as error:
            self._failed(error)
        if waiting is not None:
            waiting.set()
