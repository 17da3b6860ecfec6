"""The classifier on top of a frozen encoder: one hidden layer, then the output layer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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


def class_weights(
    labels: NDArray[np.int64], n_labels: int, counts_as: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Weigh every class alike: n / (n_labels * n_c), 0 for a class without texts.

    Args:
        labels: Class indices, shape (n,).
        n_labels: Number of classes.
        counts_as: How many texts each counts as (n,); None for one each.
    """
    counts = np.bincount(labels, counts_as, minlength=n_labels)
    weights = np.zeros(n_labels)
    np.divide(counts.sum(), n_labels * counts, out=weights, where=counts > 0)
    return weights.astype(np.float32)


def build_head(
    dimension: int, hidden: int, n_labels: int, dropout: float, seed: int
) -> torch.nn.Sequential:
    """Return dense, tanh, dropout, output: with the BERT pooler's shape, BERT's own classifier.

    The weights are drawn by `seed` as `torch.nn.Linear` draws them; the global generator is left
    alone.
    """
    import torch
    from torch import nn

    generator = torch.Generator().manual_seed(seed)
    layers = [
        nn.utils.skip_init(nn.Linear, dimension, hidden),
        nn.utils.skip_init(nn.Linear, hidden, n_labels),
    ]
    for layer in layers:
        nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
        bound = 1 / math.sqrt(layer.in_features)
        nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return nn.Sequential(layers[0], nn.Tanh(), nn.Dropout(dropout), layers[1])


def dense_layers(head: torch.nn.Sequential) -> tuple[torch.nn.Linear, torch.nn.Linear]:
    """Return the hidden layer and the output layer of a head."""
    from torch import nn

    hidden, output = head[0], head[-1]
    assert isinstance(hidden, nn.Linear) and isinstance(output, nn.Linear)
    return hidden, output


def class_probabilities(
    head: torch.nn.Sequential, vectors: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the probabilities (n, labels) that `head` gives to `vectors` (n, dimension)."""
    import torch

    if not len(vectors):
        return np.zeros((0, dense_layers(head)[1].out_features), dtype=np.float32)
    with torch.inference_mode():
        found: NDArray[np.float32] = head(torch.from_numpy(vectors)).softmax(-1).numpy()
    return found
