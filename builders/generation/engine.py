"""Sends requests to an LLM that answers one at a time: a sliding window without barriers.

Many conversations are open at once and take turns. Whoever gets an answer sends the next request
that is ready as soon as the answer is recorded; answers that arrive together are recorded together.
Only so many conversations are open that none has to be waited for, so memory does not grow with the
number of requests.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import Iterable, Iterator

from builders.errors import UserError
from builders.generation.asking import Stretch
from builders.generation.outcome import Book, Talk
from builders.generation.pacing import Sent
from builders.generation.rates import Rates
from builders.generation.recorder import Recorder
from builders.generation.retries import MOST_ATTEMPTS, PATIENCE_S, Retries
from builders.generation.window import Window
from builders.llms.base import (
    BudgetMet,
    DirectLLM,
    Exhausted,
    Rephrase,
    RequestFailed,
    TryAgain,
)

_OPEN = 4  # conversations for each request in flight: none is idle, and the last end together
_TOGETHER = 16  # conversations that are opened at once
_HOPELESS = 20  # requests given up one after another, whatever the reason, before a build stops
_GLANCE_S = 0.2  # how long a pause may be until it is looked whether the build is to end


class Engine:
    """Asks for stretches of conversations.

    Args:
        llm: What answers.
        book: Keeps what becomes of requests.
        seed: Of the jitter between retries.
    """

    def __init__(self, llm: DirectLLM, book: Book, seed: int = 0) -> None:
        self._llm = llm
        self._book = book
        limits = llm.limits
        self._window = Window(limits.concurrency)
        self._rates = Rates(limits)
        self._retries = Retries(seed)
        self._answers = self._given_up = 0
        self._reset(())

    async def fill(self, stretches: Iterable[Stretch], stop: asyncio.Event) -> None:
        """Get an answer to every request of `stretches` that the ledger has none for.

        Args:
            stretches: What is asked for.
            stop: Set from outside, it lets nothing more be sent; what is in flight is waited for.

        Raises:
            Exhausted: A budget is met, or the server answers no more.
            UserError: Nothing can be answered, or the ledger cannot be written.
        """
        self._reset(stretches)
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._stop = stop
        self._turn = asyncio.Lock()
        self._idle = asyncio.Event()
        async with self._llm:
            await self._work_to_end()
        if self._error is not None:
            raise self._error

    def _reset(self, stretches: Iterable[Stretch]) -> None:
        self._stretches: Iterator[Stretch] = iter(stretches)
        self._ready: deque[Talk] = deque()
        self._later: dict[int, asyncio.TimerHandle] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._open = 0
        self._short = False  # of budget
        self._recorder = Recorder(self._book, self._fail)
        self._before = self._answers
        self._error: BaseException | None = None

    async def _work_to_end(self) -> None:
        """Wait until all is asked, or it is to end and what is in flight has arrived."""
        self._employ()
        if not self._workers:
            return
        stopping = asyncio.create_task(self._stop.wait())
        idle = asyncio.create_task(self._idle.wait())
        try:
            await asyncio.wait({stopping, idle}, return_when=asyncio.FIRST_COMPLETED)
            self._forget_later()
            while self._workers:  # what is in flight is paid for
                await asyncio.wait(self._workers)
            self._recorder.record()  # once more, if the ledger did not take all
        except asyncio.CancelledError:  # at once
            self._recorder.record()
            self._forget_later()
            for worker in self._workers:
                worker.cancel()
            raise
        finally:
            stopping.cancel()
            idle.cancel()

    # ---- Who sends --------------------------------------------------------------------------

    def _employ(self) -> None:
        """Let as many work as the window allows and as there is work for."""
        while len(self._workers) < self._window.size and self._may_send and self._fetch():
            worker = asyncio.create_task(self._work(self._ready.popleft()))
            self._workers.add(worker)
            worker.add_done_callback(self._left)
        self._book.progress.window = self._window.size

    async def _work(self, talk: Talk | None) -> None:
        """Send one request after another, for as long as there is one and room for it."""
        while talk is not None and (sent := await self._admitted(talk)) is not None:
            await self._attempt(talk, sent)
            talk = None
            if len(self._workers) <= self._window.size and self._may_send and self._fetch():
                talk = self._ready.popleft()
                if self._ready and len(self._workers) < self._window.size:
                    self._employ()

    def _left(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if not worker.cancelled() and (error := worker.exception()) is not None:
            self._fail(error)
        if not self._ending:
            self._employ()
        if not self._workers and (self._ending or not self._later):
            self._idle.set()

    def _fail(self, error: BaseException) -> None:
        """Let the build end with `error`, unless it does with an earlier one."""
        self._error = self._error or error

    @property
    def _may_send(self) -> bool:
        return not (self._ending or self._short)

    @property
    def _ending(self) -> bool:
        return self._error is not None or self._stop.is_set()

    # ---- What is sent next ------------------------------------------------------------------

    def _fetch(self) -> bool:
        """Make sure that a conversation is ready, if there is one left."""
        most = _OPEN * self._window.most
        # Some together: the ledger finds many at once sooner. The first need not wait for all.
        while (
            not self._ending  # thousands may be known
            and (room := min(_TOGETHER, most - self._open))
            and (room == _TOGETHER or not self._ready)
        ):
            opened = [Talk(stretch) for stretch in itertools.islice(self._stretches, room)]
            if not opened:
                break
            self._open += len(opened)
            try:
                with self._book.ledger.reading():
                    for talk in opened:
                        self._go_on(talk, employ=False)
            except UserError as error:  # the event loop, which calls this too, would not tell it
                self._fail(error)
            if self._ready:
                break
        return bool(self._ready)

    def _go_on(self, talk: Talk, *, first: bool = False, employ: bool = True) -> None:
        """Walk a conversation to its next request, and let it wait for its turn."""
        if not self._book.prepare(talk):
            self._open -= 1
        elif first:
            self._ready.appendleft(talk)
        else:
            self._ready.append(talk)
        if employ and len(self._workers) < self._window.size:
            self._employ()

    async def _admitted(self, talk: Talk) -> Sent | None:
        """Wait until the next request may be sent; None if nothing more is."""
        if not self._turn.locked() and not self._pause(talk):
            return self._sent(talk)
        async with self._turn:  # one waits for the rate, the others for their turn
            while (pause := self._pause(talk)) and not self._ending:
                await asyncio.sleep(min(pause, _GLANCE_S))
            return self._sent(talk)

    def _pause(self, talk: Talk) -> float:
        """Return the seconds until the rate allows the next request of `talk`."""
        return self._rates.wait(self._loop.time(), talk.bound.tokens)

    def _sent(self, talk: Talk) -> Sent | None:
        """Set aside what the request can use, and count it as sent; None if nothing more is."""
        book = self._book
        if self._ending:
            self._ready.appendleft(talk)
            return None
        if not book.reserve(talk):
            self._ready.appendleft(talk)
            if why := book.budget.passed_by(talk.bound):
                self._error = BudgetMet(f"{why} is met")
            self._short = True  # until others settle, which may leave enough
            return None
        talk.sent += 1
        book.progress.in_flight += 1
        left = book.progress.left - book.progress.in_flight
        return self._rates.send(self._loop.time(), talk.bound.tokens, left)

    # ---- What becomes of it -----------------------------------------------------------------

    async def _attempt(self, talk: Talk, sent: Sent) -> None:
        assert talk.request is not None
        book = self._book
        before = self._loop.time()
        try:
            completion = await self._llm.complete(talk.request)
        except Rephrase:
            book.unanswered(talk, lost=False)
            self._go_on(talk, first=True)
        except TryAgain as again:
            self._again(talk, again, sent)
        except RequestFailed as failed:
            book.unanswered(talk, lost=failed.lost)
            self._give_up(talk, failed)
        except asyncio.CancelledError:
            book.unanswered(talk, lost=True)
            raise
        except UserError:
            book.unanswered(talk, lost=False)
            raise
        else:
            now = self._loop.time()
            self._window.answered(now, now - before)
            self._answers += 1
            self._given_up = 0
            await self._recorder.recorded(talk, completion, round(now - before, 4))
            if self._error is None:
                self._go_on(talk)
        finally:
            self._short = False
            book.progress.in_flight -= 1

    def _again(self, talk: Talk, again: TryAgain, sent: Sent) -> None:
        """Send a request again later, or give it up."""
        now = self._loop.time()
        self._book.unanswered(talk, lost=again.lost)
        self._book.again(again)
        if again.limited:
            answers = self._answers - self._before
            self._rates.refused(now, sent, answers / max(now - self._started, 0.05))
            talk.refused_since = talk.refused_since or now
            over = now - talk.refused_since > PATIENCE_S
        else:
            talk.failures += 1
            over = talk.failures >= MOST_ATTEMPTS
        if over:
            self._give_up(talk, again)
            return
        delay = self._retries.delay(talk.sent, again.after_s)
        self._later[id(talk)] = self._loop.call_later(delay, self._return, talk)

    def _return(self, talk: Talk) -> None:
        """Put a request that waited to be sent again before all others."""
        del self._later[id(talk)]
        self._ready.appendleft(talk)
        self._employ()
        if self._ending and not self._workers:
            self._idle.set()

    def _forget_later(self) -> None:
        for timer in self._later.values():
            timer.cancel()
        self._later.clear()

    def _give_up(self, talk: Talk, failed: RequestFailed) -> None:
        self._book.gave_up(talk, failed)
        self._open -= 1
        self._given_up += 1
        if isinstance(failed, TryAgain) and not self._answers:
            self._error = UserError(f"{self._llm.description} gives no answer: {failed}")
        elif self._given_up >= _HOPELESS:
            self._error = Exhausted(
                f"the last {_HOPELESS} requests failed, one after another ({failed.reason})"
            )
