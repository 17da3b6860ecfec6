"""What a recipe leaves to `TrainingArguments`, made ready for a run with checkpoints."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from builders.errors import UserError
from trainers.finetuning.checkpoints import FOLDER


def run_arguments(
    given: Mapping[str, Any], out: Path, *, watched: bool, stated: Collection[str] = ()
) -> dict[str, Any]:
    """Return the arguments of a run that keeps checkpoints in `out`.

    Where there is a validation set, each evaluation is followed by a checkpoint, and the best of
    them is what is kept.

    Args:
        given: As parsed, by name.
        out: The run's folder.
        watched: Whether there is a validation set.
        stated: Names of the options that somebody gave.

    Raises:
        UserError: An evaluation is asked for and there is nothing to evaluate on, a checkpoint at
            another step than where an evaluation is, or a package that is to be reported to is not
            installed.
    """
    evaluated = given["eval_strategy"]
    if watched:
        evaluated = "epoch" if evaluated == "no" else evaluated
        _check_watched(given, evaluated, stated)
    elif evaluated != "no":
        raise UserError(
            f"eval_strategy {evaluated}: there is no validation set; say validation: 0.1"
        )
    elif given["save_strategy"] == "best":
        raise UserError("save_strategy best: there is no validation set; say validation: 0.1")
    if given["eval_steps"] is not None and evaluated != "steps":
        raise UserError(
            f"eval_steps {given['eval_steps']:g}: say eval_strategy: steps with it, or leave it out"
        )
    needed = "eval_strategy" if watched else "save_strategy"
    if "save_steps" in stated and (evaluated if watched else given["save_strategy"]) != "steps":
        raise UserError(
            f"save_steps {given['save_steps']:g}: say {needed}: steps with it, or leave it out"
        )
    check_reporting(given["report_to"], out)
    values = {**given, "output_dir": str(out / FOLDER)}
    if watched:
        values["eval_strategy"] = values["save_strategy"] = evaluated
        values["save_steps"] = given["eval_steps"] or given["save_steps"]
        values["eval_steps"] = values["save_steps"]
        values |= {
            "load_best_model_at_end": True,
            "metric_for_best_model": "macro_f1",
            "greater_is_better": True,
        }
    return values


def _check_watched(given: Mapping[str, Any], evaluated: str, stated: Collection[str]) -> None:
    """Refuse checkpoints at other steps than the evaluations, each of which makes one."""
    saved, every = given["save_strategy"], given["eval_steps"]
    if saved == "no":
        raise UserError(
            "save_strategy no: the best model is one of the checkpoints, of which each evaluation "
            "makes one; leave it out"
        )
    if saved not in ("epoch", evaluated):  # an epoch is what nobody has to say
        too = ", or say eval_strategy: steps with it" if saved == "steps" else ""
        raise UserError(
            f"save_strategy {saved}: each evaluation makes a checkpoint, and the best is kept; "
            f"leave it out{too}"
        )
    if "save_steps" in stated and every is not None and given["save_steps"] != every:
        raise UserError(
            f"save_steps {given['save_steps']:g}: each evaluation makes a checkpoint, and "
            f"eval_steps says {every:g}; leave it out"
        )


def check_reporting(names: str | list[str], out: Path) -> None:
    """Refuse a report to what is not installed; let TensorBoard's files outlive checkpoints.

    Raises:
        UserError: It is unknown, or not installed.
    """
    from transformers.integrations.integration_utils import get_reporting_integration_callbacks

    try:
        for callback in get_reporting_integration_callbacks(names):
            callback()
    except (RuntimeError, ImportError, ValueError) as error:
        raise UserError(f"report_to {names}: {' '.join(str(error).split())}") from error
    if "tensorboard" in names:
        os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(out / "logs"))
