"""A forecast of the gap of a task without real texts, from tasks whose gap was measured.

What it rests on are ten tasks, one LLM and one encoder: little. So its error comes with it,
measured by leaving out each of these tasks in turn, next to that of always taking their mean gap.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.undefined import Undefined

REFERENCE = Path(__file__).parent / "reference" / "gaps.csv"

PREDICTORS = {
    "subjectivity": "how subjective the task was judged",
    "remote_clique": "how diverse the texts are (Remote Clique)",
    "agreement": "how a classifier trained on them scores on the other corpus",
}
"""What a gap is forecast from -> what it is, for a report."""

LEVEL = 0.95

_FEWEST = 5
"""Tasks below which nothing is forecast."""

_STRENGTHS = np.logspace(-2, 3, 26)
"""Of the ridge penalty, chosen among by leaving one task out again."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class KnownGap:
    """A synthetic arm whose gap was measured.

    Attributes:
        task: Task name.
        arm: The arm.
        gap: Macro-F1 of as many real texts minus that of the arm, -1 to 1.
        predictors: What is known without real texts, by name; some may be missing.
    """

    task: str
    arm: str
    gap: float
    predictors: Mapping[str, float]


@dataclass(frozen=True)
class Forecast:
    """A forecast gap.

    Attributes:
        gap: The forecast, -1 to 1.
        low: Lower end of its prediction interval.
        high: Upper end.
        level: Level of the interval.
        tasks: Tasks that it rests on.
        used: The predictors that it uses; none where their mean gap did better.
        error: Mean absolute error of such forecasts, each task left out in turn.
        error_of_mean: The same of always taking the mean gap of the others.
    """

    gap: float
    low: float
    high: float
    level: float
    tasks: int
    used: tuple[str, ...]
    error: float
    error_of_mean: float


def known_gaps(path: Path = REFERENCE) -> tuple[KnownGap, ...]:
    """Return the gaps of the study of ten tasks that ships."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            KnownGap(
                row["task"],
                row["arm"],
                float(row["gap"]),
                {name: float(row[name]) for name in PREDICTORS if row[name]},
            )
            for row in csv.DictReader(file)
        )


def forecast(
    arm: str, predictors: Mapping[str, float], known: Sequence[KnownGap] | None = None
) -> Forecast | Undefined:
    """Forecast the gap of a synthetic arm.

    A ridge regression on the predictors that the task has, standardised; the strength of its
    penalty is chosen by leaving one task out. Where that errs no less than the mean gap of the
    other tasks, the mean is the forecast. The choice between the two by their errors flatters the
    error a little. The interval is the forecast plus and minus Student's t times the root mean
    square of the errors.

    Args:
        arm: The arm, a strategy.
        predictors: What is known of the task, by name (see `PREDICTORS`).
        known: Measured gaps; None for those that ship.
    """
    rows = [each for each in (known_gaps() if known is None else known) if each.arm == arm]
    names = tuple(name for name in PREDICTORS if name in predictors)
    rows = [each for each in rows if all(name in each.predictors for name in names)]
    if len(rows) < _FEWEST:
        return Undefined(
            f"the loss of {arm} was measured on {len(rows)} tasks with the same figures"
        )
    gaps = np.array([each.gap for each in rows])
    means = (gaps.sum() - gaps) / (len(gaps) - 1)
    of_mean = gaps - means
    value, errors = float(gaps.mean()), of_mean
    used: tuple[str, ...] = ()
    if names:
        x = np.array([[each.predictors[name] for name in names] for each in rows])
        every = np.arange(len(gaps))
        fitted = np.array([_fitted(x, gaps, every != i, x[i]) for i in every])
        if abs(gaps - fitted).mean() < abs(of_mean).mean():
            own = np.array([predictors[name] for name in names])
            value, errors, used = _fitted(x, gaps, every >= 0, own), gaps - fitted, names
    half = _half_width(errors)
    return Forecast(
        gap=value,
        low=value - half,
        high=value + half,
        level=LEVEL,
        tasks=len(rows),
        used=used,
        error=float(abs(errors).mean()),
        error_of_mean=float(abs(of_mean).mean()),
    )


def _fitted(x: Floats, gaps: Floats, chosen: NDArray[np.bool_], own: Floats) -> float:
    """Fit on the chosen tasks and return the gap at `own`."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model: Any = make_pipeline(StandardScaler(), RidgeCV(alphas=_STRENGTHS))
    return float(model.fit(x[chosen], gaps[chosen]).predict(own[None])[0])


def _half_width(errors: Floats) -> float:
    from scipy.stats import t

    return float(t.ppf((1 + LEVEL) / 2, len(errors) - 1) * np.sqrt((errors**2).mean()))
