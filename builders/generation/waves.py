"""Sends requests to an LLM that answers many of them together, wave after wave."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Iterable

from builders.generation.asking import Stretch
from builders.generation.outcome import Book, Talk
from builders.llms.base import BudgetMet, RequestFailed, TryAgain, WaveLLM
from builders.requests import Completion, Request

_MOST_WAVES = 3  # that a request is part of before it has failed
_FOLLOWS_S = 0.05  # what is there already, such as the rest of a file, comes within this time


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
            while (talks := self._left(talks, stop)) and not stop.is_set():
                wave = list(itertools.takewhile(self._book.reserve, talks))
                if not wave:
                    raise BudgetMet(f"{self._book.budget.passed_by(talks[0].bound)} is met")
                await self._ask(wave, stop)

    def _left(self, talks: Iterable[Talk], stop: asyncio.Event) -> list[Talk]:
        """Return the conversations that are not at their end, as far as it goes until `stop`."""
        going_on = itertools.takewhile(lambda talk: not stop.is_set(), talks)
        return [talk for talk in going_on if self._book.prepare(talk)]

    async def _ask(self, wave: list[Talk], stop: asyncio.Event) -> None:
        book = self._book
        waiting = {talk.key: talk for talk in wave}
        requests = [talk.request for talk in wave if talk.request is not None]
        book.progress.in_flight = len(requests)
        try:
            answers = _until(stop, self._llm.complete_all(requests), finishes=self._llm.finishes)
            async with contextlib.aclosing(answers) as found:
                async for request, outcome in found:
                    talk = waiting.pop(book.asking.key(request))
                    talk.sent += 1
                    if isinstance(outcome, RequestFailed):
                        self._failed(talk, outcome)
                    else:
                        book.arrived(talk, outcome)
                        book.keep()
                    book.progress.in_flight = len(waiting)
        finally:
            for talk in waiting.values():  # what was not sent, or is not there yet, is not billed
                book.unanswered(talk, lost=False)
            book.progress.in_flight = 0

    def _failed(self, talk: Talk, failed: RequestFailed) -> None:
        again = failed if isinstance(failed, TryAgain) else None
        self._book.unanswered(talk, lost=failed.lost)
        talk.failures += 1
        if again is None or talk.failures >= _MOST_WAVES:
            self._book.gave_up(talk, failed)
        else:
            self._book.again(again)


async def _until(
    stop: asyncio.Event,
    answers: AsyncIterator[tuple[Request, Completion | RequestFailed]],
    *,
    finishes: bool,
) -> AsyncGenerator[tuple[Request, Completion | RequestFailed], None]:
    """Yield what there is until `stop` is set, which ends a wait for what is far off.

    Args:
        stop: Asks for the end.
        answers: What the LLM gives.
        finishes: Whether what is being answered when `stop` is set is waited for.
    """
    stopping = asyncio.create_task(stop.wait())
    coming: asyncio.Future[tuple[Request, Completion | RequestFailed] | None] | None = None
    try:
        while True:
            finishes = finishes and not stop.is_set()
            coming = asyncio.ensure_future(anext(answers, None))
            await asyncio.wait({coming, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                await asyncio.wait({coming}, timeout=None if finishes else _FOLLOWS_S)
            if not coming.done() or (found := coming.result()) is None:
                return
            yield found
    finally:
        stopping.cancel()
        if coming is not None:  # a generator that is running cannot be closed
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
        if isinstance(answers, AsyncGenerator):
            await answers.aclose()
