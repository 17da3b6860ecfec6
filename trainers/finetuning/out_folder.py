"""The folder of a run: claimed by one run at a time, and finished only when `run.json` is there.

OUT/model.safetensors, config.json, tokenizer*    what `pipeline` loads
OUT/run.json                                      what the run was, written last
OUT/metrics.json                                  scores, learning curve, texts that were cut
OUT/training_log.jsonl                            what was logged on the way, a line each
OUT/recipe.yaml                                   what was asked for, readable as a recipe again
OUT/training_arguments.json                       every option of the `Trainer`, defaults too
OUT/checkpoints                                   gone when the run is finished
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from builders.errors import UserError
from trainers.finetuning.checkpoints import FINISHED, FOLDER, check_folder, remove_checkpoints
from trainers.run_folder import RECORD, TrainedRun, write_run

RECIPE = "recipe.yaml"
METRICS = "metrics.json"
ARGUMENTS = "training_arguments.json"
LOG = "training_log.jsonl"
_LOCK = ".lock"
_OURS = {FOLDER, RECIPE, "logs", _LOCK}


def check_out(out: Path) -> None:
    """Refuse a folder that holds something else than a run that did not end.

    Raises:
        UserError: It does, or it is a file.
    """
    if out.exists() and not out.is_dir():
        raise UserError(f"output_dir {out}: is a file; name a folder")
    if not out.is_dir():
        return
    if (out / RECORD).is_file():
        raise UserError(f"output_dir {out}: holds a finished model; name another folder")
    began = check_folder(out)
    inside = {path.name for path in out.iterdir()}
    if inside - _OURS and not began:
        raise UserError(
            f"output_dir {out}: is not empty, and no run that could be gone on with; name another "
            "folder"
        )


@contextmanager
def claimed(out: Path) -> Iterator[None]:
    """Hold the folder for this run; make it where it is not there. For the first process alone.

    Raises:
        UserError: Another run holds it.
    """
    from filelock import FileLock, Timeout

    out.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(out / _LOCK, timeout=0):
            yield
    except Timeout:
        raise UserError(
            f"output_dir {out}: another run is training there; wait for it, or name another folder"
        ) from None


def staging(out: Path) -> Path:
    """Return an empty folder in `out` for its content to be. For the first process alone."""
    place = out / FOLDER / FINISHED
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return place


def finish(
    out: Path,
    record: TrainedRun,
    metrics: Mapping[str, Any],
    arguments: Mapping[str, Any],
    log: Sequence[Mapping[str, Any]],
) -> TrainedRun:
    """Move a saved model to its place with all that is known of it, `run.json` last.

    Returns:
        The record, with the hashes of the model's files.
    """
    place = out / FOLDER / FINISHED
    record = write_run(record, place)
    for name, content in ((METRICS, metrics), (ARGUMENTS, arguments)):
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (place / name).write_text(text + "\n", encoding="utf-8")
    lines = "".join(json.dumps(each) + "\n" for each in log)
    (place / LOG).write_text(lines, encoding="utf-8")
    for path in sorted(place.iterdir(), key=lambda path: path.name == RECORD):
        os.replace(path, out / path.name)
    remove_checkpoints(out)
    return record
