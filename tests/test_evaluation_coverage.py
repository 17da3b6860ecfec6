"""Precision, recall, density and coverage; the least covered texts; the divergence frontier."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from evaluation.embedding_space.coverage import (
    Coverage,
    coverage,
    same_source_coverage,
    sampled_coverage,
)
from evaluation.embedding_space.least_covered import least_covered


def _circle(*degrees: float) -> NDArray[np.float64]:
    """Return vectors at these angles; the nearer the angles, the nearer the texts."""
    angles = np.deg2rad(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _values(of: Coverage) -> list[float]:
    return [of.precision, of.recall, of.density, of.coverage]


def test_coverage_of_texts_on_a_circle() -> None:
    """Which text lies in whose ball, with one neighbour to a ball."""
    # Real at 0, 10, 30: balls of 10, 10, 20 degrees. Synthetic at 5, 25, 100: 20, 20, 75.
    # 5 is in the balls of 0 and 10, and 25 off 30; 25 in that of 30; 100 in none:
    # precision 2/3, density 3 / (1 * 3), coverage 3/3.
    # In synthetic balls: 0 (5 off 5), 10 (5), 30 (5 off 25): recall 3/3.
    result = coverage(_circle(0, 10, 30), _circle(5, 25, 100), k=1)
    assert _values(result) == pytest.approx([2 / 3, 1.0, 1.0, 1.0])


def test_a_part_of_the_real_texts_that_is_missed() -> None:
    """Synthetic texts on one spot are precise, dense and cover half."""
    # Real at 0, 4, 90, 94, balls of 4 degrees. Synthetic all within 0 to 4: each is in two balls.
    # Synthetic balls reach 1 or 2 degrees: 0 is 1 off 1, 4 is 1 off 3.
    result = coverage(_circle(0, 4, 90, 94), _circle(1, 2, 3), k=1)
    assert _values(result) == [1.0, 0.5, 2.0, 0.5]


def _by_definition(real: Any, synthetic: Any, k: int) -> list[float]:
    """Every distance, and every ball, as the papers have them."""

    def distances(a: Any, b: Any) -> Any:
        return np.array([[np.linalg.norm(x - y) for y in b] for x in a])

    def radii(a: Any) -> Any:
        return np.sort(distances(a, a), axis=1)[:, k]

    across = distances(real, synthetic)
    in_real, in_synthetic = across <= radii(real)[:, None], across <= radii(synthetic)
    return [
        in_real.any(axis=0).mean(),
        in_synthetic.any(axis=1).mean(),
        in_real.sum() / (k * len(synthetic)),
        in_real.any(axis=1).mean(),
    ]


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(5, 30),
    m=st.integers(5, 30),
    k=st.integers(1, 4),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
)
def test_any_block_gives_the_definition(
    seed: int, n: int, m: int, k: int, height: int, width: int
) -> None:
    """Cosines in blocks give what distances pair by pair give."""
    rng = np.random.default_rng(seed)
    real, synthetic = (rng.standard_normal((size, 4)) for size in (n, m))
    ours, theirs = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (real, synthetic))
    result = coverage(real, synthetic, k, block=(height, width))
    assert _values(result) == pytest.approx(_by_definition(ours, theirs, k))


def test_equal_texts_lie_in_each_others_balls() -> None:
    """Balls of no width hold the copies of their text, whatever rounding does to the cosine."""
    text = np.random.default_rng(0).standard_normal((1, 384))
    copies = np.repeat(text, 30, axis=0)
    # Each of 30 synthetic texts lies in all 30 balls: 30 * 30 / (5 * 30).
    result = coverage(copies, copies[:20], block=(7, 9))
    assert _values(result) == pytest.approx([1.0, 1.0, 6.0, 1.0])


def test_expected_coverage_of_one_source() -> None:
    """The chance that the nearest text of either set is synthetic, worked out and drawn."""
    # k = 1: of the 2 other real and 3 synthetic texts the nearest is real with 2/5.
    assert same_source_coverage(3, 3, k=1) == pytest.approx(3 / 5)
    rng = np.random.default_rng(0)
    pairs = rng.standard_normal((200, 2, 40, 3))
    drawn = [coverage(real, synthetic, 3).coverage for real, synthetic in pairs]
    # The spread of one draw is about 0.05, of the mean of 200 below 0.005.
    assert np.mean(drawn) == pytest.approx(same_source_coverage(40, 40, k=3), abs=0.015)


def test_sampled_coverage_says_its_error() -> None:
    """Means of ten draws spread around their own mean as far as their standard error says."""
    rng = np.random.default_rng(0)
    real, synthetic = rng.standard_normal((100, 3)), rng.standard_normal((100, 3)) + 0.5
    results = [sampled_coverage(real, synthetic, 30, 2, seed=seed) for seed in range(80)]
    for name in ("precision", "recall", "density", "coverage"):
        estimates = [getattr(result, name) for result in results]
        spread = np.std([each.value for each in estimates])
        error = np.mean([each.standard_error for each in estimates])
        assert spread == pytest.approx(error, rel=0.25)
    assert results[0] == sampled_coverage(real, synthetic, 30, 2, seed=0)
    assert (results[0].size, results[0].draws) == (30, 10)


def test_least_covered_texts_come_first() -> None:
    """Real texts by the distance to their nearest synthetic text, which is named."""
    # From 0 to 20 degrees, from 50 to 40, from 90 to 90.
    found = least_covered(_circle(0, 50, 90), _circle(90, 40, 20), n=2, block=(2, 2))
    assert [(each.real, each.synthetic) for each in found] == [(0, 2), (1, 1)]
    distances = 1 - np.cos(np.deg2rad([20, 10]))
    assert [each.distance for each in found] == pytest.approx(distances, abs=1e-6)


def test_all_least_covered_texts_where_fewer_are_there() -> None:
    """Texts as far as each other stand in their order; no distance is below 0."""
    found = least_covered(_circle(0, 0, 0), _circle(0), n=10)
    assert [each.real for each in found] == [0, 1, 2]
    assert all(each.distance >= 0 for each in found)


@pytest.mark.parametrize(
    ("real", "synthetic", "message"),
    [
        (np.ones((0, 2)), np.ones((6, 2)), "no real text"),
        (np.ones((6, 2)), np.ones((0, 2)), "no synthetic text"),
        (np.ones((6, 3)), np.ones((6, 2)), "3 dimensions, synthetic 2"),
        (np.ones((6, 2)), np.full((6, 2), np.nan), "text 0 is not finite"),
    ],
)
def test_sets_that_cannot_be_compared_are_refused(real: Any, synthetic: Any, message: str) -> None:
    """Nothing, vectors of two encoders and NaN have no distances."""
    for measure in (coverage, least_covered):
        with pytest.raises(ValueError, match=message):
            measure(real, synthetic)


@pytest.mark.parametrize(("n", "m", "what"), [(5, 6, "5 real"), (6, 5, "5 synthetic")])
def test_too_few_texts_for_the_neighbours_are_refused(n: int, m: int, what: str) -> None:
    """Five texts have no five others."""
    with pytest.raises(ValueError, match=f"the 5 nearest others of {what} texts"):
        coverage(np.ones((n, 2)), np.ones((m, 2)))
    with pytest.raises(ValueError, match="the 0 nearest"):
        coverage(np.ones((6, 2)), np.ones((6, 2)), k=0)
    with pytest.raises(ValueError, match="with 5 neighbours"):
        same_source_coverage(5, 5)


@pytest.mark.parametrize(("size", "draws"), [(11, 10), (0, 10), (8, 1)])
def test_draws_that_cannot_be_made_are_refused(size: int, draws: int) -> None:
    """No more texts than there are, and never a single draw."""
    with pytest.raises(ValueError, match=f"{draws} draws of {size} of 10 real and of 12"):
        sampled_coverage(np.ones((10, 2)), np.ones((12, 2)), size, draws=draws)
