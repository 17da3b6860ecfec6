"""DIMP: as IMP, but a text counts less as the model in training gets to know it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from builders.data import LabelledTexts
from trainers.losses.base import ExampleWeights, Fit, real_for_checker
from trainers.losses.importance import MOST, Importance, of_own_label

if TYPE_CHECKING:
    import torch


class DynamicImportance(Importance):
    r"""DIMP-Loss: $-w_i \log P(y_i|x_i; \theta)$ with $w_i = P'(y_i|x_i) / P(y_i|x_i; \theta)$.

    Kuo et al. (ICLR 2025, arXiv 2410.21526). P', the quality checker, is trained on a few real
    texts. The denominator is the model in training, anew in each step, and no gradient goes through
    the weight.

    Theirs: all of that, and that the model's probabilities are those of the step itself, dropout
    included. Ours: the bound `MOST`. The weights are not divided by their mean, nor in the authors'
    code: they change with every step, from about K P' for K labels down to P' as the model learns.
    """

    name: ClassVar[str] = "dimp"

    def example_weights(
        self, train: LabelledTexts, fit: Fit, real: LabelledTexts | None
    ) -> ExampleWeights:
        """Have the quality checker judge the training texts; all weigh 1 before the first step.

        Raises:
            UserError: There are no real texts of a label.
        """
        quality = of_own_label(fit(real_for_checker(real, self.name), train.texts), train)
        return ExampleWeights(np.ones(len(train), dtype=np.float32), quality)

    def per_text(
        self, logits: torch.Tensor, labels: torch.Tensor, quality: torch.Tensor | None
    ) -> torch.Tensor:
        """Return the weighted cross-entropy of each text, shape as `labels`."""
        import torch

        assert quality is not None
        losses = super().per_text(logits, labels, None)
        own = losses.detach().neg().exp()
        # Never 0, not even where both probabilities are too small for their type.
        floor = (quality / MOST).clamp(min=torch.finfo(quality.dtype).tiny)
        return quality / torch.maximum(own, floor) * losses
