"""How close synthetic texts come to real ones: the mean of the k largest cosines.

The measure of Li et al. (EMNLP 2023, figure B.2): each real text is compared with all synthetic
texts. It grows as synthetic texts are added; compare arms at equal size only.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.cosine_blocks import cosine_blocks, resolve_device, unit_vectors

if TYPE_CHECKING:
    from torch import Tensor

# Columns whose largest is taken before the k largest groups are looked into.
_GROUP = 16


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
        ValueError: No real text, fewer than `k` synthetic texts, `k` below 1, vectors of two
            lengths, or a vector that is not finite or is zero.
    """
    import torch

    rows, columns = unit_vectors(real), unit_vectors(synthetic)
    if not len(rows):
        raise ValueError("no real text to compare with")
    if not 1 <= k <= len(columns):
        raise ValueError(
            f"the {k} largest cosines to {len(columns)} synthetic texts; "
            "k must be from 1 to their number"
        )
    if rows.shape[1] != columns.shape[1]:
        raise ValueError(
            f"real embeddings have {rows.shape[1]} dimensions, synthetic {columns.shape[1]}; "
            "embed both with the same encoder"
        )
    where = resolve_device(device)
    ours, theirs = torch.from_numpy(rows).to(where), torch.from_numpy(columns).to(where)
    largest = torch.full((len(ours), k), -torch.inf, dtype=ours.dtype, device=where)
    for side, _, cosines in cosine_blocks(ours, theirs, shape=block):
        contenders = torch.cat([largest[side], *_contenders(cosines, k)], dim=1)
        largest[side] = contenders.topk(k, dim=1).values
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


def _contenders(cosines: "Tensor", k: int) -> list["Tensor"]:
    """Return some columns of each row, among them surely its `k` largest.

    `torch.topk` over every column costs half as much as the matrix product. The k largest values
    lie in the k groups with the largest maxima, for if a value's group is not among them, each of
    those k groups holds one at least as large. Maxima of groups are a cheap pass over the block;
    groups are strided, column j with j + q, j + 2q, ..., which keeps that pass vectorised.
    """
    n, m = cosines.shape
    q = m // _GROUP
    if q <= k:
        return [cosines]
    grouped = cosines[:, : q * _GROUP].view(n, _GROUP, q)
    groups = grouped.amax(dim=1).topk(k, dim=1, sorted=False).indices
    members = grouped.gather(2, groups.unsqueeze(1).expand(n, _GROUP, k))
    return [members.reshape(n, _GROUP * k), cosines[:, q * _GROUP :]]
