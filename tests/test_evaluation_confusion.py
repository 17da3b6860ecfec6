"""Differences of confusion matrices."""

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.mistakes.confusion import confusion_difference
from evaluation.uncertainty.scores import gap_interval

Y_TRUE = np.repeat([0, 1], [4, 2])
REFERENCE = np.array([[0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 0]])
OTHER = np.array([[0, 0, 1, 1, 1, 1]])


def _arm(
    y_true: NDArray[np.int64], right: float, seeds: int, n_labels: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return predictions of which a share is right, seed by seed."""
    wrong = (y_true + rng.integers(1, n_labels, size=(seeds, len(y_true)))) % n_labels
    return np.where(rng.random((seeds, len(y_true))) < right, y_true, wrong)


def test_shares_are_means_over_seeds_and_differences_the_reference_less_the_other() -> None:
    """Rows are true labels, and each sums to 1."""
    result = confusion_difference(Y_TRUE, REFERENCE, OTHER, 2)
    # Label 0: (3/4 + 4/4) / 2 right; label 1: (2/2 + 1/2) / 2. The other arm: 2/4 and 2/2.
    assert result.reference.ravel() == pytest.approx([7 / 8, 1 / 8, 1 / 4, 3 / 4])
    assert result.other.ravel() == pytest.approx([1 / 2, 1 / 2, 0, 1])
    assert result.cells.value.ravel() == pytest.approx([3 / 8, -3 / 8, 1 / 4, -1 / 4])
    assert result.n_texts.tolist() == [4, 2]


def test_f1_differences_are_means_over_seeds_too() -> None:
    """F1 of each seed, not of the mean matrix."""
    # Label 0: seed 1: 2 * 3 / (4 + 3), seed 2: 2 * 4 / (4 + 5); the other arm: 2 * 2 / (4 + 2).
    # Label 1: 2 * 2 / (2 + 3), 2 * 1 / (2 + 1); 2 * 2 / (2 + 4).
    expected = [(6 / 7 + 8 / 9) / 2 - 2 / 3, (4 / 5 + 2 / 3) / 2 - 2 / 3]
    result = confusion_difference(Y_TRUE, REFERENCE, OTHER, 2)
    assert result.f1.value == pytest.approx(expected)
    assert result.f1.value.mean() == pytest.approx(gap_interval(Y_TRUE, REFERENCE, OTHER, 2).value)


def test_intervals_hold_the_differences_and_their_mean() -> None:
    """The gap of macro-F1 is the mean of the labels' and lies between their ends."""
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 2, size=300)
    first, second = (_arm(y_true, right, 3, 2, rng) for right in (0.9, 0.8))
    result = confusion_difference(y_true, first, second, 2, seed=5)
    gap = gap_interval(y_true, first, second, 2, seed=5)
    # Both are of the same draws.
    assert result.f1.low.min() < gap.low < gap.value < gap.high < result.f1.high.max()
    assert (result.f1.low < result.f1.value).all()
    assert (result.f1.value < result.f1.high).all()


def test_a_real_difference_is_found_and_chance_is_not() -> None:
    """Of three labels only the one that the other arm confuses differs, after correction."""
    rng = np.random.default_rng(0)
    y_true = np.repeat([0, 1, 2], 150)
    first, second = (_arm(y_true, 0.9, 3, 3, rng) for _ in range(2))
    taken = (y_true == 2) & (rng.random(450) < 0.3)
    second[:, taken] = 1
    result = confusion_difference(y_true, first, second, 3)
    assert result.cells.adjusted_p[2, 1] < 0.001
    assert result.cells.value[2, 1] < 0 < result.cells.value[2, 2]
    assert (result.cells.adjusted_p[:2] > 0.05).all()
    assert (result.cells.adjusted_p >= result.cells.p_value).all()


def test_a_total_difference_counts_by_its_number_of_texts() -> None:
    """Where every replicate is alike the spread is 0; few texts are still no evidence."""
    # The statistic is the root of the number of texts: 1 text, p = 0.32; 50 texts, p = 1.5e-12.
    y_true = np.repeat([0, 1], [1, 50])
    result = confusion_difference(y_true, [y_true], [1 - y_true], 2)
    recalls = np.diagonal(result.cells.p_value)
    assert recalls == pytest.approx([0.317, 1.5e-12], rel=0.03)


@pytest.mark.parametrize("times", [1, 3])
def test_equal_arms_differ_nowhere(times: int) -> None:
    """No difference has no width and no evidence, however its parts are added up."""
    again = np.repeat(REFERENCE, times, axis=0)
    result = confusion_difference(Y_TRUE, REFERENCE, again, 2)
    assert (result.cells.value == 0).all()
    assert (result.f1.value == 0).all()
    assert (result.cells.adjusted_p == 1).all()


def test_a_label_without_test_texts_is_undefined() -> None:
    """It has no shares, no F1 and no intervals; the other labels keep theirs."""
    result = confusion_difference(Y_TRUE, REFERENCE, OTHER + (OTHER == 1), 3)
    assert np.isnan(result.cells.value[1:2]).sum() == 0
    assert np.isnan(result.cells.value[2]).all()
    assert np.isnan([result.f1.value[2], result.f1.low[2], result.f1.adjusted_p[2]]).all()
    assert not np.isnan(result.f1.adjusted_p[:2]).any()


def test_one_label_alone() -> None:
    """A task of which one label is tested has that label's row."""
    result = confusion_difference([0, 0, 0], [[0, 0, 1]], [[0, 1, 1]], 2)
    assert result.cells.value[0] == pytest.approx([1 / 3, -1 / 3])


@pytest.mark.parametrize(("replicates", "level"), [(99, 0.95), (1000, 1.0), (1000, 0.0)])
def test_draws_that_cannot_be_are_refused(replicates: int, level: float) -> None:
    """Too few replicates may lack a rare label altogether."""
    with pytest.raises(ValueError, match=f"{replicates} replicates and level {level}"):
        confusion_difference(Y_TRUE, REFERENCE, OTHER, 2, replicates=replicates, level=level)


def test_what_are_no_label_indices_are_refused() -> None:
    """Three labels of two, and texts without predictions."""
    with pytest.raises(ValueError, match="the task's label indices are 0 to 1"):
        confusion_difference(Y_TRUE, REFERENCE + 1, OTHER, 2)
    with pytest.raises(ValueError, match="for 6 texts"):
        confusion_difference(Y_TRUE, REFERENCE[:, :5], OTHER, 2)
