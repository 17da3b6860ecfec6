"""The stored predictions of an arm's runs, checked against one another."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from builders.errors import UserError
from evaluation.records import RunRecord

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class ArmPredictions:
    """What the runs of one arm predicted.

    Attributes:
        runs: The runs, ascending by seed.
        labels: True labels, (n_test,).
        predictions: Predicted labels, (n_seeds, n_test), in the order of `runs`.
    """

    runs: tuple[RunRecord, ...]
    labels: IntArray
    predictions: IntArray


def read_arm(runs: Sequence[RunRecord], n_labels: int, out: Path) -> ArmPredictions:
    """Read the predictions of the finished runs of one arm, at least one, below the study `out`.

    Raises:
        UserError: A file cannot be read, or the runs were not scored on the same texts.
    """
    ordered = tuple(sorted(runs, key=lambda run: run.seed))
    pairs = [_read_run(run, n_labels, out) for run in ordered]
    labels = pairs[0][0]
    for run, (own, _) in zip(ordered, pairs, strict=True):
        check_same_test(ordered[0], labels, run, own)
    return ArmPredictions(ordered, labels, np.stack([predictions for _, predictions in pairs]))


def check_same_test(first: RunRecord, labels: IntArray, other: RunRecord, own: IntArray) -> None:
    """Refuse two runs of a task that were scored on different texts: nothing pairs them.

    Raises:
        UserError: Their test texts or true labels differ.
    """
    if first.test_hash != other.test_hash or not np.array_equal(labels, own):
        raise UserError(
            f"{other.task}: {_name(first)} and {_name(other)} were scored on different test texts; "
            "run the study again in a new folder"
        )


def _read_run(run: RunRecord, n_labels: int, out: Path) -> tuple[IntArray, IntArray]:
    path = out / run.predictions
    try:
        with np.load(path, allow_pickle=False) as stored:
            labels = np.asarray(stored["labels"])
            predictions = np.asarray(stored["predictions"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path}: cannot read the predictions of {_name(run)} ({type(error).__name__}); "
            "delete the file and that run's line in runs.jsonl, then run the study again"
        ) from error
    for name, array in (("labels", labels), ("predictions", predictions)):
        fits = array.dtype.kind in "iu" and array.shape == (run.n_test,) and run.n_test > 0
        if not fits or array.min() < 0 or array.max() >= n_labels:
            raise UserError(
                f"{path}: {name} must be {run.n_test} whole numbers from 0 to {n_labels - 1}, got "
                f"{array.dtype} of shape {array.shape}; delete the file and the line of "
                f"{_name(run)} in runs.jsonl, then run the study again"
            )
    return labels.astype(np.int64), predictions.astype(np.int64)


def _name(run: RunRecord) -> str:
    return f"{run.task}/{run.arm}/seed {run.seed}"
