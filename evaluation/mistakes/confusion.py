"""What one arm confuses and another does not: differences of confusion matrices, label by label."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evaluation.uncertainty.resampling import Floats, Ints, Patterns

# What adding in another order leaves of no difference.
_ROUNDING = 1e-12
# With fewer, a rare label might be in none of them.
_FEWEST_REPLICATES = 100


@dataclass(frozen=True)
class Differences:
    """Differences of one kind between two arms, the reference arm's minus the other's.

    NaN where undefined: of a label without test texts.

    Attributes:
        value: The differences.
        low: Lower ends of their bootstrap intervals, each by itself.
        high: Upper ends.
        p_value: Of each difference against none, from its bootstrap spread.
        adjusted_p: The same, corrected for looking at all of them (Benjamini-Hochberg).
    """

    value: Floats
    low: Floats
    high: Floats
    p_value: Floats
    adjusted_p: Floats


@dataclass(frozen=True)
class ConfusionDifference:
    """The confusions of two arms.

    Attributes:
        reference: Mean over seeds of the shares (k, k) of a label's texts (row) that the reference
            arm gives each label (column). The diagonal is recall. A label without test texts has a
            row of NaN.
        other: The same of the other arm.
        cells: Differences of these shares (k, k); on the diagonal the gap in recall.
        f1: Differences of each label's F1, the mean over seeds (k,).
        n_texts: Test texts of each label (k,).
    """

    reference: Floats
    other: Floats
    cells: Differences
    f1: Differences
    n_texts: Ints


def confusion_difference(
    y_true: ArrayLike,
    reference_predictions: ArrayLike,
    other_predictions: ArrayLike,
    n_labels: int,
    *,
    replicates: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> ConfusionDifference:
    """Compare what two arms confuse, with the bootstrap of `evaluation.uncertainty.scores`.

    Both arms are scored on the same drawn texts; as many seeds in both are drawn in pairs. What is
    said there of few seeds holds here too. Replicates without a text of a label are left out of
    that label's intervals.

    Args:
        y_true: Label index of each test text (n,).
        reference_predictions: The real arm's predictions (seeds, n), seeds in order.
        other_predictions: The synthetic arm's predictions (seeds, n), seeds in order.
        n_labels: Labels of the task (k).
        replicates: How many times to draw.
        level: Confidence level of each interval, between 0 and 1.
        seed: Seed of the draws; the same seed gives the same intervals.

    Raises:
        ValueError: No text, no seed, shapes that do not fit, values that are not label indices, or
            a number of replicates or a level that cannot be.
    """
    if replicates < _FEWEST_REPLICATES or not 0 < level < 1:
        raise ValueError(
            f"{replicates} replicates and level {level}; "
            f"expected at least {_FEWEST_REPLICATES}, and between 0 and 1"
        )
    arms = (reference_predictions, other_predictions)
    patterns = Patterns.of(y_true, arms, n_labels)
    rng = np.random.default_rng(seed)
    first, second = patterns.draw_seeds(rng, replicates)
    weights = np.concatenate([first, -second], axis=1)
    drawn, done = [], 0
    for counts in patterns.draw_texts(rng, replicates):
        drawn.append(_measures(patterns, n_labels, counts, weights[done : done + len(counts)]))
        done += len(counts)
    reference, other = _measures(
        patterns, n_labels, np.stack([patterns.counts] * 2), _mean_of_each_arm(patterns.seeds)
    )
    n_texts = np.bincount(np.repeat(patterns.y_true, patterns.counts), minlength=n_labels)
    every = np.concatenate(drawn)
    return ConfusionDifference(
        reference=reference[:, :-1],
        other=other[:, :-1],
        cells=_differences((reference - other)[:, :-1], every[..., :-1], n_texts[:, None], level),
        f1=_differences((reference - other)[:, -1], every[..., -1], n_texts, level),
        n_texts=n_texts,
    )


def _mean_of_each_arm(seeds: tuple[int, ...]) -> Floats:
    """Return weights (arms, all seeds) that take the mean of each arm's seeds."""
    arm_of = np.repeat(np.arange(len(seeds)), seeds)
    weights: Floats = (arm_of == np.arange(len(seeds))[:, None]) / np.array(seeds)[:, None]
    return weights


def _measures(patterns: Patterns, n_labels: int, counts: Floats | Ints, weights: Floats) -> Floats:
    """Return the weighted sums over seeds of the shares and the F1 of each label.

    Args:
        patterns: The texts.
        n_labels: Labels (k).
        counts: How often each pattern counts (r, p).
        weights: Of each seed (r, seeds).

    Returns:
        For each label the shares of its texts given each label, then its F1 (r, k, k + 1); NaN for
        a label without texts.
    """
    from scipy.sparse import csr_array

    sums = np.zeros((len(counts), n_labels, n_labels + 1))
    every = np.arange(len(patterns.y_true))
    for said, weight in zip(patterns.predictions, weights.T, strict=True):
        cell_of = patterns.y_true * n_labels + said
        in_cell = csr_array(
            (np.ones(len(every)), (every, cell_of)), shape=(len(every), n_labels**2)
        )
        confusion = (counts @ in_cell).reshape(-1, n_labels, n_labels)
        true = confusion.sum(axis=-1)
        true[true == 0] = np.nan
        hits = np.diagonal(confusion, axis1=-2, axis2=-1)
        f1 = 2 * hits / (true + confusion.sum(axis=-2))
        each = np.concatenate([confusion / true[..., None], f1[..., None]], axis=-1)
        sums += weight[:, None, None] * each
    return sums


def _differences(value: Floats, drawn: Floats, n_texts: Ints, level: float) -> Differences:
    """Return intervals and p-values of differences (...,) from their replicates (r, ...).

    A replicate's spread is 0 where all of a label's texts differ alike, however few they are. So
    the square of the difference over the number of texts is added to the variance, as McNemar's
    test has it: the statistic is at most the root of the number of texts.
    """
    from scipy.special import ndtr
    from scipy.stats import false_discovery_control

    value = np.where(abs(value) < _ROUNDING, 0.0, value)
    known = ~np.isnan(value)
    tail = (1 - level) / 2
    low, high, p_value, adjusted = (np.full(value.shape, np.nan) for _ in range(4))
    low[known], high[known] = np.nanquantile(drawn[:, known], (tail, 1 - tail), axis=0)
    n = np.broadcast_to(n_texts, value.shape)[known]
    spread = np.sqrt(np.nanvar(drawn[:, known], axis=0) + value[known] ** 2 / n)
    statistic = np.divide(value[known], spread, out=np.zeros_like(spread), where=spread > 0)
    p_value[known] = 2 * ndtr(-abs(statistic))
    adjusted[known] = false_discovery_control(p_value[known])
    return Differences(value, low, high, p_value, adjusted)
