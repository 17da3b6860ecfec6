"""What a ledger holds, as it is read."""

from dataclasses import dataclass
from typing import NamedTuple

from builders.requests import Completion, Request


@dataclass(frozen=True)
class LedgerEntry:
    """One answered request.

    Attributes:
        key: Its name in the ledger, see `request_key`.
        endpoint: Where it was answered, without user, password and query.
        model: The model as the request named it.
        request: The request.
        completion: The answer.
    """

    key: str
    endpoint: str
    model: str
    request: Request
    completion: Completion


class Answered(NamedTuple):
    """An answer that is to be kept: the key of the request, the request, and the completion."""

    key: str
    request: Request
    completion: Completion


class Sent(NamedTuple):
    """Times that a request was sent and no answer came, and what each may have used at most."""

    prompt_tokens: int
    answer_tokens: int
    times: int


@dataclass(frozen=True)
class LedgerStatistics:
    """What a ledger holds of one task and strategy, endpoint and model.

    Attributes:
        task: The task.
        strategy: The strategy.
        endpoint: Where the requests were answered.
        model: The model as the requests named it.
        completions: Answered requests.
        prompt_tokens: Tokens of their prompts, as far as servers said.
        completion_tokens: Tokens of their answers, as far as servers said.
        attempts: How many times they were sent.
    """

    task: str
    strategy: str
    endpoint: str
    model: str
    completions: int
    prompt_tokens: int
    completion_tokens: int
    attempts: int
