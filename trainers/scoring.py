"""How a trained classifier scores on one test set, as its record says it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from builders.data import LabelledTexts
from trainers.run_folder import Scores


def scores_on(source: str, test: LabelledTexts, predictions: NDArray[np.int64]) -> Scores:
    """Return the scores of predictions (n_test,), with their intervals over test texts."""
    from evaluation.uncertainty.scores import accuracy_interval, macro_f1_interval

    labels, given, n_labels = (
        np.asarray(test.labels),
        predictions[np.newaxis],
        len(test.label_names),
    )
    return Scores(
        source=public_source(source),
        n=len(test),
        content_hash=test.content_hash,
        macro_f1=macro_f1_interval(labels, given, n_labels),
        accuracy=accuracy_interval(labels, given, n_labels),
    )


def public_source(source: str) -> str:
    """Return how to name `source` to others: of a file or folder here only its own name."""
    path = Path(source)
    return path.resolve().name if path.exists() else source
