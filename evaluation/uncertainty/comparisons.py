"""Many comparisons at once: p-values from the bootstrap, corrected by Holm or Benjamini-Hochberg.

Where twenty gaps are tested at 5 %, one is expected to look real when none is. Holm's correction
keeps the chance of any such error below the level; Benjamini and Hochberg's keeps the expected
share of errors among what is found below it.
"""

from collections.abc import Mapping
from typing import TypeVar

from evaluation.uncertainty.joint_bootstrap import Resampled

Key = TypeVar("Key")


def p_value(difference: Resampled) -> float:
    """Return the two-sided p-value of a difference being 0.

    Twice the share of replicates on the rarer side of 0, those at 0 on both sides, with one added
    to count and number (Davison & Hinkley, Bootstrap Methods, 1997, section 4.2): the level at
    which the percentile interval begins to hold 0. It is never below `resolution`.
    """
    drawn = difference.replicates
    rarer = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (len(drawn) + 1))


def resolution(replicates: int) -> float:
    """Return the least p-value that so many replicates can give, 0.001 for 2,000.

    Holm's correction multiplies the least of m p-values by m: to find anything at 5 % it takes more
    than 40 m replicates.
    """
    return 2 / (replicates + 1)


def holm(p_values: Mapping[Key, float]) -> dict[Key, float]:
    """Return p-values adjusted by Holm's step-down method.

    Holm, Scandinavian Journal of Statistics 6, 1979. The k-th least of m is multiplied by
    m - k + 1; none is below the adjusted one before it, or above 1. A comparison holds at 5 % where
    its adjusted value is at most 0.05.

    Raises:
        ValueError: A value is no probability.
    """
    _check(p_values)
    adjusted: dict[Key, float] = {}
    before = 0.0
    for k, key in enumerate(sorted(p_values, key=lambda key: p_values[key])):
        before = max(before, min(1.0, (len(p_values) - k) * p_values[key]))
        adjusted[key] = before
    return {key: adjusted[key] for key in p_values}


def benjamini_hochberg(p_values: Mapping[Key, float]) -> dict[Key, float]:
    """Return p-values adjusted for the false discovery rate.

    Benjamini & Hochberg, Journal of the Royal Statistical Society B 57, 1995; for comparisons that
    are independent or positively dependent.

    Raises:
        ValueError: A value is no probability.
    """
    from scipy.stats import false_discovery_control

    _check(p_values)
    if not p_values:
        return {}
    adjusted = false_discovery_control(list(p_values.values()), method="bh")
    return dict(zip(p_values, map(float, adjusted), strict=True))


def _check(p_values: Mapping[Key, float]) -> None:
    if wrong := [key for key, p in p_values.items() if not 0 <= p <= 1]:
        raise ValueError(f"{wrong[0]}: {p_values[wrong[0]]} is no p-value; expected 0 to 1")
