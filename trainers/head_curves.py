"""Learning curves of heads: what each predicts of the test texts while it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trainers.heads import class_probabilities

if TYPE_CHECKING:
    import torch

Classes = NDArray[np.int64]


class HeadCurves:
    """The curves of several heads.

    Args:
        every: Steps between two points; None for no curves.
        vectors: Of the test texts (n_test, dimension).

    Attributes:
        points: Place of a head -> steps -> class indices (n_test,).
    """

    def __init__(self, every: int | None, vectors: NDArray[np.float32]) -> None:
        self.every = every if len(vectors) else None
        self.vectors = vectors
        self.points: dict[int, dict[int, Classes]] = {}

    def look(
        self, places: Sequence[int], heads: Sequence[torch.nn.Sequential], index: int, step: int
    ) -> None:
        """Take a point of a head in training.

        Args:
            places: Which of `heads` are trained together.
            heads: All heads.
            index: Which of `places` it is.
            step: The steps done.
        """
        head = heads[places[index]]
        self.add(places[index], step, classes(class_probabilities(head, self.vectors)))

    def add(self, place: int, step: int, predicted: Classes) -> None:
        """Add a point, where there are to be any."""
        if self.every is not None:
            self.points.setdefault(place, {})[step] = predicted


def classes(probabilities: NDArray[np.float32]) -> Classes:
    """Return the most probable class of each text (n,), of probabilities (n, labels)."""
    found: Classes = probabilities.argmax(-1).astype(np.int64)
    return found
