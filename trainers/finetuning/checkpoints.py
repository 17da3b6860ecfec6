"""Checkpoints of a run that did not end: whether they are this run's, and which one is whole.

OUT/checkpoints/made_of.json    what decides the result; it says that the folder is of a run
OUT/checkpoints/checkpoint-N    the training after N steps
OUT/checkpoints/finished        the model and what is known of it, while they are written
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builders.errors import UserError
from trainers.finetuning.checkpoint_files import STATE, has_model, is_whole, state_of, step_of

FOLDER = "checkpoints"
FINISHED = "finished"
_MADE_OF = "made_of.json"
_PART = f"{_MADE_OF}.part"
_CHECKPOINT = re.compile(r"checkpoint-[0-9]+")


@dataclass(frozen=True)
class Resume:
    """Where a run goes on.

    Attributes:
        checkpoint: The last whole checkpoint.
        step: Its step.
        done: The checkpoint whose model is kept, where all steps were done or training was stopped
            early, so that only the scores are missing; None where it is to be trained on.
    """

    checkpoint: Path
    step: int
    done: Path | None = None


def check_folder(out: Path) -> bool:
    """Refuse a folder of checkpoints that is not of a run, or that holds what would be lost there.

    Returns:
        Whether a run wrote there.

    Raises:
        UserError: It is somebody's own.
    """
    folder = out / FOLDER
    if not folder.exists():
        return False
    if not folder.is_dir():
        raise UserError(f"output_dir {out}: {folder} is a file; name another folder")
    inside = {path.name for path in folder.iterdir()}
    if inside and not inside & {_MADE_OF, _PART}:
        raise UserError(
            f"output_dir {out}: {folder} is of no run, as it holds no {_MADE_OF}; name another "
            "folder"
        )
    for path in sorted(folder.glob("checkpoint-*")):
        # The `Trainer` makes room among all folders of such a name.
        if path.is_dir() != bool(_CHECKPOINT.fullmatch(path.name)):
            raise UserError(
                f"output_dir {out}: {path} is no checkpoint of a run and would be in its way; move "
                "it elsewhere"
            )
    return bool(inside)


def open_checkpoints(out: Path, made_of: Mapping[str, Any], processes: int) -> Resume | None:
    """Return where to go on; None for the start. What was left half-written is removed.

    Args:
        out: The run's folder.
        made_of: All that decides the result, as JSON holds it.
        processes: How many processes train.

    Raises:
        UserError: The checkpoints there are of a run of something else, or the best one is gone.
    """
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    wanted = json.loads(json.dumps(dict(made_of)))
    there = _read_record(folder)
    last_first = sorted(_checkpoints(folder), key=step_of, reverse=True)
    before = (there or {}).get("processes", processes)  # each kept the state of its own
    n = before if isinstance(before, int) else processes
    found = next((each for each in last_first if is_whole(each, n)), None)
    if found is not None:
        _refuse_other(out, there, wanted)
        _find_best(out, found)
    elif there != wanted:
        _write_record(folder, wanted)
    for each in last_first[: None if found is None else last_first.index(found)]:
        shutil.rmtree(each)
    return None if found is None else Resume(found, step_of(found), _done(found))


def remove_checkpoints(out: Path) -> None:
    """Remove what a run wrote into its folder of checkpoints, and the folder if it is empty."""
    folder = out / FOLDER
    for each in _checkpoints(folder):
        shutil.rmtree(each)
    shutil.rmtree(folder / FINISHED, ignore_errors=True)
    for name in (_MADE_OF, _PART):
        (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _checkpoints(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir() and _CHECKPOINT.fullmatch(path.name)]


def _read_record(folder: Path) -> dict[str, Any] | None:
    """Return what the checkpoints are made of; None if it is not said, or cannot be read."""
    try:
        record = json.loads((folder / _MADE_OF).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def _write_record(folder: Path, record: Mapping[str, Any]) -> None:
    part = folder / _PART
    try:
        part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        os.replace(part, folder / _MADE_OF)
    finally:
        part.unlink(missing_ok=True)


def _refuse_other(out: Path, there: Mapping[str, Any] | None, here: Mapping[str, Any]) -> None:
    if there is None:
        raise UserError(
            f"output_dir {out}: {out / FOLDER / _MADE_OF} is damaged or missing, so that nothing "
            f"says of which run the checkpoints are; name another folder, or remove {out / FOLDER}"
        )
    for key in {**there, **here}:
        if there.get(key) != here.get(key):
            raise UserError(
                f"output_dir {out}: holds the checkpoints of another run: {key} is "
                f"{there.get(key)!r} there and {here.get(key)!r} here; name another folder, or "
                f"remove {out / FOLDER}"
            )


def _find_best(out: Path, checkpoint: Path) -> None:
    """Let a checkpoint name the best one where it is now: the folder may have been moved.

    Raises:
        UserError: It is not there; the `Trainer` would keep the last model instead.
    """
    state = state_of(checkpoint) or {}
    named = state.get("best_model_checkpoint")
    if named is None:
        return
    best = checkpoint.parent / Path(named).name
    if not has_model(best):
        what = "its model is damaged or missing" if best.is_dir() else "is missing"
        raise UserError(
            f"output_dir {out}: {best.name} is the best model so far and {what}; put it back "
            f"into {checkpoint.parent}, or remove that folder to start again"
        )
    if str(best) != named:
        part = checkpoint / f"{STATE}.part"
        content = json.dumps({**state, "best_model_checkpoint": str(best)}, indent=2)
        part.write_text(content + "\n", encoding="utf-8")
        part.replace(checkpoint / STATE)


def _done(checkpoint: Path) -> Path | None:
    """Return the checkpoint whose model is kept, if training was over at this one."""
    state = state_of(checkpoint) or {}
    stopping = state["stateful_callbacks"].get("EarlyStoppingCallback")
    over = 0 < state["max_steps"] <= state["global_step"]
    if stopping is not None and not over:
        waited = stopping["attributes"]["early_stopping_patience_counter"]
        over = waited >= stopping["args"]["early_stopping_patience"]
    return Path(state["best_model_checkpoint"] or checkpoint) if over else None
