"""The contract of a strategy: how an LLM is asked for texts of one label."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from builders.requests import Message, Request, RequestId
from builders.tasks.base import Task

DIVERSITY_PROMPT = (
    "Can you provide something more diverse compared to the previously generated data?"
)
"""Sent from the second turn of a conversation on; the wording of Li et al. (2023), section 3."""

TEXTS_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"texts": {"type": "array", "items": {"type": "string"}}},
    "required": ["texts"],
    "additionalProperties": False,
}
"""What an answer looks like where the server can hold an LLM to a schema."""


@dataclass(frozen=True)
class Plan:
    """How many texts are asked for, and in what portions.

    Attributes:
        texts_per_request: Texts that one turn asks for.
        turns: Turns of one conversation; each new turn repeats all earlier ones as its prompt.
        seed: Draws the examples that a prompt shows.
        sampling: Sampling parameters as the API names them.
        schema: JSON schema of an answer, or None for plain text.
    """

    texts_per_request: int = 25
    turns: int = 8
    seed: int = 0
    sampling: Mapping[str, float | int | str] = field(default_factory=dict)
    schema: Mapping[str, Any] | None = field(default_factory=lambda: TEXTS_SCHEMA)

    def conversations(self, per_label: int) -> int:
        """Conversations of one label that ask for at least `per_label` texts."""
        return -(-per_label // (self.texts_per_request * self.turns))


class Strategy(ABC):
    """Turns a task, a label and a seed into requests: a pure function, the same for the same seed.

    A subclass says what the user's message of one turn is; conversations, names and the diversity
    prompt are the same for all.
    """

    name: ClassVar[str]
    shows_examples: ClassVar[bool] = False

    @abstractmethod
    def prompt(self, task: Task, label: str, plan: Plan, conversation: int, turn: int) -> str:
        """Return the user's message of one turn, without the diversity prompt."""

    def examples(
        self, task: Task, label: str, plan: Plan, conversation: int, turn: int
    ) -> tuple[str, ...]:
        """Return the real texts that the turn shows: none, unless a strategy shows some."""
        del task, label, plan, conversation, turn
        return ()

    def request(
        self, task: Task, label: str, plan: Plan, conversation: int, answers: Sequence[str]
    ) -> Request:
        """Return the next turn of `conversation`.

        Args:
            task: The task.
            label: The label to write texts for.
            plan: Portions, seed and sampling.
            conversation: Index of the conversation, from 0.
            answers: The LLM's answers to the turns before, oldest first.
        """
        turn = len(answers) + 1
        messages: list[Message] = [{"role": "system", "content": task.prompt.context}]
        for k in range(1, turn + 1):
            content = self._user_message(task, label, plan, conversation, k)
            messages.append({"role": "user", "content": content})
            if k < turn:
                messages.append({"role": "assistant", "content": answers[k - 1]})
        return Request(
            id=RequestId(task.name, self.name, label, conversation, turn),
            messages=tuple(messages),
            n_texts=plan.texts_per_request,
            schema=plan.schema,
            sampling=plan.sampling,
            examples=self.examples(task, label, plan, conversation, turn),
        )

    def _user_message(
        self, task: Task, label: str, plan: Plan, conversation: int, turn: int
    ) -> str:
        if turn == 1:
            return self.prompt(task, label, plan, conversation, turn)
        if not self.shows_examples:
            return DIVERSITY_PROMPT
        return f"{self.prompt(task, label, plan, conversation, turn)} {DIVERSITY_PROMPT}"


def generation_prompt(task: Task, label: str, count: int) -> str:
    """Fill the task's generation prompt for `count` texts of `label`."""
    least, most = task.length_words
    return task.prompt.generate.format(
        count=count,
        label=label,
        meaning=task.labels[label],
        min_words=least,
        max_words=most,
    )
