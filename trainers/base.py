"""The contract of a trainer: labelled texts and a seed in, predictions on test texts out."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from builders.data import LabelledTexts

Setting = str | int | float | bool


@dataclass(frozen=True)
class Outcome:
    """What one run gave.

    Attributes:
        predictions: Class indices of the test texts, shape (n_test,).
        seconds: Wall time of training and prediction, without what runs share (embeddings).
        details: What a reader may want to know: epochs, steps, best validation score.
    """

    predictions: NDArray[np.int64]
    seconds: float
    details: dict[str, Setting] = field(default_factory=dict)


class ClassifierTrainer(ABC):
    """Trains a text classifier and predicts.

    Attributes:
        name: As `--trainer` names it.
        settings: Everything but data and seed that decides the result; part of a run's key.
    """

    name: ClassVar[str]
    settings: dict[str, Setting]

    @abstractmethod
    def run(self, train: LabelledTexts, test: LabelledTexts, seed: int) -> Outcome:
        """Train on `train` and predict `test`.

        Args:
            train: Training texts; every label has at least one.
            test: Test texts, only predicted.
            seed: Draws the order and the initial weights.
        """

    def prepare(self, texts: list[str]) -> None:
        """Do once what all runs on `texts` share; the default shares nothing."""
        del texts
