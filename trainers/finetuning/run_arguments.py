"""What a recipe leaves to `TrainingArguments`, made ready for a run with checkpoints."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from builders.errors import UserError
from trainers.finetuning.checkpoints import FOLDER


def run_arguments(given: Mapping[str, Any], out: Path, *, watched: bool) -> dict[str, Any]:
    """Return the arguments of a run that keeps checkpoints in `out`.

    Where there is a validation set, each evaluation is followed by a checkpoint, and the best of
    them is what is kept.

    Args:
        given: As parsed, by name.
        out: The run's folder.
        watched: Whether there is a validation set.

    Raises:
        UserError: An evaluation is asked for and there is nothing to evaluate on, or a package
            that is to be reported to is not installed.
    """
    evaluated = given["eval_strategy"]
    if not watched and evaluated != "no":
        raise UserError(
            f"eval_strategy {evaluated}: there is no validation set; say validation: 0.1"
        )
    if not watched and given["save_strategy"] == "best":
        raise UserError("save_strategy best: there is no validation set; say validation: 0.1")
    if watched and given["save_strategy"] == "no":
        raise UserError(
            "save_strategy no: the best model is one of the checkpoints, of which each evaluation "
            "makes one; leave it out"
        )
    if given["eval_steps"] is not None and evaluated != "steps":
        raise UserError(
            f"eval_steps {given['eval_steps']:g}: say eval_strategy: steps with it, or leave it out"
        )
    check_reporting(given["report_to"], out)
    values = {**given, "output_dir": str(out / FOLDER)}
    if watched:
        values["eval_strategy"] = "epoch" if evaluated == "no" else evaluated
        values["save_strategy"] = values["eval_strategy"]
        values["save_steps"] = given["eval_steps"] or given["save_steps"]
        values["eval_steps"] = values["save_steps"]
        values |= {
            "load_best_model_at_end": True,
            "metric_for_best_model": "macro_f1",
            "greater_is_better": True,
        }
    return values


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
