"""Accuracy against the agreement of annotators."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from evaluation.subjectivity.agreement_curve import agreement_curve, slope_difference
from evaluation.subjectivity.agreement_levels import accuracy_by_level, rise_difference
from evaluation.uncertainty.scores import Interval, accuracy_interval
from evaluation.undefined import Undefined

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


def _right_in(shares: tuple[float, ...], n: int = 40) -> tuple[Any, Any, Any]:
    """Return labels, predictions of one seed and agreement: `n` texts a level, so many right."""
    agreement = np.repeat(LEVELS[: len(shares)], n)
    right = np.concatenate([np.arange(n) < round(n * share) for share in shares])
    labels = np.zeros(len(agreement), dtype=np.int64)
    return labels, np.where(right, 0, 1)[None], agreement


def test_a_curve_by_hand() -> None:
    """Accuracy of the texts with at least gamma: from 6 levels of 40 texts each."""
    curve = agreement_curve(*_right_in((0.5, 0.6, 0.7, 0.8, 0.9, 1.0)), replicates=100)

    assert [(point.gamma, point.n) for point in curve.points] == [
        (0.5, 240),
        (0.6, 200),
        (0.7, 160),
        (0.8, 120),
        (0.9, 80),
        (1.0, 40),
    ]
    # Means of what is left: (0.5 + ... + 1.0) / 6 = 0.75, then 0.8, 0.85, ..., 1.
    expected = [0.75, 0.8, 0.85, 0.9, 0.95, 1.0]
    assert [point.accuracy.value for point in curve.points] == pytest.approx(expected)
    assert not isinstance(curve.trend, Undefined)
    assert curve.trend.slope.value == pytest.approx(0.5)
    assert (curve.trend.r_squared, curve.trend.rho.value) == pytest.approx((1, 1))
    assert curve.sparse == 0
    assert {point.largest_class for point in curve.points} == {1}


def test_line_and_correlations_are_scipys() -> None:
    """Slope, R squared and rho of the points; the band goes through the fitted line."""
    curve = agreement_curve(*_right_in((0.5, 0.9, 0.4, 0.7, 0.6, 0.8)), replicates=200)
    x, y = np.array([(point.gamma, point.accuracy.value) for point in curve.points]).T
    line = stats.linregress(x, y)

    assert not isinstance(curve.trend, Undefined)
    assert curve.trend.slope.value == pytest.approx(line.slope)
    assert curve.trend.r_squared == pytest.approx(line.rvalue**2)
    assert curve.trend.rho.value == pytest.approx(stats.spearmanr(x, y).statistic)
    for point in curve.points:
        assert isinstance(point.line, Interval)
        assert point.line.value == pytest.approx(line.intercept + line.slope * point.gamma)
        assert point.line.low < point.line.value < point.line.high


def test_sparse_thresholds_are_no_points_and_are_counted() -> None:
    """Of six levels the two highest have 10 texts each: 10 and 20 at least, fewer than 30."""
    labels, predictions, agreement = _right_in((0.5, 0.6, 0.7, 0.8, 0.9, 1.0))
    kept = np.concatenate([np.arange(160), np.arange(160, 170), np.arange(200, 210)])
    curve = agreement_curve(labels[kept], predictions[:, kept], agreement[kept], replicates=20)

    assert [point.gamma for point in curve.points] == [0.5, 0.6, 0.7, 0.8]
    assert curve.sparse == 2
    reason = "4 thresholds have 30 or more instances, and a line needs 5"
    assert curve.trend == Undefined(reason)
    assert {point.line for point in curve.points} == {Undefined(reason)}


def test_the_share_of_the_largest_class_is_told() -> None:
    """Accuracy that rises with it may say nothing of agreement."""
    labels = np.array([0] * 20 + [1] * 20 + [0] * 30 + [1] * 10)
    curve = agreement_curve(labels, labels[None], np.repeat([0.5, 1.0], 40), replicates=5)

    # 50 of 80 at 0.5 and above, 30 of 40 at 1.
    assert [point.largest_class for point in curve.points] == [5 / 8, 3 / 4]


def test_few_annotators_have_no_line() -> None:
    """Three votes a text give two levels: points, but neither line nor rho, and why."""
    labels, predictions, agreement = _right_in((0.6, 0.8))
    curve = agreement_curve(labels, predictions, agreement, replicates=20)

    assert len(curve.points) == 2
    assert isinstance(curve.trend, Undefined)
    assert isinstance(
        slope_difference(labels, predictions, predictions, agreement, replicates=20), Undefined
    )


def test_constant_accuracy_has_no_correlation() -> None:
    """Every prediction right: no division by zero, the trend is undefined."""
    curve = agreement_curve(*_right_in((1.0,) * 6), replicates=20)

    assert curve.trend == Undefined("the accuracy is the same at every threshold")


def test_points_have_the_intervals_of_their_texts() -> None:
    """At the lowest threshold all texts count: the interval is that of plain accuracy."""
    rng = np.random.default_rng(0)
    labels, _, agreement = _right_in((0.5, 0.6, 0.7, 0.8, 0.9, 1.0))
    predictions = (rng.random((3, len(labels))) < [[0.2], [0.3], [0.4]]).astype(np.int64)
    first = agreement_curve(labels, predictions, agreement, replicates=4000).points[0].accuracy
    plain = accuracy_interval(labels, predictions, 2, replicates=4000, seed=1)

    assert first.value == pytest.approx(plain.value)
    # The ends differ by the error of 4,000 draws: 0.003 where accuracy spreads 0.1.
    assert (first.low, first.high) == pytest.approx((plain.low, plain.high), abs=0.01)


def test_slopes_vary_as_those_of_texts_drawn_one_by_one() -> None:
    """The interval of the slope is that of a plain loop over texts and seeds."""
    rng = np.random.default_rng(3)
    labels, _, agreement = _right_in((0.5,) * 6, n=50)
    wrong = rng.random((2, len(labels))) < 0.8 - 0.5 * agreement
    predictions = wrong.astype(np.int64)
    curve = agreement_curve(labels, predictions, agreement, replicates=3000)
    slopes = []
    for _ in range(1500):
        drawn, seeds = rng.integers(len(labels), size=len(labels)), rng.integers(2, size=2)
        right, level = ~wrong[np.ix_(seeds, drawn)], agreement[drawn]
        accuracy = [right[:, level >= gamma].mean() for gamma in LEVELS]
        slopes.append(np.polyfit(LEVELS, accuracy, 1)[0])

    assert not isinstance(curve.trend, Undefined)
    slope = curve.trend.slope
    # The standard deviation of a slope here is about 0.13; its ends are known to about 0.012.
    assert (slope.low, slope.high) == pytest.approx(np.percentile(slopes, [2.5, 97.5]), abs=0.04)


def test_an_arm_does_not_differ_from_itself() -> None:
    """Both arms are drawn together; one that follows agreement more has the steeper slope."""
    labels, steep, agreement = _right_in((0.1, 0.3, 0.5, 0.7, 0.9, 1.0))
    flat = _right_in((0.5,) * 6)[1]
    same = slope_difference(labels, steep, steep, agreement, replicates=50)
    found = slope_difference(labels, steep, flat, agreement, replicates=200)

    assert same == Interval(0, 0, 0, 0.95)
    assert isinstance(found, Interval)
    # At least gamma: steep 0.583, 0.68, 0.775, 0.867, 0.95, 1; flat 0.5 throughout.
    y = [3.5 / 6, 3.4 / 5, 3.1 / 4, 2.6 / 3, 1.9 / 2, 1]
    assert found.value == pytest.approx(np.polyfit(LEVELS, y, 1)[0])
    assert found.low > 0


def test_levels_share_no_texts() -> None:
    """Accuracy of each bin by itself, and the rise from the lowest to the highest."""
    found = accuracy_by_level(*_right_in((0.5, 0.75, 1.0)), replicates=200)

    assert [(each.agreement, each.n) for each in found.levels] == [(0.5, 40), (0.6, 40), (0.7, 40)]
    assert [each.accuracy.value for each in found.levels] == pytest.approx([0.5, 0.75, 1])
    assert isinstance(found.rise, Interval)
    assert found.rise.value == pytest.approx(0.5)
    assert found.rise.low > 0.2


def test_rises_of_two_arms_are_drawn_together() -> None:
    """An arm's rise does not differ from itself; a steeper one differs from a flat one."""
    labels, steep, agreement = _right_in((0.5, 0.75, 1.0))
    flat = _right_in((0.5, 0.5, 0.5))[1]
    found = rise_difference(labels, steep, flat, agreement, replicates=200)

    assert rise_difference(labels, steep, steep, agreement, replicates=20) == Interval(
        0, 0, 0, 0.95
    )
    assert isinstance(found, Interval)
    assert found.value == pytest.approx(0.5)
    assert found.low > 0.2


def test_one_level_has_no_rise() -> None:
    """All texts agreed on alike: accuracy, but no rise."""
    labels, predictions, agreement = _right_in((0.5,))
    reason = Undefined("all instances have the same agreement")

    assert accuracy_by_level(labels, predictions, agreement, replicates=20).rise == reason
    assert rise_difference(labels, predictions, predictions, agreement, replicates=20) == reason


def test_a_level_that_few_replicates_draw_keeps_its_interval() -> None:
    """One text alone at its level is missing from a third of the replicates."""
    found = accuracy_by_level([0, 0, 0], [[0, 1, 0]], [0.5, 0.5, 1.0], replicates=200)

    assert found.levels[1].accuracy == Interval(1, 1, 1, 0.95)


@pytest.mark.parametrize(
    ("agreement", "message"),
    [([0.5], "agreement of shape"), ([0.5, np.nan], "expected a finite number")],
)
def test_agreement_that_does_not_fit_is_refused(agreement: Any, message: str) -> None:
    """Every text has one number."""
    with pytest.raises(ValueError, match=message):
        agreement_curve([0, 1], [[0, 1]], agreement)
