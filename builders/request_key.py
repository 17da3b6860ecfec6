"""The name under which an answer is kept: the same for the same request, and only then."""

import hashlib
import json
import urllib.parse
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from builders.errors import UserError
from builders.requests import Message


def request_key(
    *,
    endpoint: str,
    model: str,
    messages: Sequence[Message],
    sampling: Mapping[str, Any],
    schema: Mapping[str, Any] | None,
    replicate: int,
) -> str:
    """Return the SHA-256 (hex) of everything that an answer depends on.

    Keys are sorted, and a whole number is the same with and without its decimal point. Of the
    endpoint only `public_address` counts, so that a new password does not ask everything again.

    Raises:
        UserError: A sampling parameter is no JSON value, such as NaN.
    """
    parts = (
        f'"endpoint":{_text(public_address(endpoint))}',
        f'"messages":[{",".join([_message(m["role"], m["content"]) for m in messages])}]',
        f'"model":{_text(model)}',
        f'"replicate":{replicate}',
        f'"sampling":{canonical(sampling)}',
        f'"schema":{canonical(schema)}',
    )
    return hashlib.sha256(f"{{{','.join(parts)}}}".encode()).hexdigest()


def _canonical(value: Any) -> str:
    try:
        return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"a request holds a value that JSON has not ({error}): "
            "give sampling parameters as text, finite numbers, true or false"
        ) from None


# The requests of a build have the same model, sampling and schema, and the turns of a conversation
# the same messages: each is put into words once.
_text = lru_cache(maxsize=64)(_canonical)


SHORT = 4096
"""Characters of a message that is remembered: longer ones would take much memory together."""


def _message(role: str, content: str) -> str:
    return (_short_message if len(content) <= SHORT else _any_message)(role, content)


def _any_message(role: str, content: str) -> str:
    return _canonical({"content": content, "role": role})


_short_message = lru_cache(maxsize=4096)(_any_message)


_last: dict[int, tuple[Mapping[str, Any], str]] = {}


def canonical(value: Mapping[str, Any] | None) -> str:
    """Return the canonical JSON of a mapping that nobody changes; the last few are remembered."""
    if value is None:
        return "null"
    known = _last.get(id(value))
    if known is None or known[0] is not value:
        if len(_last) > 16:
            _last.clear()
        known = _last[id(value)] = (value, _canonical(value))
    return known[1]


def plain(value: Any) -> Any:
    """Return `value` with plain dictionaries, lists and, for whole numbers, integers."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


@lru_cache(maxsize=64)
def public_address(endpoint: str) -> str:
    """Return `endpoint` without what may hold a secret: user, password, query and fragment."""
    address = urllib.parse.urlsplit(endpoint)
    host = address.netloc.rpartition("@")[2]
    return address._replace(netloc=host, query="", fragment="").geturl().rstrip("/")
