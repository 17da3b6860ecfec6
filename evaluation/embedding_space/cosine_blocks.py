"""Cosines between many vectors, one block of the matrix at a time, so that memory stays bounded."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from torch import Tensor

# Rows normalised at a time: 768 KiB of float64 at 384 dimensions, which stay in the cache.
_CHUNK = 256
# 8 MiB of float32 a thread. Measured with one thread and with two: of the shapes that the
# last-level cache holds, so that reducing a block does not wait for memory, the one that costs
# product and top-k together least. The blocks of more than 8 threads it might not hold.
_CPU_ROWS_A_THREAD, _CPU_THREADS, _CPU_COLUMNS = 512, 8, 4096
# A GPU needs more work at a time: 512 MiB of float32.
_CUDA_SHAPE = (8192, 16384)


class Block(NamedTuple):
    """One block of the matrix of cosines.

    Attributes:
        rows: Which rows of the matrix it covers.
        columns: Which columns.
        cosines: The cosines (rows, columns), float32. A buffer that the next block overwrites.
    """

    rows: slice
    columns: slice
    cosines: "Tensor"


def unit_chunks(embeddings: ArrayLike) -> Iterator[NDArray[np.float64]]:
    """Yield the rows of `embeddings`, some hundred at a time, scaled to unit length in float64.

    Args:
        embeddings: One vector a text (n, d), of any length but zero.

    Raises:
        ValueError: Not a matrix, or a row that is not finite or is zero and so has no direction.
    """
    matrix = _matrix(embeddings)
    for start in range(0, len(matrix), _CHUNK):
        chunk = matrix[start : start + _CHUNK].astype(np.float64)
        norms = np.sqrt(np.einsum("ij,ij->i", chunk, chunk))
        for wrong, what in ((~np.isfinite(norms), "not finite"), (norms == 0, "zero")):
            if wrong.any():
                row = start + int(wrong.argmax())
                raise ValueError(f"the embedding of text {row} is {what}; it has no direction")
        chunk *= (1 / norms)[:, None]
        yield chunk


def unit_vectors(embeddings: ArrayLike) -> NDArray[np.float32]:
    """Return the rows of `embeddings` scaled to unit length (n, d), rounded to float32.

    Raises:
        ValueError: As `unit_chunks`.
    """
    matrix = _matrix(embeddings)
    units = np.empty(matrix.shape, dtype=np.float32)
    start = 0
    for chunk in unit_chunks(matrix):
        units[start : start + len(chunk)] = chunk
        start += len(chunk)
    return units


def resolve_device(device: str | None) -> str:
    """Return `device`, or for None `cuda` where there is one and else `cpu`."""
    import torch

    return device or ("cuda" if torch.cuda.is_available() else "cpu")


def cosine_blocks(
    rows: "Tensor",
    columns: "Tensor",
    *,
    shape: tuple[int, int] | None = None,
    upper: bool = False,
) -> Iterator[Block]:
    """Yield the products of unit vectors block by block, row blocks outermost.

    Memory beyond the vectors is one block of `shape`, whatever the number of vectors.

    Args:
        rows: Unit vectors (n, d), float32.
        columns: Unit vectors (m, d), float32, on the same device.
        shape: Most rows and columns of a block; None takes one that suits the device.
        upper: Whether to leave out the columns left of a row block's first row. Of a matrix with
            its own transpose (`rows` is `columns`) every pair is then in some block, most of them
            once: half the work.

    Raises:
        ValueError: A block without rows or columns.
    """
    import torch

    height, width = shape or (_CUDA_SHAPE if rows.is_cuda else _cpu_shape())
    if height < 1 or width < 1:
        raise ValueError(f"block of {height} x {width}; both must be at least 1")
    n, m = len(rows), len(columns)
    buffer = torch.empty(min(height, n) * min(width, m), dtype=rows.dtype, device=rows.device)
    for top in range(0, n, height):
        bottom = min(top + height, n)
        for left in range(top if upper else 0, m, width):
            right = min(left + width, m)
            size = (bottom - top, right - left)
            cosines = buffer[: size[0] * size[1]].view(size)
            torch.mm(rows[top:bottom], columns[left:right].T, out=cosines)
            yield Block(slice(top, bottom), slice(left, right), cosines)


def _cpu_shape() -> tuple[int, int]:
    import torch

    return _CPU_ROWS_A_THREAD * min(torch.get_num_threads(), _CPU_THREADS), _CPU_COLUMNS


def _matrix(embeddings: ArrayLike) -> NDArray[Any]:
    matrix: NDArray[Any] = np.asarray(embeddings)
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise ValueError(f"embeddings have shape {matrix.shape}; expected (texts, dimensions)")
    return matrix
