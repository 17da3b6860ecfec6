"""OpenAI's Batch API: half the price, an answer within a day; resumed by any later process."""

import time
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Self

from builders.errors import UserError
from builders.llms.base import (
    Exhausted,
    Limits,
    Price,
    RequestFailed,
    Sampling,
    TryAgain,
    WaveLLM,
)
from builders.llms.batch_api import BatchAPI, Missing
from builders.llms.batch_files import Bound, Wave, input_line, portions
from builders.llms.dialect import Dialect
from builders.llms.memory import Memory
from builders.llms.open_batches import OpenBatch, OpenBatches
from builders.llms.openai_server import Connection, OpenAIServer
from builders.llms.replies import one_line
from builders.requests import Completion, Request

if TYPE_CHECKING:
    from openai.types import Batch

_CROWDED = "token_limit_exceeded"  # too many tokens wait in the account's batches
_OVER_S = 25 * 3600.0  # a batch is over after 24 hours, and expires if it is not done

Outcomes = AsyncGenerator[tuple[Request, Completion | RequestFailed], None]


class OpenAIBatch(OpenAIServer, WaveLLM):
    """Asks through the Batch API of OpenAI, or of a compatible server.

    A batch goes on at the server whatever becomes of this process. It is noted in `memory` before
    it is made; a later run reads it to its end, and asks anew only for what no batch holds.

    Args:
        model: The model's name.
        connection: Where the server is.
        limits: Unused but for its place: a batch has the server's own limits.
        sampling: How the model is to write.
        price: What its tokens cost; None for the listed price, if this is OpenAI's own server.
        memory: Keeps what is open, and what was learned of the server, for later runs.
        poll_s: Seconds between two looks at a batch at first; they grow to six times as many.
        bound: Of one batch.

    Raises:
        UserError: The address or the key is missing.
    """

    def __init__(
        self,
        model: str,
        connection: Connection | None = None,
        limits: Limits | None = None,
        sampling: Sampling | None = None,
        price: Price | None = None,
        memory: Memory | None = None,
        poll_s: float = 10.0,
        bound: Bound | None = None,
    ) -> None:
        connection = connection or Connection()
        super().__init__(model, connection, limits, sampling, price, memory, batch=True)
        self._api = BatchAPI(self._server, poll_s)
        self._bound = bound or Bound()
        self._open = OpenBatches(memory, self.endpoint, model)
        self._read: set[str] = set()

    async def __aenter__(self) -> Self:
        await self._api.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._api.close()

    async def complete_all(self, requests: Sequence[Request]) -> Outcomes:
        """Yield the answers of open batches, and make batches of what none of them holds."""
        wave = Wave(requests, self.endpoint, self.model)
        running = await self._resumed(wave)
        held = {name for each in running for name in each.share(wave.waiting)}
        queue = deque(self._parts(wave, (name for name in wave.waiting if name not in held)))
        crowded, room = "", False
        while queue or running:
            if not running and not room and crowded:
                raise Exhausted(
                    f"{self.endpoint}: no room for another batch now ({crowded}); run the same "
                    "command again later"
                )
            if not running:  # one ended after the others were refused
                crowded, room = "", False
            while queue and not crowded:
                running.append(await self._made(wave, queue.popleft()))
            entry, batch = await self._ended(running)
            running.remove(entry)
            own = entry.share(wave.waiting)
            if batch is None:
                self._open.close(entry, own)
                queue.extend(self._parts(wave, own))
            elif batch.status == "failed":
                self._open.close(entry, entry.asked)
                crowded = self._refused(batch)
                queue.extend(self._parts(wave, own))
            else:
                crowded, room = "", True
                async with aclosing(self._answers(wave, entry, batch)) as answers:
                    async for each in answers:
                        yield each

    async def _resumed(self, wave: Wave) -> list[OpenBatch]:
        """Return the open batches with requests of the wave; forget those that were not made."""
        found = self._open.holding(wave.waiting)
        if any(not each.batch for each in found):
            recent = await self._api.recent()
            for each in found:
                if not each.batch and each.digest in recent:
                    each.batch = recent[each.digest].id
                    self._open.keep(each)
                elif not each.batch:
                    self._open.close(each, each.asked)
        return [each for each in found if each.batch]

    def _parts(self, wave: Wave, names: Iterable[str]) -> Iterable[tuple[str, ...]]:
        return portions(names, lambda name: len(self._line(wave, name)), self._bound)

    def _line(self, wave: Wave, name: str) -> bytes:
        return input_line(name, self._dialect.body(self.model, wave.waiting[name]))

    async def _made(self, wave: Wave, part: Sequence[str]) -> OpenBatch:
        """Make a batch, or find the one that was made of the same requests."""
        entry = OpenBatch.of(part)
        there = (await self._api.recent()).get(entry.digest)
        self._open.keep(entry)
        if there is None or there.id in self._read:
            there = await self._api.create(
                lambda: (self._line(wave, name) for name in part), entry.digest
            )
        entry.batch = there.id
        self._open.keep(entry)
        return entry

    async def _ended(self, running: Sequence[OpenBatch]) -> "tuple[OpenBatch, Batch | None]":
        """Wait until a batch has ended; it comes without its state if it is not there any more."""
        entries = {each.batch: each for each in running}
        try:
            batch = await self._api.ended(entries)
        except Missing as missing:
            entry = entries[str(missing)]
            if (left := entry.made + _OVER_S - time.time()) > 0:
                raise UserError(
                    f"{self.endpoint}: batch {entry.batch} is not there; use the key that it was "
                    f"made with, or wait {left / 3600:.0f} hours until it is over"
                ) from None
            return entry, None
        return entries[batch.id], batch

    def _refused(self, batch: "Batch") -> str:
        """Return what was said of a batch that has to wait; nothing of it was asked."""
        errors = (batch.errors and batch.errors.data) or []
        said = self._api.said(one_line(str(errors[0].message))) if errors else "it does not say why"
        if errors and errors[0].code == _CROWDED:
            return said
        line = f"line {errors[0].line}: " if errors and errors[0].line is not None else ""
        raise UserError(
            f"{self.endpoint}: batch {batch.id} was refused: {line}{said}; nothing of it was "
            "asked: mend that and run the same command again"
        )

    async def _answers(self, wave: Wave, entry: OpenBatch, batch: "Batch") -> Outcomes:
        """Yield what an ended batch says of its requests; then it is forgotten."""
        mine = entry.share(wave.waiting)
        asked = self._dialect
        trouble: UserError | None = None
        for file_id in filter(None, (batch.output_file_id, batch.error_file_id)):
            try:
                async with self._api.downloaded(file_id, len(entry.asked)) as lines:
                    for line in lines:
                        name, outcome = wave.read(line) or ("", None)
                        if isinstance(outcome, UserError):
                            trouble = trouble or outcome
                        elif outcome is not None:
                            yield wave.waiting.pop(name), self._outcome(asked, outcome)
            except Missing:
                continue  # it is kept for a month only
        left = [name for name in mine if name in wave.waiting]
        if trouble is None and batch.status != "cancelled":
            for name in left:
                yield wave.waiting.pop(name), _unanswered(batch)
        self._read.add(batch.id)
        self._open.close(entry, mine)
        if trouble is not None:
            said = self._api.said(str(trouble))
            raise type(trouble)(f"{self.endpoint}: batch {batch.id}: {said}")
        if left and batch.status == "cancelled":
            raise Exhausted(
                f"{self.endpoint}: batch {batch.id} was cancelled; {len(left)} of its requests are "
                "open: run the same command again to ask for them"
            )

    def _outcome(
        self, asked: Dialect, outcome: Completion | RequestFailed
    ) -> Completion | RequestFailed:
        if isinstance(outcome, Completion):
            self._proved = True
        elif outcome.reason in ("http 400", "http 422") and self._learned(asked, str(outcome)):
            return TryAgain("phrased anew")
        return outcome


def _unanswered(batch: "Batch") -> TryAgain:
    """Return why a batch that has ended has no answer to a request."""
    if batch.status == "expired":
        return TryAgain("batch expired")
    return TryAgain("answer missing", lost=True)
