"""Remote Clique and Chamfer."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from evaluation.embedding_space.diversity import chamfer, remote_clique

MEASURES = [remote_clique, chamfer]
SEEDS = st.integers(0, 2**32 - 1)


def _vectors(seed: int, n: int, d: int = 6) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal((n, d))


def _distances(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cosine distances between different texts (n, n - 1), pair by pair."""
    return np.array(
        [
            [
                1 - float(a @ b) / float(np.linalg.norm(a) * np.linalg.norm(b))
                for j, b in enumerate(vectors)
                if j != i
            ]
            for i, a in enumerate(vectors)
        ]
    )


def test_remote_clique_of_three_texts() -> None:
    """Remote Clique is the mean distance over pairs."""
    # East, north, west: 1 - cos is 1 (90 degrees), 1 (90) and 2 (180); mean 4 / 3.
    assert remote_clique([[3.0, 0.0], [0.0, 0.5], [-1.0, 0.0]]) == pytest.approx(4 / 3)


def test_chamfer_of_three_texts() -> None:
    """Chamfer is the mean distance to the nearest other text."""
    # East, north-east, north: each has a neighbour at 45 degrees, at 1 - sqrt(1/2).
    assert chamfer([[2.0, 0.0], [1.0, 1.0], [0.0, 9.0]]) == pytest.approx(1 - 0.5**0.5)


def test_chamfer_averages_unequal_nearest_distances() -> None:
    """Each text counts its own nearest neighbour, which need not be mutual."""
    # East, (4, 3) / 5, west. East and the second: 1 - 0.8 = 0.2, nearest for both. West's nearest
    # is the second: 1 + 0.8 = 1.8. Mean (0.2 + 0.2 + 1.8) / 3.
    assert chamfer([[1.0, 0.0], [4.0, 3.0], [-1.0, 0.0]]) == pytest.approx(2.2 / 3)


def test_equal_texts_are_pairs_at_distance_zero() -> None:
    """A text is left out by its index, so its duplicate still counts."""
    vectors = [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    assert chamfer(vectors) == pytest.approx(0.0, abs=1e-6)
    # 6 pairs: 2 at distance 0, 4 at distance 1.
    assert remote_clique(vectors) == pytest.approx(4 / 6)


def test_remote_clique_keeps_tiny_distances() -> None:
    """Float64 throughout: texts closer than float32 can tell are still apart."""
    # 1 - cos(1e-4) = 5e-9; one step of float32 below 1 is 6e-8.
    assert remote_clique([[1.0, 0.0], [np.cos(1e-4), np.sin(1e-4)]]) == pytest.approx(
        5e-9, rel=1e-3
    )


@given(seed=SEEDS, n=st.integers(2, 30))
def test_remote_clique_equals_the_mean_over_pairs(seed: int, n: int) -> None:
    """The closed form is the definition."""
    vectors = _vectors(seed, n)
    assert remote_clique(vectors) == pytest.approx(_distances(vectors).mean(), abs=1e-12)


@given(seed=SEEDS, n=st.integers(2, 700))
def test_remote_clique_of_float32_is_that_of_float64(seed: int, n: int) -> None:
    """Read as they are, block by block, float32 embeddings give the same within rounding."""
    vectors = _vectors(seed, n).astype(np.float32)
    assert remote_clique(vectors) == pytest.approx(remote_clique(vectors.astype(float)), abs=1e-6)


@pytest.mark.parametrize("length", [1e-30, 1e30])
def test_remote_clique_of_lengths_beyond_float32(length: float) -> None:
    """Squares that float32 cannot hold are taken in float64."""
    # The third is at 90 degrees to the other two, and these are alike: (0 + 1 + 1) / 3.
    vectors = np.array([[1, 1], [length, length], [1, -1]], dtype=np.float32)
    assert remote_clique(vectors) == pytest.approx(2 / 3)


@pytest.mark.parametrize(("value", "what"), [(np.nan, "not finite"), (0.0, "zero")])
def test_a_float32_text_without_direction_is_refused_by_its_number(value: float, what: str) -> None:
    """Beyond the first block too."""
    vectors = np.ones((600, 2), dtype=np.float32)
    vectors[500] = value
    with pytest.raises(ValueError, match=f"text 500 is {what}"):
        remote_clique(vectors)


@given(seed=SEEDS, n=st.integers(2, 30), height=st.integers(1, 40), width=st.integers(1, 40))
def test_chamfer_equals_the_least_over_pairs(seed: int, n: int, height: int, width: int) -> None:
    """Blocks of any shape give the definition."""
    vectors = _vectors(seed, n)
    expected = _distances(vectors).min(axis=1).mean()
    assert chamfer(vectors, block=(height, width)) == pytest.approx(expected, abs=1e-6)


def test_chamfer_with_the_default_block_over_several_blocks() -> None:
    """More texts than one default block holds."""
    # Around a circle at equal angles the nearest of n texts is 2 pi / n away.
    n = 5000
    angles = 2 * np.pi * np.random.default_rng(0).permutation(n) / n
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    # Far enough above the rounding of float32 (6e-8): 1 - cos(2 pi / 5000) = 7.9e-7.
    assert chamfer(circle) == pytest.approx(1 - np.cos(2 * np.pi / n), abs=1e-7)


@pytest.mark.parametrize("measure", MEASURES)
@given(seed=SEEDS)
def test_length_and_order_do_not_matter(
    measure: Callable[[NDArray[np.float64]], float], seed: int
) -> None:
    """Only directions count, in any order."""
    rng = np.random.default_rng(seed)
    vectors = _vectors(seed, 12)
    other = rng.permutation(vectors * rng.uniform(0.01, 100, size=(12, 1)))
    assert measure(other) == pytest.approx(measure(vectors), abs=1e-6)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_texts_are_refused(
    measure: Callable[[NDArray[np.float64]], float], n: int
) -> None:
    """One text has no other text to be far from."""
    with pytest.raises(ValueError, match=f"diversity of {n} texts; it needs at least 2"):
        measure(np.ones((n, 3)))


@pytest.mark.parametrize("measure", MEASURES)
def test_a_text_without_direction_is_refused(
    measure: Callable[[NDArray[np.float64]], float],
) -> None:
    """NaN does not become a score."""
    with pytest.raises(ValueError, match="text 1 is not finite"):
        measure(np.array([[1.0, 0.0], [np.nan, 0.0]]))
