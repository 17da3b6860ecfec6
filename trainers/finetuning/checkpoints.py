"""Checkpoints of a run that did not end: whether they are this run's, and which one is whole."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builders.errors import UserError

FOLDER = "checkpoints"
_MADE_OF = "made_of.json"
_STATE = "trainer_state.json"


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
    wanted = json.loads(json.dumps(dict(made_of)))
    record = folder / _MADE_OF
    if record.is_file():
        _refuse_other(out, json.loads(record.read_text(encoding="utf-8")), wanted)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
    found = None
    for each in sorted(folder.glob("checkpoint-*"), key=_step):
        if _is_whole(each, processes):
            found = each
        else:
            shutil.rmtree(each)
    if found is None:
        return None
    _find_best(out, found)
    return Resume(found, _step(found), _done(found))


def _refuse_other(out: Path, there: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    for key in {**there, **here}:
        if there.get(key) != here.get(key):
            raise UserError(
                f"output_dir {out}: holds the checkpoints of another run: {key} is "
                f"{there.get(key)!r} there and {here.get(key)!r} here; name another folder, or "
                f"remove {out / FOLDER}"
            )


def _step(checkpoint: Path) -> int:
    number = checkpoint.name.rpartition("-")[2]
    return int(number) if number.isdigit() else -1


def _is_whole(checkpoint: Path, processes: int) -> bool:
    """Tell whether it was written to its end: its state is written last, by the first process."""
    names = [f"rng_state_{i}.pth" for i in range(processes)] if processes > 1 else ["rng_state.pth"]
    try:
        json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return all(zipfile.is_zipfile(checkpoint / name) for name in names)


def _find_best(out: Path, checkpoint: Path) -> None:
    """Let a checkpoint name the best one where it is now: the folder may have been moved.

    Raises:
        UserError: It is not there; the `Trainer` would keep the last model instead.
    """
    state = json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
    named = state.get("best_model_checkpoint")
    if named is None:
        return
    best = checkpoint.parent / Path(named).name
    if not best.is_dir():
        raise UserError(
            f"output_dir {out}: {best.name} is the best model so far and is missing; put it back "
            f"into {checkpoint.parent}, or remove that folder to start again"
        )
    if str(best) != named:
        part = checkpoint / f"{_STATE}.part"
        content = json.dumps({**state, "best_model_checkpoint": str(best)}, indent=2)
        part.write_text(content + "\n", encoding="utf-8")
        part.replace(checkpoint / _STATE)


def _done(checkpoint: Path) -> Path | None:
    """Return the checkpoint whose model is kept, if training was over at this one."""
    state = json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
    stopping = state["stateful_callbacks"].get("EarlyStoppingCallback")
    over = 0 < state["max_steps"] <= state["global_step"]
    if stopping is not None and not over:
        waited = stopping["attributes"]["early_stopping_patience_counter"]
        over = waited >= stopping["args"]["early_stopping_patience"]
    return Path(state["best_model_checkpoint"] or checkpoint) if over else None
