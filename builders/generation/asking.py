"""What a build asks: conversations, the requests of their turns, and their names in the ledger."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from builders.llms.base import LLM, LiveLLM
from builders.request_key import request_key
from builders.requests import Completion, Request
from builders.strategies.base import Plan
from builders.tasks.base import Task


class Questions(Protocol):
    """What is asked in a group of conversations: a pure function, the same for the same seed.

    A strategy asks for texts, and its groups are the labels; what else may be asked has groups of
    its own.
    """

    shows_examples: ClassVar[bool]

    def request(
        self,
        task: Task,
        group: str,
        plan: Plan,
        conversation: int,
        answers: Sequence[str | None],
        /,
    ) -> Request:
        """Return the next turn of a conversation.

        Args:
            task: The task.
            group: The group that the conversation is of.
            plan: Portions, seed and sampling.
            conversation: Its index in the group, from 0.
            answers: The answers to the turns before, None for a turn that got none.
        """


@dataclass(frozen=True)
class Answer:
    """A request with its completion, or with the reason why there is none."""

    request: Request
    completion: Completion | None
    failure: str = ""


@dataclass(frozen=True)
class Stretch:
    """Turns of one conversation.

    Attributes:
        label: The label that the conversation is about, or another name of a group of them.
        conversation: Its index, from 0.
        first: The first turn that is asked for, from 1.
        last: The last one.
    """

    label: str
    conversation: int
    first: int
    last: int


@dataclass(frozen=True)
class Asking:
    """How one build asks its LLM.

    Attributes:
        task: The task.
        strategy: What the LLM is asked.
        plan: Portions, seed and sampling.
        llm: What answers.
    """

    task: Task
    strategy: Questions
    plan: Plan
    llm: LLM

    def request(self, stretch: Stretch, answers: Sequence[str | None]) -> Request:
        """Return the next turn of a conversation as its LLM is asked it.

        Args:
            stretch: The conversation.
            answers: The answers to the turns before.
        """
        request = self.strategy.request(
            self.task, stretch.label, self.plan, stretch.conversation, answers
        )
        return self.llm.phrased(request) if isinstance(self.llm, LiveLLM) else request

    def key(self, request: Request) -> str:
        """Return the request's name in the ledger."""
        return request_key(
            endpoint=self.llm.endpoint,
            model=self.llm.model,
            messages=request.messages,
            sampling=request.sampling,
            schema=request.schema,
            replicate=request.replicate,
        )

    def replay(
        self, stretches: Iterable[Stretch], known: Callable[[Request], Completion | str | None]
    ) -> Iterator[Answer]:
        """Yield the answers that there are, in the order of the stretches and their turns.

        Args:
            stretches: What was asked for.
            known: Returns a request's completion; or the reason why it failed: a live conversation
                ends with it, a recorded one goes on without the turn; or None for a request that
                was not asked, which ends its conversation too.
        """
        for stretch in stretches:
            contents: list[str | None] = []
            while len(contents) < stretch.last:
                request = self.request(stretch, contents)
                found = known(request)
                if found is None:
                    break
                completion = found if isinstance(found, Completion) else None
                contents.append(completion.content if completion else None)
                if request.id.turn >= stretch.first:
                    yield Answer(request, completion, "" if completion else str(found))
                if completion is None and isinstance(self.llm, LiveLLM):
                    break
