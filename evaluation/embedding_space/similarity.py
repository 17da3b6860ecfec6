"""How close synthetic texts come to real ones: the mean of the k largest cosines.

The measure of Li et al. (EMNLP 2023, figure B.2): each real text is compared with all synthetic
texts. It grows as synthetic texts are added; compare arms at equal size only.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.embedding_space.cosine_blocks import resolve_device
from evaluation.embedding_space.neighbours import largest_cosines, unit_pair


def top_k_cosine(
    real: ArrayLike,
    synthetic: ArrayLike,
    k: int = 5,
    *,
    block: tuple[int, int] | None = None,
    device: str | None = None,
) -> NDArray[np.float64]:
    """Return for each real text the mean of its `k` largest cosines to synthetic texts.

    The cosines are float32 matrix products (off by less than 1e-6), one block at a time; the means
    are float64.

    Args:
        real: One vector a real text (n_real, d); they are normalised here.
        synthetic: One vector a synthetic text (n_synthetic, d); they are normalised here.
        k: How many of the largest cosines.
        block: Most rows and columns of cosines held at a time; the values do not depend on it
            beyond rounding.
        device: Where to multiply, as `torch` names it; None takes a GPU where there is one.

    Returns:
        Means (n_real,), from -1 to 1.

    Raises:
        ValueError: No real or synthetic text, fewer than `k` synthetic texts, `k` below 1, vectors
            of two lengths, or a vector that is not finite or is zero.
    """
    import torch

    rows, columns = unit_pair(real, synthetic)
    if not 1 <= k <= len(columns):
        raise ValueError(
            f"the {k} largest cosines to {len(columns)} synthetic texts; "
            "k must be from 1 to their number"
        )
    where = resolve_device(device)
    ours, theirs = torch.from_numpy(rows).to(where), torch.from_numpy(columns).to(where)
    largest = largest_cosines(ours, theirs, k, shape=block)
    means: NDArray[np.float64] = largest.double().clamp(-1.0, 1.0).mean(dim=1).cpu().numpy()
    return means


def mean_top5_cosine(
    real: ArrayLike,
    synthetic: ArrayLike,
    *,
    block: tuple[int, int] | None = None,
    device: str | None = None,
) -> float:
    """Return the mean over real texts of `top_k_cosine` with k = 5, from -1 to 1."""
    return float(top_k_cosine(real, synthetic, 5, block=block, device=device).mean())
