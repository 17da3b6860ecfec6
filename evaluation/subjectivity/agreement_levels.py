"""Accuracy at each level of agreement: of bins on an ordinal scale, or of few distinct shares."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evaluation.joint_bootstrap import LEVEL, REPLICATES, Floats, Resampled
from evaluation.statistics import Interval
from evaluation.subjectivity.level_draws import LevelDraws, accuracies
from evaluation.undefined import Undefined


@dataclass(frozen=True)
class LevelAccuracy:
    """One level.

    Attributes:
        agreement: The level, 0 to 1.
        n: Instances at exactly this level.
        accuracy: Their accuracy, mean over seeds, 0 to 1. The interval is over the replicates that
            drew any of them.
    """

    agreement: float
    n: int
    accuracy: Interval


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
    values = accuracies(draws.hits[0], draws.counts)
    every = accuracies(draws.drawn_hits[:, 0], draws.drawn_counts)
    return AccuracyByLevel(
        levels=tuple(
            LevelAccuracy(
                agreement=float(draws.levels[i]),
                n=int(draws.counts[i]),
                accuracy=Resampled(float(values[i]), every[np.isfinite(every[:, i]), i]).interval(
                    level
                ),
            )
            for i in range(len(values))
        ),
        rise=_rise(values, every, level),
    )


def _rise(values: Floats, every: Floats, level: float) -> Interval | Undefined:
    if len(values) < 2:
        return Undefined("all instances have the same agreement")
    rises = every[:, -1] - every[:, 0]
    value = float(values[-1] - values[0])
    return Resampled(value, rises[np.isfinite(rises)]).interval(level)
