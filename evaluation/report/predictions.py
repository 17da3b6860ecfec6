"""The stored predictions of an arm's runs, checked against one another."""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from builders.errors import UserError
from evaluation.records import RunRecord

IntArray = NDArray[np.int64]

_VOTED = "voted/"


@dataclass(frozen=True)
class ArmPredictions:
    """What the runs of one arm predicted.

    Attributes:
        runs: The runs, ascending by seed.
        labels: True labels, (n_test,).
        predictions: Predicted labels, (n_seeds, n_test), in the order of `runs`; -1 for no answer.
        rows: Places of the predicted texts among the test texts (n_test,); None where all were.
        voted: Name of a set of texts with votes -> what was predicted of them (n_seeds, n).
    """

    runs: tuple[RunRecord, ...]
    labels: IntArray
    predictions: IntArray
    rows: IntArray | None = None
    voted: Mapping[str, IntArray] = field(default_factory=dict)


def read_arm(runs: Sequence[RunRecord], n_labels: int, out: Path) -> ArmPredictions:
    """Read the predictions of the finished runs of one arm, at least one, below the study `out`.

    Raises:
        UserError: A file cannot be read, or the runs were not scored on the same texts.
    """
    ordered = tuple(sorted(runs, key=lambda run: run.seed))
    read = [_read_run(run, n_labels, out) for run in ordered]
    labels = read[0]["labels"]
    for run, arrays in zip(ordered, read, strict=True):
        check_same_test(ordered[0], labels, run, arrays["labels"])
    return ArmPredictions(
        ordered,
        labels,
        np.stack([arrays["predictions"] for arrays in read]),
        read[0].get("rows"),
        {
            name.removeprefix(_VOTED): np.stack([arrays[name] for arrays in read])
            for name in read[0]
            if name.startswith(_VOTED) and all(name in arrays for arrays in read)
        },
    )


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


def _read_run(run: RunRecord, n_labels: int, out: Path) -> dict[str, IntArray]:
    path = out / run.predictions
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: np.asarray(stored[name]) for name in stored.files}
        labels, predictions = arrays["labels"], arrays["predictions"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path}: cannot read the predictions of {_name(run)} ({type(error).__name__}); "
            "delete the file and that run's line in runs.jsonl, then run the study again"
        ) from error
    no_answer = -1 if "rows" in arrays else 0
    for name, array, least in (("labels", labels, 0), ("predictions", predictions, no_answer)):
        fits = array.dtype.kind in "iu" and array.shape == (run.n_test,) and run.n_test > 0
        if not fits or array.min() < least or array.max() >= n_labels:
            raise UserError(
                f"{path}: {name} must be {run.n_test} whole numbers from 0 to {n_labels - 1}, got "
                f"{array.dtype} of shape {array.shape}; delete the file and the line of "
                f"{_name(run)} in runs.jsonl, then run the study again"
            )
    return {name: array.astype(np.int64) for name, array in arrays.items()}


def _name(run: RunRecord) -> str:
    return f"{run.task}/{run.arm}/seed {run.seed}"
