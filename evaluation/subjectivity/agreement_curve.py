"""Accuracy against the threshold of agreement: figures 2 and C.1 of Li et al. (2023).

For a threshold gamma, the accuracy on the instances whose annotators agree at least that far. The
thresholds are nested: each one's instances hold those of the next. Points on the curve are
therefore not independent, and neither a regression's p-value nor that of a rank correlation means
anything; the intervals here come from drawing instances and seeds again (`LevelDraws`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.subjectivity.level_draws import (
    LevelDraws,
    accuracies,
    from_level_on,
    largest_class,
)
from evaluation.uncertainty.joint_bootstrap import LEVEL, REPLICATES, Floats, Resampled
from evaluation.uncertainty.rank_correlation import rank_correlation, rank_correlations
from evaluation.uncertainty.scores import Interval
from evaluation.undefined import Undefined

LEAST_INSTANCES = 30
"""A threshold with fewer instances is no point of the curve."""

FEWEST_THRESHOLDS = 5
"""With fewer points there is no line."""


@dataclass(frozen=True)
class ThresholdPoint:
    """One threshold.

    Attributes:
        gamma: The threshold: instances with at least this agreement.
        n: Those instances.
        accuracy: Their accuracy, mean over seeds, 0 to 1.
        largest_class: Share of their most frequent label: what always saying it would score. Where
            it rises with gamma, accuracy may rise for that reason alone.
        line: The fitted line there; its interval is the band.
    """

    gamma: float
    n: int
    accuracy: Interval
    largest_class: float
    line: Interval | Undefined


@dataclass(frozen=True)
class Trend:
    """How accuracy goes with the threshold.

    Attributes:
        slope: Of the least-squares line: accuracy gained from agreement 0 to 1.
        r_squared: Share of the variance between points that the line takes up.
        rho: Spearman's rho of threshold and accuracy.
        constant: Replicates in which accuracy is the same everywhere; rho does not exist there,
            and its interval is that of the others.
    """

    slope: Interval
    r_squared: float
    rho: Interval
    constant: int


@dataclass(frozen=True)
class AgreementCurve:
    """Accuracy against the threshold.

    Attributes:
        points: The thresholds with enough instances, ascending.
        trend: Line and rho, or why there are none.
        sparse: Distinct thresholds left out because too few instances reach them.
    """

    points: tuple[ThresholdPoint, ...]
    trend: Trend | Undefined
    sparse: int


def agreement_curve(
    labels: ArrayLike,
    predictions: ArrayLike,
    agreement: ArrayLike,
    *,
    replicates: int = REPLICATES,
    level: float = LEVEL,
    seed: int = 0,
) -> AgreementCurve:
    """Return the curve of one arm.

    Args:
        labels: Label index of each instance (n,).
        predictions: Predicted label indices (n_seeds, n).
        agreement: Agreement of each instance's annotators (n,), 0 to 1.
        replicates: How many times to draw.
        level: Confidence level, between 0 and 1.
        seed: Seed of the draws.

    Raises:
        ValueError: No instance, no seed, or shapes that do not fit.
    """
    draws = LevelDraws.of(labels, [predictions], agreement, replicates, seed)
    true, rates = np.asarray(labels), np.asarray(agreement)
    n, gammas, chosen = _thresholds(draws)
    values, every = _at_least(draws, draws.hits[0], chosen), _drawn(draws, 0, chosen)
    trend, line = _trend(gammas, values, every, level)
    points = [
        ThresholdPoint(
            gamma=float(gammas[i]),
            n=int(n[chosen][i]),
            accuracy=Resampled(float(values[i]), _defined(every[:, i])).interval(level),
            largest_class=largest_class(true[rates >= gammas[i]]),
            line=line if isinstance(line, Undefined) else line[i],
        )
        for i in range(len(gammas))
    ]
    return AgreementCurve(tuple(points), trend, int((~chosen).sum()))


def slope_difference(
    labels: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    agreement: ArrayLike,
    *,
    replicates: int = REPLICATES,
    level: float = LEVEL,
    seed: int = 0,
) -> Interval | Undefined:
    """Return the slope of one arm minus that of another, drawn together; arguments as above.

    Above 0, accuracy of the first arm depends more on how far annotators agree.
    """
    draws = LevelDraws.of(labels, [first, second], agreement, replicates, seed)
    _, gammas, chosen = _thresholds(draws)
    if len(gammas) < FEWEST_THRESHOLDS:
        return _too_few(gammas)
    slopes = [_slopes(gammas, _at_least(draws, draws.hits[arm], chosen)[None])[0] for arm in (0, 1)]
    drawn = [_slopes(gammas, _drawn(draws, arm, chosen)) for arm in (0, 1)]
    return Resampled(slopes[0] - slopes[1], _defined(drawn[0] - drawn[1])).interval(level)


def _thresholds(draws: LevelDraws) -> tuple[NDArray[np.int64], Floats, NDArray[np.bool_]]:
    """Return instances at each threshold, the thresholds with enough of them, and which."""
    n = from_level_on(draws.counts)
    chosen = n >= LEAST_INSTANCES
    return n, draws.levels[chosen], chosen


def _at_least(draws: LevelDraws, hits: Floats, chosen: NDArray[np.bool_]) -> Floats:
    return accuracies(from_level_on(hits), from_level_on(draws.counts))[chosen]


def _drawn(draws: LevelDraws, arm: int, chosen: NDArray[np.bool_]) -> Floats:
    counts = from_level_on(draws.drawn_counts)
    return accuracies(from_level_on(draws.drawn_hits[:, arm]), counts)[:, chosen]


def _trend(
    gammas: Floats, values: Floats, every: Floats, level: float
) -> tuple[Trend | Undefined, Sequence[Interval] | Undefined]:
    """Fit the line; return the trend, and the line at each threshold with its band."""
    if len(gammas) < FEWEST_THRESHOLDS:
        none = _too_few(gammas)
        return none, none
    every = every[np.isfinite(every).all(axis=1)]
    slope, slopes = _slopes(gammas, values[None])[0], _slopes(gammas, every)
    centred = gammas - gammas.mean()
    fitted = values.mean() + slope * centred
    bands = every.mean(axis=1, keepdims=True) + slopes[:, None] * centred
    line = [Resampled(float(fitted[i]), bands[:, i]).interval(level) for i in range(len(gammas))]
    rho = rank_correlation(gammas, values)
    if isinstance(rho, Undefined):
        return Undefined("the accuracy is the same at every threshold"), line
    rhos = rank_correlations(gammas, every)
    spread = ((values - values.mean()) ** 2).sum()
    return (
        Trend(
            slope=Resampled(float(slope), slopes).interval(level),
            r_squared=float(1 - ((values - fitted) ** 2).sum() / spread),
            rho=Resampled(rho, _defined(rhos)).interval(level),
            constant=int(np.isnan(rhos).sum()),
        ),
        line,
    )


def _slopes(gammas: Floats, rows: Floats) -> Floats:
    """Return the least-squares slope of each of `rows` (r, T) on `gammas` (T,)."""
    centred = gammas - gammas.mean()
    slopes: Floats = rows @ centred / (centred @ centred)
    return slopes


def _too_few(gammas: Floats) -> Undefined:
    return Undefined(
        f"{len(gammas)} thresholds have {LEAST_INSTANCES} or more instances, and a line needs "
        f"{FEWEST_THRESHOLDS}"
    )


def _defined(values: Floats) -> Floats:
    return values[np.isfinite(values)]
