"""Macro-F1 and bootstrap confidence intervals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from evaluation.uncertainty.scores import (
    Interval,
    accuracy_interval,
    gap_interval,
    macro_f1_from_confusion,
    macro_f1_interval,
)

Labels = NDArray[np.int64]

# Forty texts of two labels: a replicate without one of them has probability 2^-39.
Y = np.arange(40) % 2
RIGHT, WRONG = Y, 1 - Y


def _predictions(rng: np.random.Generator, y_true: Labels, n_labels: int, right: float) -> Labels:
    """Predict the true label with probability `right`, else any label."""
    guesses = rng.integers(n_labels, size=len(y_true))
    return np.where(rng.random(len(y_true)) < right, y_true, guesses)


def _plain_macro_f1(y_true: Labels, predicted: Labels, n_labels: int) -> float:
    scores = []
    for label in range(n_labels):
        hits = int(((y_true == label) & (predicted == label)).sum())
        either = int((y_true == label).sum() + (predicted == label).sum())
        scores.append(2 * hits / either if either else 0.0)
    return sum(scores) / n_labels


def _plain_bootstrap(
    y_true: Labels, arms: list[Labels], n_labels: int, replicates: int
) -> tuple[float, float]:
    """Draw texts and seeds one replicate at a time; arms with as many seeds share their draw."""
    rng = np.random.default_rng(99)
    values = []
    for _ in range(replicates):
        texts = rng.integers(len(y_true), size=len(y_true))
        means: list[float] = []
        seeds = np.zeros(0, dtype=np.int64)
        for arm in arms:
            if len(seeds) != len(arm):
                seeds = rng.integers(len(arm), size=len(arm))
            scores = [_plain_macro_f1(y_true[texts], arm[k][texts], n_labels) for k in seeds]
            means.append(sum(scores) / len(scores))
        values.append(means[0] - sum(means[1:]))
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def test_macro_f1_of_a_confusion_matrix() -> None:
    """Macro-F1 is the plain mean over labels of 2 TP / (predicted + true)."""
    # Label 0: 2 * 3 / (4 + 5); label 1: 2 * 4 / (6 + 5). (6/9 + 8/11) / 2 = 0.69697
    assert macro_f1_from_confusion([[3, 2], [1, 4]]) == pytest.approx((6 / 9 + 8 / 11) / 2)


def test_a_label_that_never_occurs_counts_zero() -> None:
    """All labels of the task are averaged, also one without text and prediction."""
    # Labels 0 and 1 are perfect, label 2 is not there: (1 + 1 + 0) / 3.
    assert macro_f1_from_confusion([[2, 0, 0], [0, 5, 0], [0, 0, 0]]) == pytest.approx(2 / 3)


def test_confusion_matrices_are_scored_one_by_one() -> None:
    """Leading axes are kept."""
    # Perfect, and all wrong.
    assert macro_f1_from_confusion([[[1, 0], [0, 1]], [[0, 1], [1, 0]]]).tolist() == [1.0, 0.0]


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 40), n_labels=st.integers(1, 6))
def test_macro_f1_is_scikit_learns(seed: int, n: int, n_labels: int) -> None:
    """The light formula gives what scikit-learn gives over all labels."""
    rng = np.random.default_rng(seed)
    true, predicted = rng.integers(n_labels, size=(2, n))
    every = list(range(n_labels))
    expected = f1_score(true, predicted, labels=every, average="macro", zero_division=0)
    confusion = np.zeros((n_labels, n_labels))
    np.add.at(confusion, (true, predicted), 1)
    assert macro_f1_from_confusion(confusion) == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (0, 0)])
def test_a_confusion_matrix_is_square(shape: tuple[int, ...]) -> None:
    """Another shape is a mistake of the caller."""
    with pytest.raises(ValueError, match="square"):
        macro_f1_from_confusion(np.ones(shape))


def test_the_value_is_the_mean_over_seeds_of_the_plain_score() -> None:
    """The bootstrap gives the ends, not the value."""
    y_true = [0, 0, 1, 1]
    seeds = [[0, 0, 1, 1], [0, 1, 1, 1]]
    # First seed 1. Second: label 0 is 2 * 1 / (1 + 2), label 1 is 2 * 2 / (3 + 2); mean 11/15.
    assert macro_f1_interval(y_true, seeds, 2).value == pytest.approx((1 + 11 / 15) / 2)
    # 4 of 4 and 3 of 4.
    assert accuracy_interval(y_true, seeds, 2).value == pytest.approx(7 / 8)
    # The other arm never says 1: label 0 is 2 * 2 / (4 + 2), label 1 is 0; mean 1/3.
    assert gap_interval(y_true, seeds, [[0, 0, 0, 0]], 2).value == pytest.approx(13 / 15 - 1 / 3)


@pytest.mark.parametrize(("n", "n_labels", "n_seeds"), [(90, 2, 1), (60, 3, 3)])
def test_macro_f1_interval_is_that_of_a_plain_loop(n: int, n_labels: int, n_seeds: int) -> None:
    """Weighted counts give the interval of texts and seeds drawn one replicate at a time."""
    rng = np.random.default_rng(n)
    y_true = rng.integers(n_labels, size=n)
    seeds = np.array([_predictions(rng, y_true, n_labels, 0.5 + 0.1 * k) for k in range(n_seeds)])
    interval = macro_f1_interval(y_true, seeds, n_labels, replicates=4000)
    low, high = _plain_bootstrap(y_true, [seeds], n_labels, replicates=2000)
    # The ends differ by the error of 2,000 and 4,000 draws: about 0.004 where scores spread 0.06.
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.015)


@pytest.mark.parametrize("n_seeds", [(3, 3), (3, 2)])
def test_gap_interval_is_that_of_a_plain_loop(n_seeds: tuple[int, int]) -> None:
    """The same texts for both arms; seeds in pairs where their numbers are equal."""
    rng = np.random.default_rng(7)
    y_true = rng.integers(3, size=80)
    arms = [
        np.array([_predictions(rng, y_true, 3, best - 0.15 * k) for k in range(size)])
        for best, size in zip((0.9, 0.7), n_seeds, strict=True)
    ]
    interval = gap_interval(y_true, arms[0], arms[1], 3, replicates=4000)
    low, high = _plain_bootstrap(y_true, arms, 3, replicates=2000)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.015)


def test_accuracy_interval_of_one_seed_is_the_binomials() -> None:
    """Drawing texts alone, the number of right predictions is binomial."""
    y_true = np.zeros(1000, dtype=np.int64)
    predicted = (np.arange(1000) < 200).astype(np.int64)
    # Binomial(1000, 0.8): standard deviation sqrt(0.8 * 0.2 / 1000) = 0.01265, times 1.96 = 0.0248.
    interval = accuracy_interval(y_true, [predicted], 2, replicates=8000)
    assert interval.value == pytest.approx(0.8)
    assert (interval.low, interval.high) == pytest.approx((0.7752, 0.8248), abs=0.002)


def test_seeds_are_drawn_too() -> None:
    """Two seeds, one perfect and one all wrong, leave the mean anywhere from 0 to 1."""
    # Of the draws of two seeds, a quarter takes the perfect twice, a quarter the wrong one twice.
    expected = Interval(value=0.5, low=0.0, high=1.0, level=0.95)
    assert macro_f1_interval(Y, [RIGHT, WRONG], 2) == expected


def test_perfect_predictions_have_an_interval_without_width() -> None:
    """Where every replicate scores the same the interval says so."""
    assert macro_f1_interval(Y, [RIGHT], 2) == Interval(1.0, 1.0, 1.0, 0.95)


def test_one_test_text_has_an_interval_without_width() -> None:
    """The only text is drawn every time."""
    assert accuracy_interval([1], [[1]], 2) == Interval(1.0, 1.0, 1.0, 0.95)


def test_the_gap_of_an_arm_with_itself_is_exactly_zero() -> None:
    """Both arms are scored on the same texts and, seed by seed, on the same draw."""
    rng = np.random.default_rng(0)
    seeds = np.array([_predictions(rng, Y, 2, right) for right in (0.4, 0.6, 0.8)])
    interval = gap_interval(Y, seeds, seeds, 2)
    assert (interval.value, interval.low, interval.high) == pytest.approx((0, 0, 0), abs=1e-12)


def test_unequal_numbers_of_seeds_are_drawn_apart() -> None:
    """Arms whose seed draws cannot be paired vary independently."""
    # First arm: mean 0, 1/2 or 1 with probability 1/4, 1/2, 1/4. Second, of three seeds of which
    # one is right: 1 with probability 1/27, 0 with 8/27. Gap 1 with 1/4 * 8/27 = 7 %; gap -1 with
    # 1/4 * 1/27 = 0.9 %, gap -2/3 with 1/4 * 6/27 = 5.6 %: so 2.5 % lies at -2/3.
    interval = gap_interval(Y, [RIGHT, WRONG], [RIGHT, WRONG, WRONG], 2, replicates=4000)
    assert interval.value == pytest.approx(1 / 2 - 1 / 3)
    assert (interval.low, interval.high) == pytest.approx((-2 / 3, 1.0))


def test_the_gap_is_the_reference_minus_the_other() -> None:
    """A better reference arm has a positive gap."""
    assert gap_interval(Y, [RIGHT], [WRONG], 2).value == 1.0
    assert gap_interval(Y, [WRONG], [RIGHT], 2).value == -1.0


def test_the_same_seed_draws_the_same() -> None:
    """An interval is repeatable, and another seed gives another one."""
    rng = np.random.default_rng(1)
    predicted = [_predictions(rng, Y, 2, 0.6)]
    first = macro_f1_interval(Y, predicted, 2, seed=3)
    assert macro_f1_interval(Y, predicted, 2, seed=3) == first
    assert macro_f1_interval(Y, predicted, 2, seed=4) != first


def test_a_higher_level_is_wider() -> None:
    """The 99 % interval holds the 80 % interval."""
    predicted = [_predictions(np.random.default_rng(1), Y, 2, 0.6)]
    narrow = macro_f1_interval(Y, predicted, 2, level=0.8)
    wide = macro_f1_interval(Y, predicted, 2, level=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high
    assert (narrow.level, wide.level) == (0.8, 0.99)


def test_intervals_hold_the_true_accuracy_as_often_as_they_say() -> None:
    """Of 400 test sets of 200 texts, the 95 % interval holds the true accuracy in about 95 %."""
    rng = np.random.default_rng(0)
    y_true = np.zeros(200, dtype=np.int64)
    held = 0
    for draw in range(400):
        predicted = [(rng.random(200) > 0.8).astype(np.int64)]
        interval = accuracy_interval(y_true, predicted, 2, replicates=400, seed=draw)
        held += interval.low <= 0.8 <= interval.high
    # Four standard errors of 0.95 over 400: 4 * 0.0109.
    assert held / 400 == pytest.approx(0.95, abs=0.044)


@pytest.mark.parametrize(
    ("y_true", "predictions", "message"),
    [
        ([0, 1], [[0.2, 0.9]], "predictions of arm is an array of float64"),
        ([0.0, 1.0], [[0, 1]], "y_true is an array of float64"),
        ([0, 1], [0, 1], r"predictions of arm is an array of int64 with shape \(2,\)"),
        ([0, 1], [[0, 1, 1]], r"shape \(1, 3\) for 2 texts"),
        ([0, 1], [[0, 2]], "of arm goes from 0 to 2; the task's label indices are 0 to 1"),
        ([0, -100], [[0, 1]], "y_true goes from -100 to 0"),
        ([0, 1], np.zeros((0, 2), dtype=np.int64), "at least one"),
        (np.zeros(0, dtype=np.int64), np.zeros((1, 0), dtype=np.int64), "at least one"),
    ],
)
@pytest.mark.parametrize("interval", [macro_f1_interval, accuracy_interval])
def test_what_is_no_label_index_is_refused(
    interval: Callable[..., Interval], y_true: Any, predictions: Any, message: str
) -> None:
    """Class scores, ignored labels and shapes that do not fit are refused by name."""
    with pytest.raises(ValueError, match=message):
        interval(y_true, predictions, 2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"replicates": 0}, "0 replicates; it needs at least 1"),
        ({"level": 95.0}, "level 95.0; expected between 0 and 1"),
        ({"level": 0.0}, "level 0.0; expected between 0 and 1"),
    ],
)
def test_settings_without_meaning_are_refused(wrong: dict[str, Any], message: str) -> None:
    """No replicates, and levels in per cent, are mistakes."""
    with pytest.raises(ValueError, match=message):
        macro_f1_interval(Y, [RIGHT], 2, **wrong)
