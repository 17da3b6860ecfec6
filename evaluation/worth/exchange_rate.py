"""What synthetic text is worth: how many real labelled texts give the same score."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evaluation.uncertainty.joint_bootstrap import LEVEL, Floats, Resampled
from evaluation.uncertainty.scores import Interval
from evaluation.undefined import Undefined

_ROUNDING = 1e-12  # scores that differ by no more are the same


@dataclass(frozen=True)
class RealTexts:
    """A number of real texts a label, which the sizes that were tried may only bound.

    Attributes:
        per_label: The number; of a bound, the least or the largest size that was tried.
        bound: `below`: fewer than that, `above`: more than that, `""`: that many.
    """

    per_label: float
    bound: Literal["", "below", "above"] = ""

    def __str__(self) -> str:
        words = {"": "", "below": "fewer than ", "above": "more than "}
        return f"{words[self.bound]}{self.per_label:.0f}"


@dataclass(frozen=True)
class RealPoint:
    """The real arm at one size.

    Attributes:
        per_label: Real texts a label.
        score: Mean over seeds, with its interval.
        fitted: The monotone fit there.
    """

    per_label: int
    score: Interval
    fitted: float


@dataclass(frozen=True)
class ExchangeRate:
    """What a synthetic arm is worth in real texts.

    Attributes:
        worth: Real texts a label that give the synthetic arm's score.
        low: Lower end of its interval.
        high: Upper end.
        level: Confidence level.
        synthetic: Score of the synthetic arm.
        real: The real arm, ascending by size.
    """

    worth: RealTexts
    low: RealTexts
    high: RealTexts
    level: float
    synthetic: Interval
    real: tuple[RealPoint, ...]

    def sentence(self, n_synthetic: int) -> str:
        """Say what `n_synthetic` texts, those of all labels, are worth."""
        return (
            f"these {n_synthetic:,} synthetic texts are worth {self.worth} ({self.low} to "
            f"{self.high}) real texts a label"
        )


def exchange_rate(
    real: Mapping[int, Resampled], synthetic: Resampled, level: float = LEVEL
) -> ExchangeRate | Undefined:
    """Return how many real texts a label give the synthetic arm's score.

    The score of the real arm is made monotone in its size (isotonic regression, all sizes with
    equal weight) and is linear in the logarithm of the size between two sizes; the worth is the
    least size at which it reaches the synthetic arm's score. Below the smallest size and above the
    largest the worth is only bounded, never extrapolated. All of it is done again in every
    replicate, and the ends of the interval are replicates.

    Args:
        real: Real texts a label -> score of the real arm of that size; two sizes or more.
        synthetic: Score of the synthetic arm, resampled together with those of the real arm.
        level: Confidence level, between 0 and 1.

    Raises:
        ValueError: Fewer than two sizes, one below 1, or scores of unequal numbers of replicates.
    """
    sizes = sorted(real)
    if len(sizes) < 2 or sizes[0] < 1:
        raise ValueError(f"sizes of the real arm are {sizes}; expected two or more, from 1 on")
    curve = [real[size] for size in sizes]
    fitted = _monotone(np.array([point.value for point in curve]))
    if fitted[-1] - fitted[0] <= _ROUNDING:
        return Undefined(
            f"the real arm scores no higher with {sizes[-1]} texts a label than with {sizes[0]}"
        )
    logs = np.log(sizes)
    rows = zip(*(point.replicates for point in curve), synthetic.replicates, strict=True)
    drawn = [_worth(logs, _monotone(np.array(each)), own) for *each, own in rows]
    tail = (1 - level) / 2
    # An observed replicate for each end: between a number and a bound there is nothing.
    low, high = np.quantile(drawn, (tail, 1 - tail), method="inverted_cdf")
    return ExchangeRate(
        worth=_real_texts(_worth(logs, fitted, synthetic.value), sizes),
        low=_real_texts(float(low), sizes),
        high=_real_texts(float(high), sizes),
        level=level,
        synthetic=synthetic.interval(level),
        real=tuple(
            RealPoint(size, point.interval(level), float(fit))
            for size, point, fit in zip(sizes, curve, fitted, strict=True)
        ),
    )


def _monotone(scores: Floats) -> Floats:
    from scipy.optimize import isotonic_regression

    fitted: Floats = isotonic_regression(scores).x
    return fitted


def _worth(logs: Floats, fitted: Floats, score: float) -> float:
    """Return the logarithm of the least size that reaches `score`; infinite where none is known."""
    if score < fitted[0] - _ROUNDING:
        return -np.inf
    if score > fitted[-1] + _ROUNDING:
        return np.inf
    i = int(np.searchsorted(fitted, score - _ROUNDING))
    if i == 0:
        return float(logs[0])
    part = (score - fitted[i - 1]) / (fitted[i] - fitted[i - 1])
    return float(logs[i - 1] + part * (logs[i] - logs[i - 1]))


def _real_texts(log_size: float, sizes: list[int]) -> RealTexts:
    if np.isinf(log_size):
        return RealTexts(sizes[-1], "above") if log_size > 0 else RealTexts(sizes[0], "below")
    return RealTexts(float(np.exp(log_size)))
