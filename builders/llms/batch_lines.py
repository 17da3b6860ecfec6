"""Lines of the OpenAI Batch format: completions of output files, examples of input files."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from builders.errors import UserError
from builders.llms.base import RequestFailed
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
    for where, row in _rows(path):
        try:
            name = RequestId.parse(row["custom_id"])
        except (KeyError, TypeError) as error:
            raise UserError(
                f"{where}: not a line of a Batch file (no {error}); each line is a JSON object "
                "with custom_id and response"
            ) from error
        yield _answer(name, row)


def read_examples(path: Path) -> tuple[str, ...]:
    """Return the examples that the requests of a Batch input file show, each once.

    Raises:
        UserError: The file cannot be read.
    """
    found: dict[str, None] = {}
    for _, row in _rows(path):
        for message in row["body"]["messages"]:
            if message["role"] == "user":
                found.update(dict.fromkeys(examples_of(message["content"])))
    return tuple(found)


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row) of a file of JSON lines."""
    number = 0
    try:
        opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open()
        with opened as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield f"{path}, line {number}", json.loads(line)
    except (OSError, EOFError, ValueError) as error:
        raise UserError(
            f"cannot read {path}, line {number + 1}: {error}; it has to be a Batch file of JSON "
            "lines, plain or gzipped"
        ) from error


def _answer(name: RequestId, row: dict[str, Any]) -> BatchAnswer:
    try:
        return BatchAnswer(name, completion_of(row), "")
    except RequestFailed as failed:
        return BatchAnswer(name, None, failed.reason)


def completion_of(row: dict[str, Any]) -> Completion:
    """Return the completion in one line of a Batch output file.

    Raises:
        RequestFailed: The line holds an error instead of an answer.
    """
    response = row.get("response") or {}
    if row.get("error") or response.get("status_code") != 200:
        raise RequestFailed(f"http {response.get('status_code')}", str(row.get("error")))
    body = response.get("body") or {}
    choices = body.get("choices") or []
    if not choices:
        raise RequestFailed("no choice")
    message = choices[0].get("message") or {}
    usage = body.get("usage") or {}
    return Completion(
        content=message.get("content") or "",
        finish_reason=choices[0].get("finish_reason"),
        model=body.get("model"),
        refusal=message.get("refusal"),
        prompt_tokens=usage.get("prompt_tokens"),
        completion_tokens=usage.get("completion_tokens"),
    )
