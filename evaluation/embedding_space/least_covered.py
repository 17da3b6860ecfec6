"""The real texts that synthetic texts come least close to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evaluation.embedding_space.cosine_blocks import cosine_blocks, resolve_device
from evaluation.embedding_space.neighbours import unit_pair


@dataclass(frozen=True)
class LeastCovered:
    """A real text and the synthetic text nearest to it.

    Attributes:
        real: Index of the real text.
        synthetic: Index of the synthetic text.
        distance: Cosine distance between them, 0 to 2.
    """

    real: int
    synthetic: int
    distance: float


def least_covered(
    real: ArrayLike,
    synthetic: ArrayLike,
    n: int = 10,
    *,
    block: tuple[int, int] | None = None,
    device: str | None = None,
) -> list[LeastCovered]:
    """Return the `n` real texts whose nearest synthetic text is farthest, the farthest first.

    Every pair of texts is compared, one block of float32 products at a time (off by less than
    1e-6).

    Args:
        real: One vector a real text; they are normalised here.
        synthetic: One vector a synthetic text, of the same encoder; they are normalised here.
        n: How many; all where there are fewer.
        block: Most rows and columns of cosines held at a time.
        device: Where to multiply, as `torch` names it; None takes a GPU where there is one.

    Raises:
        ValueError: No text in one of the sets, vectors of two lengths, or a vector that is not
            finite or is zero.
    """
    import torch

    rows, columns = unit_pair(real, synthetic)
    where = resolve_device(device)
    ours, theirs = torch.from_numpy(rows).to(where), torch.from_numpy(columns).to(where)
    nearest = torch.full((len(ours),), -torch.inf, dtype=ours.dtype, device=where)
    which = torch.zeros(len(ours), dtype=torch.int64, device=where)
    for side, across, cosines in cosine_blocks(ours, theirs, shape=block):
        best = cosines.max(dim=1)
        which[side] = torch.where(
            best.values > nearest[side], best.indices + across.start, which[side]
        )
        nearest[side] = torch.maximum(nearest[side], best.values)
    distances = (1.0 - nearest.double()).clamp(min=0.0).cpu().numpy()
    synthetic_of = which.cpu().numpy()
    return [
        LeastCovered(int(i), int(synthetic_of[i]), float(distances[i]))
        for i in np.argsort(-distances, kind="stable")[: max(n, 0)]
    ]
