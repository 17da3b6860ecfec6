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
        seed: Draws the examples that a prompt shows, and the texts of a live LLM.
        sampling: Sampling parameters as the API names them.
        schema: JSON schema of an answer, or None for plain text.
    """

    texts_per_request: int = 25
    seed: int = 0
    sampling: Mapping[str, float | int | str] = field(default_factory=dict)
    schema: Mapping[str, Any] | None = field(default_factory=lambda: TEXTS_SCHEMA)


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
        self, task: Task, label: str, plan: Plan, conversation: int, answers: Sequence[str | None]
    ) -> Request:
        """Return the next turn of `conversation`, which repeats all turns before it.

        Args:
            task: The task.
            label: The label to write texts for.
            plan: Portions, seed and sampling.
            conversation: Index of the conversation, from 0.
            answers: The LLM's answers to the turns before, oldest first; None for a turn that got
                none. The conversation goes on without such a turn.
        """
        turn = len(answers) + 1
        messages: list[Message] = [{"role": "system", "content": task.prompt.context}]

        def ask(k: int) -> None:
            # The first message of a conversation says it all, whichever turn that is.
            asked = self._asked(task, label, plan, conversation, k, opening=len(messages) == 1)
            messages.append({"role": "user", "content": asked})

        for k, answer in enumerate(answers, 1):
            if answer is not None:
                ask(k)
                messages.append({"role": "assistant", "content": answer})
        ask(turn)
        return Request(
            id=RequestId(task.name, self.name, label, conversation, turn),
            messages=tuple(messages),
            n_texts=plan.texts_per_request,
            schema=plan.schema,
            sampling=plan.sampling,
            examples=self.examples(task, label, plan, conversation, turn),
            draw=plan.seed,
        )

    def _asked(
        self, task: Task, label: str, plan: Plan, conversation: int, turn: int, *, opening: bool
    ) -> str:
        if not opening and not self.shows_examples:
            return DIVERSITY_PROMPT
        prompt = self.prompt(task, label, plan, conversation, turn)
        return prompt if opening else f"{prompt} {DIVERSITY_PROMPT}"


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
