"""What a server's reply to a chat completion means: an answer, or why there is none."""

import email.utils
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from builders.errors import UserError
from builders.llms.base import Exhausted, RequestFailed, TryAgain
from builders.requests import Completion

_AGAIN = {408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529}
_LIMITED = {429, 503, 529}
_GATEWAYS = {504, 522, 524}  # the server behind it may have answered

_NO_CREDIT = ("insufficient_quota", "billing_hard_limit_reached")
_REASONS = {
    "content_filter": "content filter",
    "content_policy": "content filter",
    "context_length": "context too long",
}

_SHOWN = 200  # characters of what a server says

_TOO_LONG = re.compile(r"context (?:length|window)|tokens`? \+ .*must be <=", re.IGNORECASE)


@dataclass(frozen=True)
class Reply:
    """A server's reply.

    Attributes:
        status: The HTTP status.
        headers: Its headers; a name in lower case finds each.
        body: Its body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


def completion_of_body(body: Mapping[str, Any]) -> Completion:
    """Return the completion that a body of the chat-completions API holds.

    Raises:
        RequestFailed: It holds no choice.
        AttributeError, TypeError, LookupError: It is no such body.
    """
    choices = body.get("choices") or []
    if not choices:
        raise RequestFailed("no choice", lost=True)
    message = choices[0].get("message") or {}
    usage = body.get("usage") or {}
    content, refusal = message.get("content"), message.get("refusal")
    if not isinstance(content, str | None) or not isinstance(refusal, str | None):
        raise TypeError(f"content is a {type(content).__name__}")
    return Completion(
        content=content or "",
        finish_reason=_text(choices[0].get("finish_reason")),
        model=_model(body.get("model")),
        refusal=refusal,
        prompt_tokens=_count(usage.get("prompt_tokens")),
        completion_tokens=_count(usage.get("completion_tokens")),
    )


def read_reply(reply: Reply) -> Completion:
    """Return the completion in a server's reply.

    Raises:
        RequestFailed: There is none, and asking again would not help.
        TryAgain: There is none this time.
        Exhausted: The account has no more credit.
        UserError: The key or the model is wrong.
    """
    if reply.status == 200:
        return _read_success(reply)
    if 300 <= reply.status < 400:
        # Not followed: the prompt and the key were meant for this server alone.
        location = one_line(reply.headers.get("location", "nowhere"))
        raise RequestFailed("redirect", f"to {location}")
    raise failure(reply, reply.status)


def failure(reply: Reply, status: int) -> RequestFailed | UserError:
    """Return what a status other than 200 means."""
    code, message = error_of(reply.body)
    if status in (401, 403):
        return UserError(f"status {status}, {message}: set another key, see --api-key-env")
    if status == 404:
        return UserError(f"status 404, {message}: check the model's name and --base-url")
    if status == 402 or code in _NO_CREDIT:
        return Exhausted(f"the account has no credit left ({message})")
    if status in _AGAIN and reply.headers.get("x-should-retry") != "false":
        return TryAgain(
            f"http {status}",
            message,
            after_s=retry_after(reply.headers),
            limited=status in _LIMITED,
            lost=status in _GATEWAYS,
        )
    known = (reason for part, reason in _REASONS.items() if part in code)
    reason = next(known, f"http {status}")
    return RequestFailed("context too long" if _TOO_LONG.search(message) else reason, message)


def error_of(body: bytes) -> tuple[str, str]:
    """Return the code and the message of an error, in one line; empty where there are none."""
    try:
        row = json.loads(body)
        error = row.get("error") or row.get("detail") or row if isinstance(row, dict) else row
    except (ValueError, RecursionError):
        return "", one_line(body.decode(errors="replace"))
    if not isinstance(error, dict):
        return "", one_line(str(error))
    code = error.get("code") or error.get("type") or ""
    return str(code), one_line(str(error.get("message") or error))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks to wait: in milliseconds, seconds, or until a date."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) / unit
        except (KeyError, ValueError):
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    try:
        date = email.utils.parsedate_to_datetime(headers["retry-after"])
        return max(0.0, date.timestamp() - time.time())
    except (KeyError, ValueError, OverflowError):
        return None


def _read_success(reply: Reply) -> Completion:
    try:
        row = json.loads(reply.body)
        if isinstance(row, dict) and row.get("error") and not row.get("choices"):
            status = row["error"].get("code") if isinstance(row["error"], dict) else None
            if isinstance(status, int) and 100 <= status < 600 and status != 200:
                error = failure(reply, status)
                if isinstance(error, RequestFailed):  # it may have come while the answer was made
                    error.lost = error.lost or status not in _LIMITED
                raise error
            raise TryAgain("error instead of an answer", error_of(reply.body)[1], lost=True)
        return completion_of_body(row)
    except (ValueError, RecursionError, AttributeError, TypeError, LookupError):
        # An answer may have been made, and billed, all the same.
        raise TryAgain(
            "unreadable answer", "no chat completion, see --base-url", lost=True
        ) from None


def one_line(text: str) -> str:
    """Return a server's words for a terminal: in one line, without what would steer it.

    Too many are cut between two words: the rest of a key could not be taken out any more.
    """
    shown = "".join(each if each.isprintable() else " " for each in text)
    line = " ".join(shown.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN].rpartition(' ')[0]} ...".lstrip()


def _text(value: object) -> str | None:
    """Return a word of the server's; it is written to files, which take no half characters."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else None


def _model(value: object) -> str | None:
    """Return a model's name without the folders of the machine that serves it from a path."""
    name = _text(value)
    return name.rpartition("/")[2] or None if name and name.startswith(("/", "~")) else name


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and 0 <= value < 2**53 else None
