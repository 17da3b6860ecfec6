"""Top-k cosine of synthetic to real texts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from evaluation.embedding_space.similarity import mean_top5_cosine, top_k_cosine

# Cosines to east: 1, 0.8, 0.6, 0, 0, -1.
SIX = [[1.0, 0.0], [8.0, 6.0], [0.6, 0.8], [0.0, 2.0], [0.0, -1.0], [-3.0, 0.0]]


def _vectors(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    # Small whole numbers: many equal cosines.
    return rng.integers(1, 4, size=(n, 4)).astype(np.float64)


def test_mean_of_the_five_largest_cosines() -> None:
    """Each real text is compared with the five synthetic texts nearest to it."""
    # East: (1 + 0.8 + 0.6 + 0 + 0) / 5 = 0.48.
    # West: (1 + 0 + 0 - 0.6 - 0.8) / 5 = -0.08.
    assert top_k_cosine([[2.0, 0.0], [-0.1, 0.0]], SIX) == pytest.approx([0.48, -0.08])


def test_k_chooses_how_many() -> None:
    """With k = 1 only the nearest counts, with k = 2 the two nearest."""
    east = [[1.0, 0.0]]
    assert top_k_cosine(east, SIX, 1) == pytest.approx([1.0])
    assert top_k_cosine(east, SIX, 2) == pytest.approx([0.9])


def test_mean_over_real_texts() -> None:
    """The measure of two sets is the mean over the real texts."""
    # (0.48 - 0.08) / 2, as above.
    assert mean_top5_cosine([[2.0, 0.0], [-0.1, 0.0]], SIX) == pytest.approx(0.2)


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 20),
    m=st.integers(6, 1000),
    k=st.integers(1, 6),
    height=st.integers(1, 30),
    width=st.integers(1, 1200),
)
def test_any_block_gives_the_definition(
    seed: int, n: int, m: int, k: int, height: int, width: int
) -> None:
    """Groups, blocks and ties do not change which cosines are the k largest."""
    rng = np.random.default_rng(seed)
    real, synthetic = _vectors(rng, n), _vectors(rng, m)
    lengths = np.linalg.norm(real, axis=1)[:, None] * np.linalg.norm(synthetic, axis=1)
    expected = np.sort(real @ synthetic.T / lengths, axis=1)[:, -k:].mean(axis=1)
    assert top_k_cosine(real, synthetic, k, block=(height, width)) == pytest.approx(
        expected, abs=1e-6
    )


def test_the_largest_may_share_one_group() -> None:
    """The five largest are found where they all fall into one strided group, or into five."""
    # 480 columns make 12 rows of 40 groups: columns 3, 43, 83, ... are one group.
    for places in (range(3, 203, 40), range(5), range(475, 480), (0, 39, 40, 320, 479)):
        synthetic = np.tile([0.0, 1.0], (480, 1))
        synthetic[list(places)] = [1.0, 0.0]
        assert top_k_cosine([[1.0, 0.0]], synthetic) == pytest.approx([1.0])


def test_columns_left_over_by_the_groups_count() -> None:
    """The number of synthetic texts need not be a multiple of the group."""
    # 491 columns make 12 rows of 40 groups, 11 columns are left: 480 to 490.
    synthetic = np.tile([0.0, 1.0], (491, 1))
    synthetic[[480, 481, 485, 489, 490]] = [1.0, 0.0]
    assert top_k_cosine([[1.0, 0.0]], synthetic) == pytest.approx([1.0])


def test_a_cosine_never_exceeds_one() -> None:
    """Rounding of a text against its copies does not take the mean past 1."""
    rng = np.random.default_rng(0)
    texts = rng.standard_normal((50, 384))
    assert top_k_cosine(texts, np.repeat(texts, 5, axis=0)).max() <= 1.0


def test_fewer_than_k_synthetic_texts_are_refused() -> None:
    """Four texts have no five largest."""
    with pytest.raises(ValueError, match="the 5 largest cosines to 4 synthetic texts"):
        top_k_cosine([[1.0, 0.0]], np.ones((4, 2)))


def test_k_of_zero_is_refused() -> None:
    """The mean of no cosine is no number."""
    with pytest.raises(ValueError, match="the 0 largest"):
        top_k_cosine([[1.0, 0.0]], np.ones((4, 2)), 0)


def test_no_real_text_is_refused() -> None:
    """The mean over no real text is no number."""
    with pytest.raises(ValueError, match="no real text"):
        mean_top5_cosine(np.ones((0, 2)), np.ones((5, 2)))


def test_embeddings_of_two_encoders_are_refused() -> None:
    """Vectors of different lengths have no cosine."""
    with pytest.raises(ValueError, match="real embeddings have 3 dimensions, synthetic 2"):
        top_k_cosine(np.ones((1, 3)), np.ones((5, 2)))
