"""A ledger becomes a recording: files in the Batch format that `recording:PATH` reads."""

import gzip
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builders.errors import UserError
from builders.ledger import Ledger, LedgerEntry
from builders.requests import RequestId


@dataclass(frozen=True)
class Export:
    """What an export wrote.

    Attributes:
        files: The files of answers.
        answers: Answers in them.
        older: Answers left out because a later request of the same name was answered too.
    """

    files: tuple[Path, ...]
    answers: int
    older: int


def export_recording(
    ledger: Ledger, folder: Path, model: str | None = None, *, requests: bool = False
) -> Export:
    """Write `FOLDER/STRATEGY/TASK.responses.jsonl.gz` for each task and strategy of `ledger`.

    A line with labels names the texts that they are for, under `ids`. The same ledger gives the
    same bytes. Of two answers to requests of one name, such as before and after a change of the
    prompt, the later counts; but labels of other texts are another request.

    Args:
        ledger: What is exported.
        folder: Where to; files of earlier exports are replaced.
        model: The model whose answers are meant, None where there is only one.
        requests: Also write the requests; those of few-shot strategies, and those that have texts
            labelled, quote real texts.

    Raises:
        UserError: There is nothing to export, or it is not said which of several models is meant.
        OSError: The folder cannot be written.
    """
    models = sorted({row.model for row in ledger.statistics()})
    if not models:
        raise UserError(f"ledger {ledger.path}: holds no answers yet")
    if model is None and len(models) > 1:
        raise UserError(
            f"ledger {ledger.path}: holds answers of several models; choose one with --model: "
            f"{', '.join(models)}"
        )
    if model is not None and model not in models:
        raise UserError(f"--model {model}: the ledger holds answers of {', '.join(models)} only")
    latest: dict[tuple[RequestId, tuple[str, ...]], LedgerEntry] = {}
    total = 0
    for entry in ledger.entries():
        if entry.model == (model or models[0]):
            latest[entry.request.id, entry.request.ids] = entry
            total += 1
    of_file: dict[tuple[str, str], list[LedgerEntry]] = {}
    for (name, _), entry in latest.items():
        of_file.setdefault((name.strategy, name.task), []).append(entry)
    files: list[Path] = []
    for (strategy, task), entries in of_file.items():
        place = folder / strategy
        place.mkdir(parents=True, exist_ok=True)
        files.append(place / f"{task}.responses.jsonl.gz")
        _write(files[-1], map(_response, entries))
        if requests:
            _write(place / f"{task}.requests.jsonl.gz", map(_request, entries))
    return Export(tuple(files), len(latest), total - len(latest))


def _response(entry: LedgerEntry) -> dict[str, Any]:
    """Return a line of a Batch output file."""
    completion = entry.completion
    message = {
        "role": "assistant",
        "content": completion.content,
        "refusal": completion.refusal,
    }
    body = {
        "object": "chat.completion",
        "model": completion.model,
        "choices": [{"index": 0, "message": message, "finish_reason": completion.finish_reason}],
        "usage": {
            "prompt_tokens": completion.prompt_tokens,
            "completion_tokens": completion.completion_tokens,
        },
    }
    ids = {"ids": list(entry.request.ids)} if entry.request.ids else {}
    return {
        "custom_id": entry.request.custom_id,
        **ids,
        "response": {"status_code": 200, "body": body},
        "error": None,
    }


def _request(entry: LedgerEntry) -> dict[str, Any]:
    """Return a line of a Batch input file."""
    request = entry.request
    return {
        "custom_id": request.custom_id,
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {
            "model": entry.model,
            "messages": list(request.messages),
            **request.sampling,
            "seed": request.replicate,
        },
    }


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Replace a file in one step; no time stamp, so that the same rows are the same bytes."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
            for row in rows:
                packed.write(json.dumps(row, ensure_ascii=False).encode(errors="replace") + b"\n")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
