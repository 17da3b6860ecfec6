"""IMP: a text counts for what real texts say of its label, over what synthetic texts say of it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from builders.data import LabelledTexts
from builders.errors import UserError
from trainers.losses.base import ExampleWeights, Fit, Floats, real_for_checker
from trainers.losses.cross_entropy import CrossEntropy

MOST = 10.0
"""The largest ratio P'/Q; a larger one counts as this.

The expected ratio is 1 if both checkers are right, so that a text never counts for more than ten
usual ones: with batches of 32 or 64 the others still decide. Unbounded, one text that the
denominator finds unlikely would outweigh all others (P' = 0.5 over 0.001: 500 texts). Truncating
the weights of importance sampling trades that variance for a small bias (Ionides, "Truncated
Importance Sampling", Journal of Computational and Graphical Statistics 17, 2008). The authors'
code has no bound.
"""


class Importance(CrossEntropy):
    r"""IMP-Loss: $-w_i \log P(y_i|x_i; \theta)$ with $w_i = P'(y_i|x_i) / Q(y_i|x_i)$.

    Kuo et al., "Not All LLM-Generated Data Are Equal: Rethinking Data Weighting in Text
    Classification" (ICLR 2025, arXiv 2410.21526). P', the quality checker, is trained on a few real
    texts; Q, the diversity checker, on the synthetic training texts. By importance sampling the
    expected loss over synthetic texts is then that over real ones, as far as the texts themselves
    (not their labels) are distributed alike.

    Theirs: both checkers are classifiers like the one in training, trained by cross-entropy; Q
    judges the very texts it was trained on; the weights stay fixed. Ours: the bound `MOST`; and the
    weights are divided by their mean over the training texts (self-normalised importance sampling),
    which a loss in this project has to do so that it can be combined with other weights. AdamW does
    not see a common factor.
    """

    name: ClassVar[str] = "imp"
    needs_real: ClassVar[bool] = True

    @property
    def settings(self) -> dict[str, str | int | float | bool]:
        """Its name and the bound."""
        return {"loss": self.name, "most_weight": MOST}

    def example_weights(
        self, train: LabelledTexts, fit: Fit, real: LabelledTexts | None
    ) -> ExampleWeights:
        """Weigh each training text by P'/Q, bounded, 1 on average.

        Raises:
            UserError: There are no real texts of a label, or none of the training texts could be
                what its label says.
        """
        quality = of_own_label(fit(real_for_checker(real, self.name), train.texts), train)
        diversity = of_own_label(fit(train, train.texts), train)
        weights = bounded_ratio(quality, diversity)
        mean = weights.mean()
        if not mean > 0:
            raise UserError(
                f"--loss {self.name}: the quality checker gives the label of every training text "
                "the probability 0, so that none would count; check the real texts, or use another "
                "loss"
            )
        return ExampleWeights(weights / mean)


def of_own_label(probabilities: Floats, texts: LabelledTexts) -> Floats:
    """Return the probability that each text's own label has (n,).

    Args:
        probabilities: Shape (n, labels).
        texts: The texts (n).
    """
    own: Floats = probabilities[np.arange(len(texts)), np.asarray(texts.labels)]
    return own


def bounded_ratio(quality: Floats, denominator: Floats) -> Floats:
    """Return quality / denominator, `MOST` at most; 0 where the quality is 0 (n,)."""
    tiny = np.finfo(np.float32).tiny
    return np.asarray(quality / np.maximum(denominator, np.maximum(quality / MOST, tiny)))
