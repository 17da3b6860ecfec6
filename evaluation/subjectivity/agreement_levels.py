"""Accuracy at each level of agreement: of bins on an ordinal scale, or of few distinct shares."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evaluation.subjectivity.level_draws import LevelDraws, accuracies, largest_class
from evaluation.uncertainty.joint_bootstrap import LEVEL, REPLICATES, Floats, Resampled
from evaluation.uncertainty.scores import Interval
from evaluation.undefined import Undefined


@dataclass(frozen=True)
class LevelAccuracy:
    """One level.

    Attributes:
        agreement: The level, 0 to 1.
        n: Instances at exactly this level.
        accuracy: Their accuracy, mean over seeds, 0 to 1. The interval is over the replicates that
            drew any of them.
        largest_class: Share of their most frequent label: what always saying it would score.
    """

    agreement: float
    n: int
    accuracy: Interval
    largest_class: float


@dataclass(frozen=True)
class AccuracyByLevel:
    """Accuracy of one arm at each level; unlike thresholds, levels share no instances.

    Attributes:
        levels: The levels, ascending.
        rise: Accuracy at the highest level minus that at the lowest, drawn together.
    """

    levels: tuple[LevelAccuracy, ...]
    rise: Interval | Undefined


def accuracy_by_level(
    labels: ArrayLike,
    predictions: ArrayLike,
    agreement: ArrayLike,
    *,
    replicates: int = REPLICATES,
    level: float = LEVEL,
    seed: int = 0,
) -> AccuracyByLevel:
    """Return the accuracy of one arm at each distinct level of agreement.

    Args:
        labels: Label index of each instance (n,).
        predictions: Predicted label indices (n_seeds, n).
        agreement: Agreement of each instance's annotators (n,), 0 to 1.
        replicates: How many times to draw instances and seeds.
        level: Confidence level, between 0 and 1.
        seed: Seed of the draws.

    Raises:
        ValueError: No instance, no seed, or shapes that do not fit.
    """
    draws = LevelDraws.of(labels, [predictions], agreement, replicates, seed)
    true, rates = np.asarray(labels), np.asarray(agreement)
    values, every = _each_level(draws, 0)
    rise = _rise(values, every)
    return AccuracyByLevel(
        levels=tuple(
            LevelAccuracy(
                agreement=float(draws.levels[i]),
                n=int(draws.counts[i]),
                accuracy=_interval(Resampled(float(values[i]), every[:, i]), level),
                largest_class=largest_class(true[rates == draws.levels[i]]),
            )
            for i in range(len(values))
        ),
        rise=rise if isinstance(rise, Undefined) else _interval(rise, level),
    )


def rise_difference(
    labels: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    agreement: ArrayLike,
    *,
    replicates: int = REPLICATES,
    level: float = LEVEL,
    seed: int = 0,
) -> Interval | Undefined:
    """Return the rise of one arm minus that of another, drawn together; arguments as above.

    Above 0, accuracy of the first arm depends more on how far annotators agree.
    """
    draws = LevelDraws.of(labels, [first, second], agreement, replicates, seed)
    one, other = (_rise(*_each_level(draws, arm)) for arm in (0, 1))
    if isinstance(one, Undefined):
        return one
    return other if isinstance(other, Undefined) else _interval(one - other, level)


def _each_level(draws: LevelDraws, arm: int) -> tuple[Floats, Floats]:
    """Return accuracy at each level (L,), and in each replicate (r, L)."""
    values = accuracies(draws.hits[arm], draws.counts)
    return values, accuracies(draws.drawn_hits[:, arm], draws.drawn_counts)


def _rise(values: Floats, every: Floats) -> Resampled | Undefined:
    if len(values) < 2:
        return Undefined("all instances have the same agreement")
    rises = every[:, -1] - every[:, 0]
    return Resampled(float(values[-1] - values[0]), rises)


def _interval(score: Resampled, level: float) -> Interval:
    """Return the interval over the replicates that drew what it needs."""
    drawn = score.replicates[np.isfinite(score.replicates)]
    return Resampled(score.value, drawn).interval(level)
