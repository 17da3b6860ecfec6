"""Asks an LLM for texts: conversations side by side, their turns one after another."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from builders.ledger import Ledger
from builders.llms.base import LLM, Quota, RequestFailed
from builders.request_key import request_key
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
        self._stopped = False

    def run(self, quota: Quota) -> list[Answer]:
        """Ask for all of `quota`; return the answers in the order of the requests.

        The order is label, conversation, turn: never that of arrival. A turn without an answer
        costs its own texts only: the conversation goes on as if it had not been asked.

        Raises:
            UserError: Nothing can be answered, or the ledger cannot be written. What is on its way
                then is waited for and kept, since it is paid for.
        """
        return _run_to_end(self._run(quota))

    async def _run(self, quota: Quota) -> list[Answer]:
        self._stopped = False
        slots = asyncio.Semaphore(self.llm.concurrency)
        talks = [
            self._converse(label, conversation, quota.turns, slots)
            for label in self.task.label_names
            for conversation in range(quota.conversations)
        ]
        answers: list[Answer] = []
        for talk in await asyncio.gather(*talks, return_exceptions=True):
            if isinstance(talk, BaseException):
                raise talk
            answers += talk
        return answers

    async def _converse(
        self, label: str, conversation: int, turns: int, slots: asyncio.Semaphore
    ) -> list[Answer]:
        answers: list[Answer] = []
        for _ in range(turns):
            contents = [each.completion.content if each.completion else None for each in answers]
            request = self.strategy.request(self.task, label, self.plan, conversation, contents)
            async with slots:
                if self._stopped:
                    break
                try:
                    answers.append(await self._ask(request))
                    self.progress()
                except BaseException:
                    self._stopped = True
                    raise
        return answers

    async def _ask(self, request: Request) -> Answer:
        if self.ledger is None:
            return await self._complete(request)
        endpoint, model = self.llm.endpoint, self.llm.model
        key = request_key(
            endpoint=endpoint,
            model=model,
            messages=request.messages,
            sampling=request.sampling,
            schema=request.schema,
            replicate=request.replicate,
        )
        known = self.ledger.completion(key)
        if known is not None:
            return Answer(request, known)
        answer = await self._complete(request)
        if answer.completion is None:
            self.ledger.record_failure(key, request, endpoint, model, answer.failure)
            return answer
        # Another process may have been faster: the answer that stands is the one to quote.
        kept = self.ledger.record(key, request, endpoint, model, answer.completion)
        return Answer(request, kept)

    async def _complete(self, request: Request) -> Answer:
        try:
            return Answer(request, await self.llm.complete(request))
        except RequestFailed as failed:
            return Answer(request, None, failed.reason)


def _run_to_end(work: Coroutine[Any, Any, list[Answer]]) -> list[Answer]:
    """Run `work`, in a thread of its own where an event loop runs already, as in a notebook."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()


def failures(answers: Sequence[Answer]) -> dict[str, int]:
    """Count the requests that got no completion, by reason."""
    counts: dict[str, int] = {}
    for answer in answers:
        if answer.completion is None:
            counts[answer.failure] = counts.get(answer.failure, 0) + 1
    return counts
