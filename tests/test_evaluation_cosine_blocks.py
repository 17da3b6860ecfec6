"""Unit vectors, and the matrix of cosines in blocks."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from evaluation.embedding_space.cosine_blocks import cosine_blocks, unit_chunks, unit_vectors

SIZES = st.integers(1, 40)


def _units(n: int, d: int = 5) -> torch.Tensor:
    return torch.from_numpy(unit_vectors(np.random.default_rng(n).standard_normal((n, d))))


def test_vectors_are_scaled_to_unit_length() -> None:
    """A vector keeps its direction and loses its length."""
    # 3-4-5 triangle: (3, 4) has length 5.
    assert unit_vectors([[3.0, 4.0], [0.0, -2.0]]).tolist() == [
        pytest.approx([0.6, 0.8]),
        [0.0, -1.0],
    ]


def test_lengths_beyond_float32_are_no_trouble() -> None:
    """The squares of a float32 vector may not fit float32; they are taken in float64."""
    # 1e30 squared is 1e60, float32 ends at 3e38; 1e-30 squared would be 0.
    vectors = np.array([[1e30, 1e30], [1e-30, 1e-30]], dtype=np.float32)
    assert unit_vectors(vectors) == pytest.approx(np.full((2, 2), 0.5**0.5))


def test_chunks_are_in_order_and_complete() -> None:
    """More rows than one chunk holds come back all, in their order."""
    # All point along the first axis with alternating sign.
    signs = np.where(np.arange(9001) % 2, -1.0, 1.0)
    chunks = list(unit_chunks(np.stack([7 * signs, 0 * signs], axis=1)))
    assert len(chunks) > 1
    assert np.concatenate(chunks)[:, 0].tolist() == signs.tolist()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([0.0, 0.0], "text 5000 is zero"),
        ([np.nan, 1.0], "text 5000 is not finite"),
        ([np.inf, 1.0], "text 5000 is not finite"),
    ],
)
def test_a_vector_without_direction_is_refused_by_its_number(
    row: list[float], message: str
) -> None:
    """Zero, NaN and infinity are refused; the message says which text."""
    vectors = np.ones((6000, 2))
    vectors[5000] = row
    with pytest.raises(ValueError, match=message):
        unit_vectors(vectors)


@pytest.mark.parametrize("shape", [(3,), (2, 2, 2), (3, 0)])
def test_what_is_no_matrix_is_refused(shape: tuple[int, ...]) -> None:
    """Embeddings have two axes and at least one dimension."""
    with pytest.raises(ValueError, match=r"expected \(texts, dimensions\)"):
        unit_vectors(np.ones(shape))


@given(n=SIZES, m=SIZES, height=SIZES, width=SIZES)
def test_blocks_cover_every_pair_once(n: int, m: int, height: int, width: int) -> None:
    """Whatever the block, each cosine is in exactly one, at its place."""
    rows, columns = _units(n), _units(m)
    seen = torch.zeros(n, m)
    for block in cosine_blocks(rows, columns, shape=(height, width)):
        seen[block.rows, block.columns] += block.cosines
    assert torch.allclose(seen, rows @ columns.T, atol=1e-6)


@given(n=SIZES, height=SIZES, width=SIZES)
def test_upper_blocks_cover_every_pair_for_half_the_work(n: int, height: int, width: int) -> None:
    """Each pair is computed in one order or the other, and few in both."""
    units = _units(n)
    seen = torch.zeros(n, n, dtype=torch.bool)
    computed = 0
    for block in cosine_blocks(units, units, shape=(height, width), upper=True):
        seen[block.rows, block.columns] = True
        computed += block.cosines.numel()
    assert (seen | seen.T).all()
    # A row block that starts at row r has n - r columns: n (n + height) / 2 in all.
    assert computed <= n * (n + height) / 2


def test_memory_is_one_block_whatever_the_number_of_vectors() -> None:
    """All blocks lie in one buffer of the size of the first."""
    units = _units(100)
    blocks = [
        (each.cosines.untyped_storage().data_ptr(), each.cosines.untyped_storage().nbytes())
        for each in cosine_blocks(units, units, shape=(16, 32))
    ]
    assert len(blocks) == 7 * 4
    # 16 x 32 cosines of 4 bytes.
    assert {nbytes for _, nbytes in blocks} == {16 * 32 * 4}
    assert len({address for address, _ in blocks}) == 1


def test_an_empty_block_is_refused() -> None:
    """A block without columns would never end."""
    with pytest.raises(ValueError, match="at least 1"):
        next(cosine_blocks(_units(3), _units(3), shape=(4, 0)))
