"""The largest cosines of each of many vectors to many others."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.embedding_space.cosine_blocks import cosine_blocks, unit_vectors

if TYPE_CHECKING:
    from torch import Tensor

# Columns whose largest is taken before the k largest groups are looked into. A default block has
# then more than 64 groups for each of 5, which is where `topk` begins to sort partially.
_GROUP = 12


def unit_pair(
    real: ArrayLike, synthetic: ArrayLike
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the unit vectors of real and of synthetic texts, (n, d) and (m, d).

    Raises:
        ValueError: No text in one of them, vectors of two lengths, or a vector that is not finite
            or is zero.
    """
    rows, columns = unit_vectors(real), unit_vectors(synthetic)
    for name, vectors in (("real", rows), ("synthetic", columns)):
        if not len(vectors):
            raise ValueError(f"no {name} text to compare with")
    if rows.shape[1] != columns.shape[1]:
        raise ValueError(
            f"real embeddings have {rows.shape[1]} dimensions, synthetic {columns.shape[1]}; "
            "embed both with the same encoder"
        )
    return rows, columns


def largest_cosines(
    rows: "Tensor",
    columns: "Tensor",
    k: int,
    *,
    shape: tuple[int, int] | None = None,
    to_others: bool = False,
) -> "Tensor":
    """Return the `k` largest cosines of each row, the largest first.

    Args:
        rows: Unit vectors (n, d), float32.
        columns: Unit vectors (m, d), float32, on the same device; at least `k`, or `k` others.
        k: How many, at least 1.
        shape: Most rows and columns of a block of cosines.
        to_others: Whether `columns` are the same texts, and a text's cosine to itself is left out.

    Returns:
        Cosines (n, k), float32.
    """
    import torch

    largest = torch.full((len(rows), k), -torch.inf, dtype=rows.dtype, device=rows.device)
    for side, across, cosines in cosine_blocks(rows, columns, shape=shape):
        if to_others:
            cosines.diagonal(side.start - across.start).fill_(-torch.inf)
        contenders = torch.cat([largest[side], *_contenders(cosines, k)], dim=1)
        largest[side] = contenders.topk(k, dim=1).values
    return largest


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
