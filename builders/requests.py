"""A request to an LLM, its stable name, and the completion that answers it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

from builders.errors import UserError

MOST_CONVERSATIONS = 100_000
"""Of a label in one draw; each has a seed of its own."""

MOST_SEED = 2**31 // MOST_CONVERSATIONS - 1
"""Largest seed of a build by a live LLM: servers take 31 bits."""


class Message(TypedDict):
    """One message of a conversation, as the chat-completions API takes it."""

    role: str
    content: str


@dataclass(frozen=True, order=True)
class RequestId:
    """The stable name of a request: `TASK/STRATEGY/LABEL/cCONVERSATION/tTURN`.

    A label may hold `/` and spaces, so the name is taken apart from both ends.
    """

    task: str
    strategy: str
    label: str
    conversation: int
    turn: int

    def __str__(self) -> str:
        return f"{self.task}/{self.strategy}/{self.label}/c{self.conversation}/t{self.turn}"

    @classmethod
    def parse(cls, custom_id: str) -> "RequestId":
        """Take `custom_id` apart; a digest behind it, as in files that are exchanged, is left out.

        Raises:
            UserError: It does not have the form above.
        """
        found = re.fullmatch(
            r"([^/]+)/([^/]+)/(.+)/c(\d+)/t(\d+)(?:~[0-9a-f]{16})?", custom_id, re.DOTALL
        )
        if not found:
            raise UserError(
                f"custom_id {custom_id!r} is not TASK/STRATEGY/LABEL/cN/tN; "
                "requests of this project are named like ag_news/zero_shot/world/c0/t1"
            )
        task, strategy, label, conversation, turn = found.groups()
        return cls(task, strategy, label, int(conversation), int(turn))


@dataclass(frozen=True)
class Request:
    """One turn of one conversation with an LLM.

    Attributes:
        id: Its stable name.
        messages: The whole conversation up to and including this turn's user message.
        n_texts: How many texts, or labels, it asks for.
        schema: JSON schema that the answer must satisfy, or None for plain text.
        sampling: Sampling parameters as the API names them (`temperature`, `top_p`, ...).
        examples: The real texts that this turn shows.
        draw: The seed of the build: another one asks for other texts with the same words.
        ids: Names of the texts that it shows to have them labelled, in their order.
    """

    id: RequestId
    messages: tuple[Message, ...]
    n_texts: int
    schema: Mapping[str, Any] | None = None
    sampling: Mapping[str, float | int | str] = field(default_factory=dict)
    examples: tuple[str, ...] = ()
    draw: int = 0
    ids: tuple[str, ...] = ()

    @property
    def custom_id(self) -> str:
        """The request's name as the Batch API carries it."""
        return str(self.id)

    @property
    def replicate(self) -> int:
        """Sent as `seed`, since first turns are the same word for word: the conversation's index.

        Every draw has a range of its own.
        """
        return self.draw * MOST_CONVERSATIONS + self.id.conversation


@dataclass(frozen=True)
class Completion:
    """What an LLM answered to one request.

    Attributes:
        content: The text of the answer; empty when there was none.
        finish_reason: As the API gives it: `stop`, `length`, `content_filter`, ... or None.
        model: The model as it named itself in the answer.
        refusal: The API's refusal message, if it sent one.
        prompt_tokens: Tokens of the prompt, None where the server did not say.
        completion_tokens: Tokens of the answer, None where the server did not say.
        latency_s: Seconds from sending to the whole answer, None for a recording.
        attempts: How many times it was sent.
    """

    content: str
    finish_reason: str | None = None
    model: str | None = None
    refusal: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    latency_s: float | None = None
    attempts: int = 1

    @property
    def declined(self) -> bool:
        """Whether the server said that the LLM, or a filter of its own, declined."""
        return bool(self.refusal) or self.finish_reason == "content_filter"
