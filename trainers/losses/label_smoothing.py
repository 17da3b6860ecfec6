"""Label smoothing: no text is believed wholly, which bears the wrong labels of a corpus better."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from builders.errors import UserError
from trainers.losses.base import Loss

if TYPE_CHECKING:
    import torch


class LabelSmoothing(Loss):
    r"""$-\sum_k q_k \log P(k \mid x; \theta)$, $q_k = (1 - \epsilon) [k = y] + \epsilon / K$.

    Szegedy et al., "Rethinking the Inception Architecture for Computer Vision" (CVPR 2016),
    section 7; used on generated text by Meng et al., SuperGen (NeurIPS 2022).

    Args:
        epsilon: Share of the target that is spread over all K labels, 0 to below 1.

    Raises:
        UserError: epsilon lies outside.
    """

    name: ClassVar[str] = "label_smoothing"

    def __init__(self, epsilon: float = 0.1) -> None:
        if not 0 <= epsilon < 1:
            raise UserError(f"label smoothing {epsilon}: give a share from 0 to below 1")
        self.epsilon = epsilon

    @property
    def settings(self) -> dict[str, str | int | float | bool]:
        """Its name and epsilon."""
        return {"loss": self.name, "label_smoothing": self.epsilon}

    def per_text(
        self, logits: torch.Tensor, labels: torch.Tensor, quality: torch.Tensor | None
    ) -> torch.Tensor:
        """Return the smoothed cross-entropy of each text, shape as `labels`."""
        import torch

        del quality
        flat = logits.reshape(-1, logits.shape[-1])
        losses = torch.nn.functional.cross_entropy(
            flat, labels.reshape(-1), reduction="none", label_smoothing=self.epsilon
        )
        return losses.view(labels.shape)
