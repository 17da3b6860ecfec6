"""Sends requests to an LLM that answers many of them together, wave after wave."""

import asyncio
import itertools
from collections.abc import Iterable

from builders.generation.asking import Stretch
from builders.generation.outcome import Book, Talk
from builders.llms.base import Exhausted, RequestFailed, TryAgain, WaveLLM

_MOST_WAVES = 3  # that a request is part of before it has failed


class Waves:
    """Asks for stretches of conversations; a wave is the next turn of each.

    Args:
        llm: What answers.
        book: Keeps what becomes of requests.
    """

    def __init__(self, llm: WaveLLM, book: Book) -> None:
        self._llm = llm
        self._book = book

    async def fill(self, stretches: Iterable[Stretch], stop: asyncio.Event) -> None:
        """Get an answer to every request of `stretches` that the ledger has none for.

        Args:
            stretches: What is asked for.
            stop: Set from outside, it lets nothing more be sent.

        Raises:
            Exhausted: A budget is met, or the answers are not there yet.
            UserError: Nothing can be answered, or the ledger cannot be written.
        """
        async with self._llm:
            talks = [Talk(stretch) for stretch in stretches]
            while not stop.is_set() and (talks := [t for t in talks if self._book.prepare(t)]):
                wave = list(itertools.takewhile(self._book.reserve, talks))
                if not wave:
                    raise Exhausted(f"{self._book.budget.passed_by(talks[0].bound)} is met")
                await self._ask(wave, stop)

    async def _ask(self, wave: list[Talk], stop: asyncio.Event) -> None:
        book = self._book
        waiting = {talk.key: talk for talk in wave}
        requests = [talk.request for talk in wave if talk.request is not None]
        book.progress.in_flight = len(requests)
        try:
            async for request, outcome in self._llm.complete_all(requests):
                talk = waiting.pop(book.asking.key(request))
                talk.sent += 1
                if not isinstance(outcome, RequestFailed):
                    book.answered(talk, outcome)
                else:
                    self._failed(talk, outcome)
                book.progress.in_flight = len(waiting)
                if stop.is_set():
                    break
        finally:
            for talk in waiting.values():  # what was not sent, or is not there yet, is not billed
                book.unanswered(talk, lost=False)
            book.progress.in_flight = 0

    def _failed(self, talk: Talk, failed: RequestFailed) -> None:
        again = isinstance(failed, TryAgain)
        self._book.unanswered(talk, lost=isinstance(failed, TryAgain) and failed.lost)
        talk.failures += 1
        if not again or talk.failures >= _MOST_WAVES:
            self._book.gave_up(talk, failed.reason)
        else:
            self._book.progress.retried += 1
