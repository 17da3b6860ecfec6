"""Batch input lines written from requests, and Batch output lines matched back to them.

In a live exchange an answer counts only under the very id that its request was sent with, and a
line that cannot be read costs itself alone. A recording is read strictly, by `batch_lines`.
"""

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from builders.errors import UserError
from builders.llms.base import RequestFailed, TryAgain
from builders.llms.replies import Reply, completion_of_body, failure, one_line
from builders.request_key import request_key
from builders.requests import Completion, Request

URL: Final = "/v1/chat/completions"
TAIL = 16
"""Hexadecimal digits of the request's key at the end of its id: 64 bits."""

_LONGEST_ID = 64  # bytes; OpenAI allows as many characters
_ENDED_EARLY = {"batch_expired": "batch expired", "batch_cancelled": "batch cancelled"}


@dataclass(frozen=True)
class Bound:
    """How large a Batch input file may be; as OpenAI's Batch API takes it, if not said otherwise.

    Attributes:
        requests: Lines at most.
        size: Bytes at most.
    """

    requests: int = 50_000
    size: int = 200_000_000


def custom_id(request: Request, endpoint: str, model: str) -> str:
    """Return the id that a request is sent under: `NAME~DIGEST`, 64 bytes of UTF-8 at most.

    The name alone is the same for every draw and every wording of a prompt; the digest is the
    beginning of the request's key, in which all of that counts. A name that is too long is cut at
    its end, and then cannot be taken for the name of another request.
    """
    key = request_key(
        endpoint=endpoint,
        model=model,
        messages=request.messages,
        sampling=request.sampling,
        schema=request.schema,
        replicate=request.replicate,
    )
    name = request.custom_id.encode(errors="replace")[: _LONGEST_ID - TAIL - 1]
    return f"{name.decode(errors='ignore')}~{key[:TAIL]}"


def input_line(name: str, body: Mapping[str, Any]) -> bytes:
    """Return one line of a Batch input file."""
    row = {"custom_id": name, "method": "POST", "url": URL, "body": body}
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    return text.encode(errors="replace") + b"\n"


def portions(
    names: Iterable[str], size: Callable[[str], int], bound: Bound
) -> Iterator[tuple[str, ...]]:
    """Split ids into files within `bound`; a line that passes it alone has a file of its own.

    Args:
        names: The ids, in the order in which they are written.
        size: Returns the bytes of an id's line.
        bound: Of one file.
    """
    part: list[str] = []
    total = 0
    for name in names:
        length = size(name)
        if part and (len(part) == bound.requests or total + length > bound.size):
            yield tuple(part)
            part, total = [], 0
        part.append(name)
        total += length
    if part:
        yield tuple(part)


class BatchReply(NamedTuple):
    """One line of an output file: the id it answers, and its completion or why there is none."""

    custom_id: str
    outcome: Completion | RequestFailed | UserError


class Wave:
    """Requests under their ids, and what of an answer file is for them.

    Args:
        requests: The requests.
        endpoint: Where they are answered.
        model: The model's name.

    Attributes:
        waiting: Id -> request without an answer so far.
        ignored: Why lines were ignored -> how many were.
        foreign: Ids of answers that are for other requests.
    """

    def __init__(self, requests: Sequence[Request], endpoint: str, model: str) -> None:
        self.waiting = {custom_id(request, endpoint, model): request for request in requests}
        self.ignored: Counter[str] = Counter()
        self.foreign: Counter[str] = Counter()
        self._asked = frozenset(self.waiting)

    def read(self, line: bytes) -> BatchReply | None:
        """Return what a line of an answer file says of a waiting request; None if nothing."""
        try:
            reply = read_reply_line(line)
        except (ValueError, RecursionError, AttributeError, TypeError, LookupError):
            self.ignored["broken"] += 1
            return None
        if reply.custom_id in self.waiting:
            return reply
        if reply.custom_id in self._asked:
            self.ignored["repeated"] += 1
        else:
            self.foreign[reply.custom_id] += 1
        return None


def read_reply_line(line: bytes) -> BatchReply:
    """Read one line of a Batch output or error file.

    Raises:
        ValueError, RecursionError, AttributeError, TypeError, LookupError: It is no such line.
    """
    row = json.loads(line)
    name = row["custom_id"]
    if not isinstance(name, str):
        raise TypeError("custom_id is no text")
    try:
        return BatchReply(name, _outcome(row))
    except RequestFailed as failed:
        return BatchReply(name, failed)


def lines_of(path: Path, ignored: Counter[str]) -> Iterator[bytes]:
    """Yield the lines of a file of JSON lines, plain or gzipped, as far as it can be read.

    Args:
        path: The file.
        ignored: Counts a gzipped file's torn end as `broken`.

    Raises:
        UserError: The file cannot be opened or read.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as lines:
            for line in lines:
                if line.strip():
                    yield line
    except (EOFError, zlib.error, gzip.BadGzipFile):
        ignored["broken"] += 1
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}: mend or move it") from None


def _outcome(row: Mapping[str, Any]) -> Completion | RequestFailed | UserError:
    response = row.get("response") or {}
    # vLLM's first versions put the completion where the others put a response with a body.
    body = response if "choices" in response else response.get("body") or {}
    status = response.get("status_code", 200 if body else None)
    error = row.get("error") or (None if body.get("choices") else body.get("error"))
    if status == 200 and not error:
        return completion_of_body(body)
    if isinstance(error, dict):
        error = error.get("error") or error  # vLLM wraps it once more
    code = error.get("code") if isinstance(error, dict) else None
    if code in _ENDED_EARLY:
        return TryAgain(_ENDED_EARLY[code])
    if not isinstance(status, int) or status == 200 or not 100 <= status < 600:
        return TryAgain("error instead of an answer", one_line(str(error or "")))
    said = json.dumps({"error": error}).encode() if error else json.dumps(body).encode()
    return failure(Reply(status, {}, said), status)
