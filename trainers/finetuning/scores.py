"""How predictions score, as `Trainer` wants it: macro-F1, accuracy and the cross-entropy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from evaluation.uncertainty.scores import macro_f1_from_confusion

if TYPE_CHECKING:
    from transformers import EvalPrediction


def metrics(given: EvalPrediction) -> dict[str, float]:
    """Return the scores of what all processes gathered, over its texts and not over batches."""
    predictions: Any = given.predictions
    return scores(np.asarray(predictions), np.asarray(given.label_ids))


def scores(logits: NDArray[Any], labels: NDArray[Any]) -> dict[str, float]:
    """Return `macro_f1`, `accuracy` and `loss`, the mean cross-entropy in nats.

    Args:
        logits: Shape (n, labels).
        labels: Class indices (n,).
    """
    n_labels = logits.shape[-1]
    predicted = logits.argmax(axis=-1)
    confusion = np.zeros((n_labels, n_labels))
    np.add.at(confusion, (labels, predicted), 1)
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    log_likelihood = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return {
        "macro_f1": float(macro_f1_from_confusion(confusion)),
        "accuracy": float((predicted == labels).mean()),
        "loss": float(-log_likelihood[np.arange(len(labels)), labels].mean()),
    }
