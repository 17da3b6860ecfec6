"""The contract of an LLM: whatever answers a request."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

from builders.errors import UserError
from builders.requests import MOST_CONVERSATIONS, Completion, Request
from builders.tasks.base import Task

LONGEST = 8
"""Most turns of a conversation: each repeats, and pays for, all turns before it."""

TOKENS_PER_MESSAGE = 16
"""What a chat template adds to a message at most: role, separators, and some to spare."""


class RequestFailed(Exception):
    """An LLM gave no answer to one request, and asking again would not help.

    Attributes:
        reason: What reports and the ledger count it under: a few words, never a server's own,
            which may quote a key.
        lost: Whether it may have been billed all the same.
    """

    def __init__(self, reason: str, detail: str = "", *, lost: bool = False) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.lost = lost


class TryAgain(RequestFailed):
    """An LLM gave no answer this time; a later attempt may get one.

    Attributes:
        after_s: Seconds that the server asked to wait, None where it did not say.
        limited: Whether the server refused for want of capacity: nothing was done, or billed.
    """

    def __init__(
        self,
        reason: str,
        detail: str = "",
        *,
        after_s: float | None = None,
        limited: bool = False,
        lost: bool = False,
    ) -> None:
        super().__init__(reason, detail, lost=lost)
        self.after_s = after_s
        self.limited = limited


class Rephrase(Exception):
    """The server does not know a part of the request; `LLM.phrased` now leaves it out."""


class Exhausted(UserError):
    """Nothing more can be answered, but what was answered is good: a corpus can be made of it."""


class BudgetMet(Exhausted):
    """A cap of the user's allows no further request."""


@dataclass(frozen=True)
class Quota:
    """How much a build asks for.

    Attributes:
        per_label: Accepted texts wanted of each label.
        texts_per_request: Texts that one request asks for.
        turns: Turns of one conversation.
        conversations: Conversations of each label, at first.
    """

    per_label: int
    texts_per_request: int
    turns: int
    conversations: int


@dataclass(frozen=True)
class Limits:
    """What an endpoint may be asked at once.

    Attributes:
        concurrency: Requests in flight at most.
        per_minute: Requests a minute at most, None where not known.
        tokens_per_minute: Tokens a minute at most, prompts and answers, None where not known.
    """

    concurrency: int = 64
    per_minute: float | None = None
    tokens_per_minute: float | None = None


@dataclass(frozen=True)
class Price:
    """What tokens cost.

    Attributes:
        prompt: USD for a million tokens of prompts.
        answer: USD for a million tokens of answers.
        source: Where the figures are from, with their date.
    """

    prompt: float
    answer: float
    source: str

    def usd(self, prompt_tokens: float, answer_tokens: float) -> float:
        """Return what so many tokens cost."""
        return (prompt_tokens * self.prompt + answer_tokens * self.answer) / 1e6


class LLM(ABC):
    """Answers requests.

    Attributes:
        model: The model as requests name it.
        endpoint: Where it answers; part of the ledger's key.
        description: The LLM as cards and reports name it.
        caveats: What a reader has to know of its answers, one sentence each.
        ignores_messages: True where an answer depends on the request's name alone.
        turns: Most turns of a conversation.
    """

    model: str
    endpoint: str
    description: str
    caveats: tuple[str, ...] = ()
    ignores_messages: ClassVar[bool] = False
    turns: int = LONGEST

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
        portion = min(wanted, 25) if texts_per_request is None else texts_per_request
        requests = -(-wanted // portion)
        conversations = -(-requests // self.turns)
        if 2 * conversations > MOST_CONVERSATIONS:  # as many again for what the filters reject
            raise UserError(
                f"--per-label {wanted}: at {portion} texts a request and {self.turns} turns a "
                f"conversation at most {MOST_CONVERSATIONS // 2 * self.turns * portion} of a label "
                "can be asked for; ask for fewer, or raise --texts-per-request or --turns"
            )
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


class RecordedLLM(LLM):
    """Answers from what it holds: at once, for nothing, and the same every time."""

    @abstractmethod
    def answer(self, request: Request) -> Completion | str:
        """Return the answer to the request, or why there is none."""


@dataclass(frozen=True)
class Sampling:
    """How a live LLM is to write.

    Attributes:
        parameters: Sampling parameters as the API names them, such as `temperature`.
        max_tokens: Tokens of an answer at most; None for enough for the longest texts allowed.
        schema: Whether answers are held to a JSON schema where the server can do that.
    """

    parameters: Mapping[str, float | int | str] = field(default_factory=dict)
    max_tokens: int | None = None
    schema: bool = True


class LiveLLM(LLM):
    """Is asked now, and costs money or time: its answers are kept in a ledger.

    An asynchronous context manager: it is open while requests are in flight.

    Attributes:
        limits: What it may be asked at once.
        price: What its tokens cost, None where that is not known.
        sampling: How it is to write.
    """

    limits: Limits = Limits()
    price: Price | None = None
    sampling: Sampling = Sampling()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        return None

    def phrased(self, request: Request) -> Request:
        """Return the request as the server understands it; what is sent, and the ledger's key."""
        return request


class DirectLLM(LiveLLM):
    """Answers one request at a time, many of them side by side."""

    @abstractmethod
    async def complete(self, request: Request) -> Completion:
        """Send the request once.

        Raises:
            RequestFailed: There is no answer.
            TryAgain: There is none this time.
            Rephrase: The server does not know a part of the request; ask what `phrased` returns.
            UserError: Nothing can be answered (a wrong key, an unknown model).
        """


class WaveLLM(LiveLLM):
    """Answers many requests together: a batch, an exchange of files, a model in this process.

    Attributes:
        finishes: Whether, when the build is to end, the next answer is soon there and waited for;
            it is not where it may take hours.
    """

    finishes: ClassVar[bool] = False

    turns = 1  # each further turn of a conversation would wait for a whole wave

    @abstractmethod
    def complete_all(
        self, requests: Sequence[Request]
    ) -> AsyncIterator[tuple[Request, Completion | RequestFailed]]:
        """Answer the requests, in any order.

        Yields:
            A request, and its completion or why there is none. What is yielded is kept at once.

        Raises:
            Exhausted: The others are not answered yet; the message says how to go on.
            UserError: Nothing can be answered.
        """


def prompt_bound(request: Request) -> int:
    """Return a number of tokens that the prompt cannot pass: no token is less than a byte."""
    # An answer that is quoted may hold half a character, which is three bytes at most.
    return sum(
        len(message["content"].encode(errors="surrogatepass")) + TOKENS_PER_MESSAGE
        for message in request.messages
    )


def answer_bound(task: Task, texts_per_request: int) -> int:
    """Return enough tokens for an answer of the longest texts that the length filter keeps.

    Texts of twice the most words pass; a word is two tokens at most on average, even where an
    encoding is poor, and each text has its quotation marks.
    """
    return 128 + texts_per_request * (16 + 4 * task.length_words[1])
