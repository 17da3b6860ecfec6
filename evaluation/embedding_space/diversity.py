"""How diverse a set of texts is: Remote Clique and Chamfer over their embeddings.

Both follow Cox et al., "Directed Diversity" (CHI 2021), as Li et al. (EMNLP 2023, figure 1) use
them. The distance is the cosine distance on unit vectors, 1 - cosine, from 0 to 2. A text is never
compared with itself: pairs are told apart by index, so that two equal texts are at distance 0.
Chamfer shrinks as texts are added; compare sets of equal size only.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.embedding_space.cosine_blocks import (
    cosine_blocks,
    resolve_device,
    unit_chunks,
    unit_vectors,
)

Floats = NDArray[np.floating[Any]]

# Rows of float32 read at a time: 384 KiB at 384 dimensions, which stay in the cache.
_ROWS = 256
# Squared lengths that float32 holds to full precision, with room for a sum of many squares.
_FLOAT32_SQUARES = (1e-30, 1e30)


def remote_clique(embeddings: ArrayLike) -> float:
    r"""Return the mean over texts of the mean distance to the other texts.

    In closed form, O(n d): with unit vectors $u_i$ and $s = \sum_i u_i$,

    $$1 - \frac{\lVert s \rVert^2 - \sum_i \lVert u_i \rVert^2}{n (n - 1)}$$

    since $\lVert s \rVert^2$ is the sum of the cosines of all pairs, self pairs included. The self
    pairs are taken off as they are, not as n: a vector is of unit length only up to rounding.
    Everything is float64, but that float32 embeddings are read once, as they are: some hundred
    rows are added in float32, their sums in float64 (off by less than 1e-6).

    Args:
        embeddings: One vector a text (n, d); they are normalised here.

    Raises:
        ValueError: Fewer than 2 texts, or a vector that is not finite or is zero.
    """
    n, total, self_pairs = _float32_sums(embeddings) or _float64_sums(embeddings)
    _need_two(n)
    others = (float(np.dot(total, total)) - self_pairs) / (n * (n - 1))
    return max(0.0, 1.0 - others)


def chamfer(
    embeddings: ArrayLike, *, block: tuple[int, int] | None = None, device: str | None = None
) -> float:
    """Return the mean over texts of the least distance to another text.

    The cosines are float32 matrix products (off by less than 1e-6), one block at a time; the matrix
    is its own transpose, so about half of it is computed. The mean is float64.

    Args:
        embeddings: One vector a text (n, d); they are normalised here.
        block: Most rows and columns of cosines held at a time; the value does not depend on it
            beyond rounding.
        device: Where to multiply, as `torch` names it; None takes a GPU where there is one.

    Raises:
        ValueError: Fewer than 2 texts, or a vector that is not finite or is zero.
    """
    import torch

    units = torch.from_numpy(unit_vectors(embeddings)).to(resolve_device(device))
    _need_two(len(units))
    nearest = torch.full((len(units),), -torch.inf, dtype=units.dtype, device=units.device)
    for rows, columns, cosines in cosine_blocks(units, units, shape=block, upper=True):
        cosines.diagonal(rows.start - columns.start).fill_(-torch.inf)
        for side, axis in ((rows, 1), (columns, 0)):
            torch.maximum(nearest[side], cosines.amax(axis), out=nearest[side])
    return float((1.0 - nearest.double()).clamp(min=0.0).mean())


def _float64_sums(embeddings: ArrayLike) -> tuple[int, Floats, float]:
    """Return the number of texts, the sum of their unit vectors, and that of its self pairs."""
    n, total, self_pairs = 0, np.zeros(1), 0.0
    for chunk in unit_chunks(embeddings):
        n += len(chunk)
        total = total + chunk.sum(axis=0)
        self_pairs += float(np.einsum("ij,ij->", chunk, chunk))
    return n, total, self_pairs


def _float32_sums(embeddings: ArrayLike) -> tuple[int, Floats, float] | None:
    """Return the same of a float32 matrix, or None of another and where float32 will not do."""
    matrix = np.asarray(embeddings)
    if matrix.dtype != np.float32 or matrix.ndim != 2 or not matrix.size:
        return None
    total: Floats = np.zeros(matrix.shape[1])
    squares = np.empty(len(matrix), dtype=np.float32)
    with np.errstate(all="ignore"):
        for start in range(0, len(matrix), _ROWS):
            rows = matrix[start : start + _ROWS]
            some = np.vecdot(rows, rows, out=squares[start : start + _ROWS])
            total += (1 / np.sqrt(some)) @ rows
    least, most = _FLOAT32_SQUARES
    if not (squares.min() > least and squares.max() < most):
        return None
    scale = 1 / np.sqrt(squares)
    return len(matrix), total, float((scale * scale) @ squares)


def _need_two(n: int) -> None:
    if n < 2:
        raise ValueError(f"diversity of {n} texts; it needs at least 2")
