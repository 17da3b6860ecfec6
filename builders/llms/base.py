"""The contract of an LLM: whatever answers a request."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from builders.requests import Completion, Request
from builders.tasks.base import Task

LONGEST = 8
"""Most turns of a conversation: each repeats, and pays for, all turns before it."""


class RequestFailed(Exception):
    """An LLM gave no answer to one request; `reason` is what reports count it under."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


@dataclass(frozen=True)
class Quota:
    """How much a build asks for.

    Attributes:
        per_label: Accepted texts wanted of each label.
        texts_per_request: Texts that one request asks for.
        turns: Turns of one conversation.
        conversations: Conversations of each label.
    """

    per_label: int
    texts_per_request: int
    turns: int
    conversations: int


class LLM(ABC):
    """Answers requests.

    Attributes:
        model: The model as requests name it.
        endpoint: Where it answers; part of the ledger's key.
        description: The LLM as cards and reports name it.
        caveats: What a reader has to know of its answers, one sentence each.
        ignores_messages: True where an answer depends on the request's name alone.
        concurrency: Requests in flight at once.
    """

    model: str
    endpoint: str
    description: str
    caveats: tuple[str, ...] = ()
    ignores_messages: ClassVar[bool] = False
    concurrency: int = 1

    @abstractmethod
    async def complete(self, request: Request) -> Completion:
        """Answer one request.

        Raises:
            RequestFailed: There is no answer, and asking again now would not help.
            UserError: Nothing can be answered (a wrong key, an unknown model).
        """

    def quota(
        self, task: Task, strategy: str, per_label: int | None, texts_per_request: int | None
    ) -> Quota:
        """Fill in what the user left open and refuse what cannot be had.

        Args:
            task: The task.
            strategy: Name of the strategy.
            per_label: Accepted texts wanted of each label, or None for the default.
            texts_per_request: Texts that one request asks for, or None for the default.

        Raises:
            UserError: The LLM cannot give what is asked for.
        """
        del task, strategy
        wanted = 200 if per_label is None else per_label
        portion = 25 if texts_per_request is None else texts_per_request
        requests = -(-wanted // portion)
        conversations = -(-requests // LONGEST)
        return Quota(wanted, portion, -(-requests // conversations), conversations)

    def can_answer(self, task: Task, strategy: str) -> bool:
        """Say whether there is anything at all for `task` with `strategy`."""
        del task, strategy
        return True

    def shown_examples(self, requests: Sequence[Request]) -> tuple[str, ...] | None:
        """Return the real texts that the LLM was shown, or None where that is not known.

        Args:
            requests: The requests of one build.
        """
        return tuple(dict.fromkeys(text for request in requests for text in request.examples))
