"""Sends requests to an LLM that answers one at a time: a sliding window without barriers.

Many conversations are open at once and take turns, each turn as soon as there is room: whatever
finishes makes room for the next. Only so many conversations are open that no request has to wait
for them, so memory does not grow with the number of requests.
"""

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Iterable, Iterator

from builders.errors import UserError
from builders.generation.asking import Stretch
from builders.generation.outcome import Book, Talk
from builders.generation.pacing import Bucket, LearnedPace
from builders.generation.retries import MOST_ATTEMPTS, PATIENCE_S, Retries
from builders.generation.window import Window
from builders.llms.base import DirectLLM, Exhausted, Rephrase, RequestFailed, TryAgain

_OPEN = 4  # conversations for each request in flight: none is idle, and the last end together
_HOPELESS = 20  # requests given up one after another, whatever the reason, before a build stops
_SYNC_S = 1.0


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
        self._pace = LearnedPace()
        self._requests = Bucket(limits.per_minute) if limits.per_minute else None
        self._tokens = Bucket(limits.tokens_per_minute) if limits.tokens_per_minute else None
        self._retries = Retries(seed)
        self._ready: deque[Talk] = deque()
        self._later: list[tuple[float, int, Talk]] = []
        self._numbers = itertools.count()
        self._in_flight: set[asyncio.Task[None]] = set()
        self._open = 0
        self._answers = self._before = self._given_up = 0
        self._started = 0.0
        self._stop: BaseException | None = None

    async def fill(self, stretches: Iterable[Stretch], stop: asyncio.Event) -> None:
        """Get an answer to every request of `stretches` that the ledger has none for.

        Args:
            stretches: What is asked for.
            stop: Set from outside, it lets nothing more be sent; what is in flight is waited for.

        Raises:
            Exhausted: A budget is met, or the server answers no more.
            UserError: Nothing can be answered, or the ledger cannot be written.
        """
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._ready.clear()
        self._later.clear()
        self._stop = None
        self._open = 0
        self._before = self._answers
        syncing = asyncio.create_task(self._sync())
        try:
            async with self._llm:
                await self._fill(iter(stretches), stop)
        finally:
            syncing.cancel()
            await asyncio.gather(syncing, return_exceptions=True)
        if self._stop is not None:
            raise self._stop

    async def _fill(self, stretches: Iterator[Stretch], stop: asyncio.Event) -> None:
        try:
            await self._dispatch(stretches, stop)
            await self._drain()
        except asyncio.CancelledError:  # at once
            for task in self._in_flight:
                task.cancel()
            raise
        except BaseException:
            await self._drain()
            raise

    async def _dispatch(self, stretches: Iterator[Stretch], stop: asyncio.Event) -> None:
        while self._stop is None and not stop.is_set():
            self._changed.clear()
            room = len(self._in_flight) < self._window.size
            talk = self._next(stretches) if room else None
            if talk is None:
                if room and not self._in_flight and not self._later:
                    return
                await self._wait_for_change(stop)
            elif wait := self._wait(talk):
                self._ready.appendleft(talk)
                await asyncio.sleep(min(wait, 0.2))
            elif not self._book.reserve(talk):
                self._ready.appendleft(talk)
                if why := self._book.budget.passed_by(talk.bound):
                    self._stop = Exhausted(f"{why} is met")
                elif self._in_flight or self._later:
                    await self._wait_for_change(stop)  # what is settled may leave enough
            else:
                self._send(talk)

    def _next(self, stretches: Iterator[Stretch]) -> Talk | None:
        """Return a conversation to go on with: one that waited, one in its turn, or a new one."""
        if self._later and self._later[0][0] <= self._loop.time():
            return heapq.heappop(self._later)[2]
        most = _OPEN * self._window.most
        while self._open < most and (stretch := next(stretches, None)) is not None:
            self._open += 1
            talk = Talk(stretch)
            if self._prepare(talk):
                self._ready.append(talk)
        return self._ready.popleft() if self._ready else None

    def _prepare(self, talk: Talk) -> bool:
        if self._book.prepare(talk):
            return True
        self._open -= 1
        return False

    async def _wait_for_change(self, stop: asyncio.Event) -> None:
        delay = 0.5
        if self._later:
            delay = min(delay, max(0.0, self._later[0][0] - self._loop.time()))
        timer = self._loop.call_later(delay, self._changed.set)
        await self._changed.wait()
        timer.cancel()

    def _wait(self, talk: Talk) -> float:
        now = self._loop.time()
        waits = [self._pace.wait(now)]
        if self._requests:
            waits.append(self._requests.wait(now, 1))
        if self._tokens:
            waits.append(self._tokens.wait(now, talk.bound.tokens))
        return max(waits)

    def _send(self, talk: Talk) -> None:
        now = self._loop.time()
        if self._requests:
            self._requests.take(now, 1)
        if self._tokens:
            self._tokens.take(now, talk.bound.tokens)
        mark = self._pace.send(now, self._book.progress.left - len(self._in_flight))
        talk.sent += 1
        task = asyncio.create_task(self._attempt(talk, mark, now))
        self._in_flight.add(task)
        task.add_done_callback(self._landed)
        self._book.progress.in_flight = len(self._in_flight)
        self._book.progress.window = self._window.size

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        self._book.progress.in_flight = len(self._in_flight)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._stop = self._stop or error
        self._changed.set()

    async def _attempt(self, talk: Talk, mark: list[bool], sent: float) -> None:
        assert talk.request is not None
        book = self._book
        try:
            completion = await self._llm.complete(talk.request)
        except Rephrase:
            book.unanswered(talk, lost=False)
            talk.request = None
            if self._prepare(talk):
                self._ready.appendleft(talk)
        except TryAgain as again:
            self._again(talk, again, mark)
        except RequestFailed as failed:
            book.unanswered(talk, lost=False)
            self._give_up(talk, failed)
        except asyncio.CancelledError:
            book.unanswered(talk, lost=True)
            raise
        except UserError:
            book.unanswered(talk, lost=False)
            raise
        else:
            now = self._loop.time()
            latency = now - sent
            book.answered(talk, completion, round(latency, 4))
            self._window.answered(now, latency)
            self._answers += 1
            self._given_up = 0
            if self._prepare(talk):
                self._ready.append(talk)

    def _again(self, talk: Talk, again: TryAgain, mark: list[bool]) -> None:
        """Send a request again later, or give it up."""
        now = self._loop.time()
        self._book.unanswered(talk, lost=again.lost)
        self._book.progress.retried += 1
        if again.limited:
            self._book.progress.refused += 1
            answers = self._answers - self._before
            self._pace.refused(now, mark, answers / max(now - self._started, 0.05))
            talk.refused_since = talk.refused_since or now
            over = now - talk.refused_since > PATIENCE_S
        else:
            talk.failures += 1
            over = talk.failures >= MOST_ATTEMPTS
        if over:
            self._give_up(talk, again)
            return
        delay = self._retries.delay(talk.sent, again.after_s)
        heapq.heappush(self._later, (now + delay, next(self._numbers), talk))

    def _give_up(self, talk: Talk, failed: RequestFailed) -> None:
        self._book.gave_up(talk, failed.reason)
        self._open -= 1
        self._given_up += 1
        if isinstance(failed, TryAgain) and not self._answers:
            self._stop = UserError(f"{self._llm.description} gives no answer: {failed}")
        elif self._given_up >= _HOPELESS:
            self._stop = Exhausted(
                f"the last {_HOPELESS} requests failed, one after another ({failed.reason})"
            )

    async def _drain(self) -> None:
        """Wait for what is in flight: it is paid for."""
        while self._in_flight:
            await asyncio.wait(self._in_flight)

    async def _sync(self) -> None:
        """Bring what was recorded to the disk, out of the way of what is being asked."""
        while True:
            await asyncio.sleep(_SYNC_S)
            await asyncio.to_thread(self._book.ledger.sync)
