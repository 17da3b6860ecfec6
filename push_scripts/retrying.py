"""Calls to the Hub: again where the fault passes, one line where it does not."""

import random
import re
import time
from collections.abc import Callable
from typing import TypeVar

from builders.errors import UserError

_Result = TypeVar("_Result")

# 409 and 412 answer a commit that another one overtook; the call looks anew before it tries again.
_PASSING = frozenset({408, 409, 412, 425, 429, 500, 502, 503, 504})
_ATTEMPTS = 8
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.25, 8.0
_LONGEST_ASKED_WAIT_S = 60.0
_PATIENCE_S = 100.0


def retried(call: Callable[[], _Result], where: str, secret: str | None) -> _Result:
    """Return what the call returns, trying again while the Hub's faults are passing ones.

    A call that writes has to look first whether an earlier try did its work: a reply can be lost.

    Args:
        call: Asks the Hub.
        where: The repository, as the error names it.
        secret: The token; it is taken out of every message.

    Raises:
        UserError: The Hub refuses, or still fails after 8 tries or 100 seconds.
    """
    started = time.monotonic()
    for tried in range(1, _ATTEMPTS + 1):
        try:
            return call()
        except UserError:
            raise
        except Exception as raised:  # the clients raise a dozen unrelated types
            # An upload that fails is wrapped in one that tells nothing.
            cause = raised.__cause__ if isinstance(raised, RuntimeError) else None
            error = cause if isinstance(cause, Exception) else raised
            waited = time.monotonic() - started
            if not _passes(error):
                raise UserError(_line(error, where, secret)) from error
            if tried == _ATTEMPTS or waited > _PATIENCE_S:
                line = _line(error, where, secret)
                raise UserError(f"{line} (tried {tried} times); run it again later") from error
            time.sleep(_wait_s(error, tried))
    raise AssertionError("unreachable")


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status that an error of the clients stands for, if it stands for one."""
    return getattr(getattr(error, "response", None), "status_code", None)


def _passes(error: Exception) -> bool:
    from httpx2 import LocalProtocolError, TransportError
    from huggingface_hub.errors import OfflineModeIsEnabled

    if isinstance(error, OfflineModeIsEnabled | LocalProtocolError):
        return False
    if (status := status_of(error)) is not None:
        return status in _PASSING
    return isinstance(error, TransportError | ConnectionError | TimeoutError)


def _wait_s(error: Exception, tried: int) -> float:
    """Return the seconds to wait: as the Hub asks, or doubling, with some jitter."""
    headers = getattr(getattr(error, "response", None), "headers", {})
    asked = str(headers.get("Retry-After", ""))
    if re.fullmatch(r"\d{1,6}", asked):
        return min(float(asked), _LONGEST_ASKED_WAIT_S)
    longest: float = min(_FIRST_WAIT_S * 2 ** (tried - 1), _LONGEST_WAIT_S)
    return longest * random.uniform(0.75, 1.25)


_REMEDIES = {
    401: "the Hub does not know the token (401); set HF_TOKEN anew, or `hf auth login`",
    403: "the token may not do this (403: {said}); use one with the right to write there",
}


def _line(error: Exception, where: str, secret: str | None) -> str:
    """Return one line that names the repository and the remedy, without the token."""
    from huggingface_hub.errors import OfflineModeIsEnabled, RepositoryNotFoundError

    status = status_of(error)
    if isinstance(error, OfflineModeIsEnabled):
        line = "the Hub is switched off here; unset HF_HUB_OFFLINE"
    elif isinstance(error, RepositoryNotFoundError):
        line = (
            "no such repository, or the token may not see it or write there; check the name and "
            "the token (HF_TOKEN, or `hf auth login`)"
        )
    elif status == 401 and not secret:
        line = "this takes a token; set HF_TOKEN, or `hf auth login`"
    elif status is not None:
        refused = f"the Hub answered {status} ({{said}}); check HF_ENDPOINT and what was sent"
        line = _REMEDIES.get(status, refused)
    elif _passes(error):
        line = "the Hub cannot be reached ({said}); check the network and HF_ENDPOINT"
    else:
        line = "{said}; mend what it names and run it again"
    return f"{where}: {line.replace('{said}', _said(error, secret))}"


def _said(error: Exception, secret: str | None) -> str:
    """Return the Hub's own words, or the error's, on one line."""
    words = getattr(error, "server_message", None) or str(error)
    # A signed address is as good as a token.
    words = re.sub(r"https?://\S+", "(address)", " ".join(words.split()))
    if secret:
        words = words.replace(secret, "(token)")
    return words[:200] or type(error).__name__
