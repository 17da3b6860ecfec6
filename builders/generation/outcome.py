"""Keeps what becomes of requests: the ledger, the budget and the counts agree on it."""

import asyncio
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from builders.generation.asking import Asking, Stretch
from builders.generation.budget import Budget, Use
from builders.generation.progress import Progress
from builders.ledger import Answered, Ledger
from builders.llms.base import DirectLLM, LiveLLM, RequestFailed, TryAgain, prompt_bound
from builders.requests import Completion, Request

_TOGETHER = 16  # conversations that are looked up at once


@dataclass
class Talk:
    """A conversation on its way.

    Attributes:
        stretch: What is asked for.
        contents: The answers so far.
        request: The next request.
        key: Its name in the ledger.
        bound: The most that it can use.
        sent: How often it was sent.
        failures: How often it failed, refusals for want of capacity apart.
        refused_since: When it was first refused for want of capacity, None if it was not.
    """

    stretch: Stretch
    contents: list[str | None] = field(default_factory=list)
    request: Request | None = None
    key: str = ""
    bound: Use = field(default_factory=lambda: Use(0, 0))
    sent: int = 0
    failures: int = 0
    refused_since: float | None = None


class Book:
    """One build's accounts.

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
        assert isinstance(asking.llm, LiveLLM)
        self.asking = asking
        self.llm: LiveLLM = asking.llm
        self.ledger = ledger
        self.budget = budget
        self.progress = Progress()
        self.failed: dict[str, str] = {}
        self.broken: set[tuple[str, int]] = set()
        self._counted: set[str] = set()
        self._charged: dict[tuple[str, int], int] = {}
        self._arrived: list[tuple[Talk, Completion]] = []
        # A batch goes on when the process ends: its answers are fetched, and not lost.
        self._notes_sent = bool(budget.caps) and isinstance(asking.llm, DirectLLM)
        self._watch = watch

    async def charge(self, stretches: Iterable[Stretch], stop: asyncio.Event) -> None:
        """Charge all that the ledger holds of `stretches`, where a cap could be passed without.

        Requests are sent before all conversations are open, and have to leave room for what the
        later ones have used.

        Args:
            stretches: What will be asked for.
            stop: Ends it.
        """
        stretches = iter(stretches)
        while (
            self._notes_sent
            and not stop.is_set()
            and (block := list(itertools.islice(stretches, _TOGETHER)))
        ):
            with self.ledger.reading():
                for stretch in block:
                    self.prepare(talk := Talk(stretch))
                    self._charged[stretch.label, stretch.conversation] = len(talk.contents)
            await asyncio.sleep(0)

    def prepare(self, talk: Talk) -> bool:
        """Walk `talk` over what is known to its next request; False at its end."""
        stretch = talk.stretch
        counted = self._charged.get((stretch.label, stretch.conversation), 0)
        while len(talk.contents) < stretch.last:
            request = self.asking.request(stretch, talk.contents)
            key = self.asking.key(request)
            if key in self.failed:
                break
            known = self.ledger.completion(key)
            if known is None:
                self._expect(talk, request, key)
                return True
            if request.id.turn >= stretch.first and request.id.turn > counted:
                self.progress.known += 1
                self._count(key, known)
            talk.contents.append(known.content)
        return False

    def reserve(self, talk: Talk) -> bool:
        """Set aside what the next request of `talk` can use; False if that is too much now."""
        if not self.budget.reserve(talk.bound):
            return False
        if self._notes_sent:
            self.ledger.sending(talk.key, talk.bound.prompt_tokens, talk.bound.answer_tokens)
        return True

    def arrived(self, talk: Talk, completion: Completion, latency_s: float | None = None) -> int:
        """Hold an answer until `keep`; return how many are held."""
        held = replace(completion, latency_s=latency_s, attempts=max(1, talk.sent))
        self._arrived.append((talk, held))
        return len(self._arrived)

    def keep(self) -> None:
        """Keep the answers that are held for good, and let their conversations go on from them.

        What the ledger does not take is held on.
        """
        arrived, self._arrived = self._arrived, []
        if not arrived:
            return
        try:
            self._keep(arrived)
        except Exception:
            self._arrived = arrived
            if len(arrived) == 1:
                raise
            # A disk that fills up may still take some of them, each in a transaction of its own.
            while self._arrived:
                self._keep(self._arrived[:1])
                del self._arrived[0]
        self.show()

    def _keep(self, arrived: list[tuple[Talk, Completion]]) -> None:
        """Keep answers, all or none of them."""
        answers = [Answered(talk.key, _request(talk), answer) for talk, answer in arrived]
        llm = self.llm
        kept = self.ledger.record_all(answers, llm.endpoint, llm.model, noted=self._notes_sent)
        for (talk, own), standing in zip(arrived, kept, strict=True):
            bound, prompt, answer = talk.bound, own.prompt_tokens, own.completion_tokens
            used = Use(
                bound.prompt_tokens if prompt is None else prompt,
                bound.answer_tokens if answer is None else answer,
            )
            self.budget.settle(bound, used)
            talk.contents.append(standing.content)
            self.progress.answered += 1
            self._add_tokens(standing)

    def unanswered(self, talk: Talk, *, lost: bool) -> None:
        """Free what was set aside, unless an answer may have got lost: then it counts as used."""
        if lost:
            self.budget.settle(talk.bound, talk.bound)
            return
        self.budget.release(talk.bound)
        if self._notes_sent:
            self.ledger.unsent(talk.key)

    def again(self, failed: TryAgain) -> None:
        """Count a request that is sent again, with the reason."""
        self.progress.retried += 1
        self.progress.refused += failed.limited
        self.progress.troubles[failed.reason] += 1
        self.progress.said = str(failed)
        self.show()

    def gave_up(self, talk: Talk, failed: RequestFailed) -> None:
        """Note that a request has failed: its conversation is over."""
        request, reason = _request(talk), failed.reason
        self.progress.said = str(failed)
        self.failed[talk.key] = reason
        self.broken.add((talk.stretch.label, talk.stretch.conversation))
        self.ledger.record_failure(talk.key, request, self.llm.endpoint, self.llm.model, reason)
        self.progress.failed[reason] += 1
        # The turns after it will not be asked for.
        self.progress.planned -= talk.stretch.last - request.id.turn
        self.show()

    def known(self, request: Request) -> Completion | str | None:
        """Return what is known of a request: its completion, why it failed, or None."""
        key = self.asking.key(request)
        return self.ledger.completion(key) or self.failed.get(key)

    def show(self) -> None:
        """Tell whoever watches."""
        if self.budget.price:
            self.progress.usd = self.budget.used["usd"]
        self._watch(self.progress)

    def _expect(self, talk: Talk, request: Request, key: str) -> None:
        most = int(request.sampling.get("max_tokens", 0))
        if key != talk.key:
            talk.key, talk.sent, talk.failures, talk.refused_since = key, 0, 0, None
        talk.request, talk.bound = request, Use(prompt_bound(request), most)
        self._count_lost(key)

    def _count_lost(self, key: str) -> None:
        """Charge what earlier runs sent and got no answer to: it may have been billed."""
        if self._notes_sent and key not in self._counted and (lost := self.ledger.sent(key)):
            self._counted.add(key)
            for _ in range(lost.times):
                self.budget.charge(Use(lost.prompt_tokens, lost.answer_tokens))

    def _count(self, key: str, known: Completion) -> None:
        self._count_lost(key)
        self.budget.charge(Use(known.prompt_tokens or 0, known.completion_tokens or 0))
        self._add_tokens(known)
        self.show()

    def _add_tokens(self, completion: Completion) -> None:
        self.progress.prompt_tokens += completion.prompt_tokens or 0
        self.progress.answer_tokens += completion.completion_tokens or 0


def _request(talk: Talk) -> Request:
    assert talk.request is not None
    return talk.request
