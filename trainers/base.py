"""The contract of a trainer: labelled texts and a seed in, predictions on test texts out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
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
        probabilities: Of each label for each test text, rows summing to 1, shape (n_test, labels);
            None of a trainer that does not give them.
        curve: Steps -> class indices of the test texts after so many, shape (n_test,), the last
            step among them; empty where no curve was asked for. Nothing is chosen by it.
    """

    predictions: NDArray[np.int64]
    seconds: float
    details: dict[str, Setting] = field(default_factory=dict)
    probabilities: NDArray[np.float32] | None = None
    curve: Mapping[int, NDArray[np.int64]] = field(default_factory=dict)


@dataclass(frozen=True)
class Cut:
    """How many texts an encoder does not read to their end.

    Attributes:
        n: Texts that are longer than the limit.
        limit: Tokens of a text that the encoder is given at most; None where there is no limit.
    """

    n: int
    limit: int | None


@dataclass(frozen=True)
class Job:
    """One training of several.

    Attributes:
        train: Training texts; every label has at least one.
        seed: Draws the order and the initial weights.
    """

    train: LabelledTexts
    seed: int


class ClassifierTrainer(ABC):
    """Trains a text classifier and predicts.

    Attributes:
        name: As `--trainer` names it.
        settings: Everything but data and seed that decides the result; part of a run's key.
        side_by_side: Whether several runs take less time together than one after another.
    """

    name: ClassVar[str]
    side_by_side: ClassVar[bool] = False
    settings: dict[str, Setting]

    @abstractmethod
    def run(self, train: LabelledTexts, test: LabelledTexts, seed: int) -> Outcome:
        """Train on `train` and predict `test`.

        Args:
            train: Training texts; every label has at least one.
            test: Test texts, only predicted.
            seed: Draws the order and the initial weights.
        """

    @abstractmethod
    def cut(self, texts: Sequence[str]) -> Cut:
        """Count the texts that are longer than the encoder takes: what comes after is not read."""

    def run_many(self, jobs: Sequence[Job], test: LabelledTexts) -> list[Outcome]:
        """Do each job as `run` does, in the order of `jobs`; the default does one after another.

        Args:
            jobs: What is trained on, and with which seeds.
            test: Test texts, the same for all jobs.
        """
        return [self.run(job.train, test, job.seed) for job in jobs]

    def prepare(self, texts: list[str]) -> None:
        """Do once what all runs on `texts` share; the default shares nothing."""
        del texts
