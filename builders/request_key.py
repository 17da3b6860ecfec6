"""The name under which an answer is kept: the same for the same request, and only then."""

import hashlib
import json
import urllib.parse
from collections.abc import Mapping, Sequence
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
    parts = {
        "endpoint": public_address(endpoint),
        "model": model,
        "messages": messages,
        "sampling": sampling,
        "schema": schema,
        "replicate": replicate,
    }
    try:
        text = json.dumps(plain(parts), sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UserError(
            f"a request holds a value that JSON has not ({error}): "
            "give sampling parameters as text, finite numbers, true or false"
        ) from None
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: Any) -> Any:
    """Return `value` with plain dictionaries, lists and, for whole numbers, integers."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def public_address(endpoint: str) -> str:
    """Return `endpoint` without what may hold a secret: user, password, query and fragment."""
    address = urllib.parse.urlsplit(endpoint)
    host = address.netloc.rpartition("@")[2]
    return address._replace(netloc=host, query="", fragment="").geturl().rstrip("/")
