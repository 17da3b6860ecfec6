"""Asks an LLM for texts: conversations side by side, their turns one after another."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from builders.ledger import Ledger
from builders.request_key import request_key
from builders.llms.base import LLM, Quota, RequestFailed
from builders.requests import Completion, Request
from builders.strategies.base import Plan, Strategy
from builders.tasks.base import Task


@dataclass(frozen=True)
class Answer:
    """A request with its completion, or with the reason why there is none."""

    request: Request
    completion: Completion | None
    failure: str = ""


class Generation:
    """One build's requests to one LLM.

    Args:
        task: The task.
        strategy: How the LLM is asked.
        llm: What answers.
        plan: Portions, seed and sampling.
        ledger: Where completions are kept for good; None for a recording, which is one already.
        progress: Called once for every answered request.
    """

    def __init__(
        self,
        task: Task,
        strategy: Strategy,
        llm: LLM,
        plan: Plan,
        ledger: Ledger | None = None,
        progress: Callable[[], object] = lambda: None,
    ) -> None:
        self.task = task
        self.strategy = strategy
        self.llm = llm
        self.plan = plan
        self.ledger = ledger
        self.progress = progress

    def run(self, quota: Quota) -> list[Answer]:
        """Ask for all of `quota`; return the answers in the order of the requests.

        The order is label, conversation, turn: never that of arrival.
        """
        return asyncio.run(self._run(quota))

    async def _run(self, quota: Quota) -> list[Answer]:
        slots = asyncio.Semaphore(self.llm.concurrency)
        talks = [
            self._converse(label, conversation, quota.turns, slots)
            for label in self.task.label_names
            for conversation in range(quota.conversations)
        ]
        return [answer for talk in await asyncio.gather(*talks) for answer in talk]

    async def _converse(
        self, label: str, conversation: int, turns: int, slots: asyncio.Semaphore
    ) -> list[Answer]:
        answers: list[Answer] = []
        contents: list[str] = []
        for _ in range(turns):
            request = self.strategy.request(self.task, label, self.plan, conversation, contents)
            async with slots:
                answer = await self._ask(request)
            self.progress()
            answers.append(answer)
            if answer.completion is None and not self.llm.ignores_messages:
                break  # the next turn would quote an answer that does not exist
            contents.append(answer.completion.content if answer.completion else "")
        return answers

    async def _ask(self, request: Request) -> Answer:
        if self.ledger is None:
            return await self._complete(request)
        key = request_key(
            endpoint=self.llm.endpoint,
            model=self.llm.model,
            messages=request.messages,
            sampling=request.sampling,
            schema=request.schema,
            replicate=request.replicate,
        )
        known = self.ledger.completion(key)
        if known is not None:
            return Answer(request, known)
        answer = await self._complete(request)
        if answer.completion is not None:
            self.ledger.record(
                key, request, self.llm.endpoint, self.llm.model, answer.completion
            )
        else:
            self.ledger.record_failure(
                key, request, self.llm.endpoint, self.llm.model, answer.failure
            )
        return answer

    async def _complete(self, request: Request) -> Answer:
        try:
            return Answer(request, await self.llm.complete(request))
        except RequestFailed as failed:
            return Answer(request, None, failed.reason)


def failures(answers: Sequence[Answer]) -> dict[str, int]:
    """Count the requests that got no completion, by reason."""
    counts: dict[str, int] = {}
    for answer in answers:
        if answer.completion is None:
            counts[answer.failure] = counts.get(answer.failure, 0) + 1
    return counts
