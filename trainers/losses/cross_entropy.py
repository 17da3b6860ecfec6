"""Cross-entropy: every text counts for what its label says."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainers.losses.base import Loss

if TYPE_CHECKING:
    import torch


class CrossEntropy(Loss):
    r"""$-\log P(y \mid x; \theta)$, the negative log-likelihood of the text's own label."""

    name: ClassVar[str] = "cross_entropy"

    def per_text(
        self, logits: torch.Tensor, labels: torch.Tensor, quality: torch.Tensor | None
    ) -> torch.Tensor:
        """Return the cross-entropy of each text, shape as `labels`."""
        import torch

        del quality
        flat = logits.reshape(-1, logits.shape[-1])
        losses = torch.nn.functional.cross_entropy(flat, labels.reshape(-1), reduction="none")
        return losses.view(labels.shape)
