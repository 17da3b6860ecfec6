"""Lines of the OpenAI Batch format: completions of output files, examples of input files."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from builders.errors import UserError
from builders.llms.base import RequestFailed
from builders.llms.replies import completion_of_body
from builders.requests import Completion, RequestId
from builders.strategies.few_shot import examples_of


class BatchAnswer(NamedTuple):
    """One line: the request it answers, and its completion or why there is none."""

    id: RequestId
    completion: Completion | None
    failure: str


def read_batch_answers(path: Path) -> Iterator[BatchAnswer]:
    """Yield the answers in the Batch output file at `path` (`.jsonl` or `.jsonl.gz`).

    Raises:
        UserError: The file cannot be read, or a line is not a Batch output line.
    """
    for where, row in batch_rows(path):
        name = _name(where, row)
        try:
            yield BatchAnswer(name, completion_of(row), "")
        except RequestFailed as failed:
            yield BatchAnswer(name, None, failed.reason)
        except (AttributeError, TypeError, LookupError) as error:
            raise no_completion(where, error) from error


def no_completion(where: str, error: Exception) -> UserError:
    """Return what is said of a line whose response is not that of a chat completion."""
    return UserError(
        f"{where}: its response is not that of a chat completion ({error}); it has to hold "
        "response.body.choices[0].message.content"
    )


def read_examples(path: Path, task: str, strategy: str) -> tuple[str, ...]:
    """Return the examples that requests of a Batch input file show, each once.

    Args:
        path: The file.
        task: The task whose requests count.
        strategy: The strategy whose requests count.

    Raises:
        UserError: The file cannot be read, or a line is not a Batch input line.
    """
    found: dict[str, None] = {}
    for where, row in batch_rows(path):
        name = _name(where, row)
        if (name.task, name.strategy) != (task, strategy):
            continue
        try:
            asked = [m["content"] for m in row["body"]["messages"] if m["role"] == "user"]
            shown = [text for content in asked for text in examples_of(content)]
        except (AttributeError, TypeError, LookupError) as error:
            raise UserError(
                f"{where}: not a line of a Batch input file ({error}); it has to hold body.messages"
            ) from error
        found.update(dict.fromkeys(shown))
    return tuple(found)


def completion_of(row: dict[str, Any]) -> Completion:
    """Return the completion in one line of a Batch output file.

    Raises:
        RequestFailed: The line holds an error instead of an answer.
    """
    response = row.get("response") or {}
    if row.get("error") or response.get("status_code") != 200:
        raise RequestFailed(f"http {response.get('status_code')}", str(row.get("error")))
    return completion_of_body(response.get("body") or {})


def _name(where: str, row: object) -> RequestId:
    custom_id = row.get("custom_id") if isinstance(row, dict) else None
    if not isinstance(custom_id, str):
        raise UserError(
            f"{where}: not a line of a Batch file; each is a JSON object with the text custom_id"
        )
    try:
        return RequestId.parse(custom_id)
    except UserError as error:
        raise UserError(f"{where}: {error}") from error


def batch_rows(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield (place, value) of a file of JSON lines.

    Raises:
        UserError: The file cannot be read, or a line is no JSON.
    """
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            yield f"{path}, line {number}", json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}, line {number}: no JSON ({error}); {_RIGHT}") from error


def _lines(path: Path) -> Iterator[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    count = 0
    try:
        with opener(path, "rt", encoding="utf-8-sig") as lines:
            for line in lines:
                yield line
                count += 1
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise UserError(f"cannot read {path} after line {count}: {error}; {_RIGHT}") from error


_RIGHT = "it has to be a Batch file of JSON lines in UTF-8, plain or gzipped"
