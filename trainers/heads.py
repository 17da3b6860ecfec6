"""The classifier on top of a frozen encoder: one hidden layer, then the output layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trainers.threads import single_threaded

if TYPE_CHECKING:
    import torch

HIDDEN = 768
"""Units of the hidden layer with mean pooling; Li et al. (2023), section 4.3, as remembered."""


@dataclass(frozen=True)
class HeadSettings:
    """How a head is trained.

    Attributes:
        epochs: Passes over the training texts at least; see `min_steps`.
        min_steps: Optimiser steps at least, so that few texts are passed over more often.
        batch_size: Texts a step.
        learning_rate: Of AdamW; it falls linearly to 0.
        weight_decay: Of AdamW, on the weights and not on the biases.
        dropout: On the hidden layer's output.
    """

    epochs: int = 10
    min_steps: int = 200
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    dropout: float = 0.1


def class_weights(labels: NDArray[np.int64], n_labels: int) -> NDArray[np.float32]:
    """Weigh every class alike: n / (n_labels * n_c), 0 for a class without texts.

    Args:
        labels: Class indices, shape (n,).
        n_labels: Number of classes.
    """
    counts = np.bincount(labels, minlength=n_labels)
    weights = np.zeros(n_labels)
    np.divide(len(labels), n_labels * counts, out=weights, where=counts > 0)
    return weights.astype(np.float32)


def build_head(dimension: int, hidden: int, n_labels: int, dropout: float) -> torch.nn.Sequential:
    """Return dense, tanh, dropout, output: with the BERT pooler's shape, BERT's own classifier."""
    from torch import nn

    return nn.Sequential(
        nn.Linear(dimension, hidden), nn.Tanh(), nn.Dropout(dropout), nn.Linear(hidden, n_labels)
    )


def train_head(
    head: torch.nn.Sequential,
    vectors: NDArray[np.float32],
    labels: NDArray[np.int64],
    settings: HeadSettings,
    seed: int,
) -> int:
    """Train `head` in place with the class-balanced cross-entropy; return the optimiser steps.

    Args:
        head: As `build_head` returns it, with its initial weights.
        vectors: Shape (n, dimension).
        labels: Class indices, shape (n,).
        settings: How to train.
        seed: Draws the order of the texts and the dropout.
    """
    import torch

    output = head[-1]
    assert isinstance(output, torch.nn.Linear)
    weights = torch.from_numpy(class_weights(labels, output.out_features))
    loss_of = torch.nn.CrossEntropyLoss(weight=weights)
    x, y = torch.from_numpy(vectors), torch.from_numpy(labels)
    per_epoch = -(-len(x) // settings.batch_size)
    epochs = max(settings.epochs, -(-settings.min_steps // per_epoch))
    biases = [p for name, p in head.named_parameters() if name.endswith("bias")]
    matrices = [p for name, p in head.named_parameters() if not name.endswith("bias")]
    groups = [
        {"params": matrices, "weight_decay": settings.weight_decay},
        {"params": biases, "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=settings.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, epochs * per_epoch)
    order = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]), single_threaded():
        torch.manual_seed(seed)  # the dropout draws from the global generator
        head.train()
        for _ in range(epochs):
            for batch in torch.randperm(len(x), generator=order).split(settings.batch_size):
                optimiser.zero_grad(set_to_none=True)
                loss_of(head(x[batch]), y[batch]).backward()
                optimiser.step()
                schedule.step()
        head.eval()
    return epochs * per_epoch


def predict(head: torch.nn.Sequential, vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the class indices that `head` gives to `vectors` (n, dimension); shape (n,)."""
    import torch

    with torch.inference_mode():
        found: NDArray[np.int64] = head(torch.from_numpy(vectors)).argmax(-1).numpy()
    return found
