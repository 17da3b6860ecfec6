"""The contract of a loss: how a text counts in training, and what is minimised in a step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from builders.data import LabelledTexts
from builders.errors import UserError

if TYPE_CHECKING:
    import torch

Floats = NDArray[np.float32]

CHECKER_PER_LABEL = 50
"""Real texts of each label that a quality checker is trained on, where nothing else is said."""


class Fit(Protocol):
    """Trains a classifier by cross-entropy and lets it judge: how a loss gets its checkers.

    A trainer gives its own, so that the checkers of a probe are probes and those of a fine-tuned
    encoder are fine-tuned encoders.
    """

    def __call__(self, train: LabelledTexts, texts: Sequence[str]) -> Floats:
        """Return the probabilities that a classifier trained on `train` gives to `texts`.

        Args:
            train: What it is trained on.
            texts: What it judges (n).

        Returns:
            Shape (n, labels), rows summing to 1.
        """


@dataclass(frozen=True)
class ExampleWeights:
    """What is known of each training text before the first step.

    Attributes:
        weights: How much each counts (n,), at least 0 and on average about 1.
        quality: P'(y|x), the probability that the quality checker gives to the text's own label
            (n,); None of a loss that does not ask for it in every step.
    """

    weights: Floats
    quality: Floats | None = None


class Loss(ABC):
    """A loss over single texts.

    A step minimises the sum of weight * loss over the texts of a batch, divided by their number and
    not by the sum of their weights. Weights are 1 on average over the training texts, and so a
    batch gives the same gradient whole, in parts added up, or shared by several processes.

    Attributes:
        name: As `--loss` names it.
        needs_real: Whether it needs a few real texts, on which its quality checker is trained.
        keeps_labels: Whether its weights leave each label what it counts in all.
    """

    name: ClassVar[str]
    needs_real: ClassVar[bool] = False
    keeps_labels: ClassVar[bool] = False

    @property
    def settings(self) -> dict[str, str | int | float | bool]:
        """Everything of the loss that decides a result; part of a run's key."""
        return {"loss": self.name}

    def example_weights(
        self, train: LabelledTexts, fit: Fit, real: LabelledTexts | None
    ) -> ExampleWeights:
        """Weigh the training texts, before training; by default all count the same.

        Args:
            train: The training texts.
            fit: Trains a checker.
            real: The real texts for the quality checker; None where the loss needs none.

        Raises:
            UserError: The loss needs real texts and there are none.
        """
        del fit, real
        return ExampleWeights(np.ones(len(train), dtype=np.float32))

    @abstractmethod
    def per_text(
        self, logits: torch.Tensor, labels: torch.Tensor, quality: torch.Tensor | None
    ) -> torch.Tensor:
        """Return the loss of each text of a batch, before weights.

        Args:
            logits: Of the model in training (..., labels).
            labels: Class indices (...).
            quality: As in `ExampleWeights`, of the batch (...).

        Returns:
            Shape (...), as `labels`.
        """


def real_for_checker(real: LabelledTexts | None, loss: str) -> LabelledTexts:
    """Return the real texts of a quality checker.

    Raises:
        UserError: There are none, or a label has none.
    """
    if real is None or not len(real):
        raise UserError(
            f"--loss {loss}: its quality checker is trained on a few real texts, and none are at "
            "hand: give --real PATH, or use a loss that needs none (confident, label_smoothing)"
        )
    empty = [label for label, n in real.counts().items() if not n]
    if empty:
        raise UserError(
            f"--loss {loss}: the real texts for its quality checker have none of {empty[0]!r}; "
            "every label needs some"
        )
    return real
