"""The divergence frontier."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.embedding_space.frontier import divergence_frontier, sampled_frontier_area

DIRECTIONS = np.eye(3)


def _texts(*numbers: int) -> NDArray[np.float64]:
    """Return so many texts in each of three directions, close to it but not equal."""
    rng = np.random.default_rng(sum(numbers))
    exact = np.repeat(DIRECTIONS, numbers, axis=0)
    return exact + 0.01 * rng.standard_normal(exact.shape)


def test_area_of_two_known_distributions() -> None:
    """Sets with three far groups and three buckets: the shares are those of the groups."""
    # P = (1/2, 1/2, 0), Q = (1/2, 0, 1/2). With R = w P + (1 - w) Q:
    # KL(Q | R) = 1/2 log(1) + 1/2 log(1 / (1 - w)) and KL(P | R) = 1/2 log(1 / w), so with c = 5
    # the points are ((1 - w)^2.5, w^2.5).
    result = divergence_frontier(_texts(15, 15, 0), _texts(15, 0, 15))
    w = np.linspace(1e-6, 1 - 1e-6, 25)
    points = np.stack([(1 - w) ** 2.5, w**2.5], axis=1)
    assert result.buckets == 3
    assert result.points[1:-1] == pytest.approx(points)
    # Below that curve: integral of y dx = 2.5 B(3.5, 2.5) = 0.092; by 25 trapezoids a bit more.
    assert result.area == pytest.approx(0.092, abs=0.002)


def test_the_same_texts_have_no_divergence() -> None:
    """Two equal sets have the whole area."""
    texts = np.random.default_rng(0).standard_normal((60, 4))
    assert divergence_frontier(texts, texts).area == pytest.approx(1.0)


def test_texts_with_nothing_in_common_have_no_area() -> None:
    """Each bucket holds texts of one set only."""
    # Points ((1 - w)^5, w^5): 5 B(6, 5) = 0.004; by trapezoids 0.006.
    result = divergence_frontier(_texts(30, 0, 0), _texts(0, 0, 30))
    assert result.area == pytest.approx(0.004, abs=0.003)


def test_equal_texts_are_one_bucket() -> None:
    """Where no text differs from another the sets are the same, without a warning."""
    result = divergence_frontier(np.ones((30, 3)), 2 * np.ones((40, 3)))
    assert (result.area, result.buckets) == (1.0, 1)


def test_the_same_in_every_run() -> None:
    """One seed gives one area to the last bit, another seed another start."""
    real, synthetic = np.random.default_rng(0).standard_normal((2, 300, 8))
    first = divergence_frontier(real, synthetic)
    assert divergence_frontier(real, synthetic).area == first.area
    assert first.buckets == 30
    assert divergence_frontier(real, synthetic, seed=1).area != first.area


def test_sampled_area_says_its_error() -> None:
    """Means of draws spread around their own mean as far as their standard error says."""
    rng = np.random.default_rng(0)
    real, synthetic = rng.standard_normal((200, 4)), rng.standard_normal((200, 4)) + 0.4
    estimates = [
        sampled_frontier_area(real, synthetic, 40, draws=5, seed=100 * i) for i in range(40)
    ]
    spread = np.std([each.value for each in estimates])
    error = np.mean([each.standard_error for each in estimates])
    assert spread == pytest.approx(error, rel=0.3)


@pytest.mark.parametrize(
    ("real", "synthetic", "message"),
    [
        (np.ones((19, 2)), np.ones((30, 2)), "of 19 real and 30 synthetic texts"),
        (np.ones((30, 2)), np.ones((0, 2)), "no synthetic text"),
        (np.ones((30, 3)), np.ones((30, 2)), "3 dimensions, synthetic 2"),
        (np.ones((30, 2)), np.full((30, 2), np.nan), "text 0 is not finite"),
    ],
)
def test_sets_that_cannot_be_compared_are_refused(real: Any, synthetic: Any, message: str) -> None:
    """Too few texts for two buckets, vectors of two encoders and NaN."""
    with pytest.raises(ValueError, match=message):
        divergence_frontier(real, synthetic)


def test_a_single_draw_is_refused() -> None:
    """One draw tells nothing of its error."""
    with pytest.raises(ValueError, match="1 draws of 20"):
        sampled_frontier_area(np.ones((30, 2)), np.ones((30, 2)), 20, draws=1)
