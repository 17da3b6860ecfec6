"""Spearman's rho: do two rankings go together?"""

import numpy as np
from numpy.typing import ArrayLike

from evaluation.uncertainty.joint_bootstrap import Floats
from evaluation.undefined import Undefined


def rank_correlation(first: ArrayLike, second: ArrayLike) -> float | Undefined:
    """Return Spearman's rho of two rows of numbers; equal numbers share their mean rank.

    Args:
        first: Numbers (n,).
        second: Numbers (n,), in the same order.
    """
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if len(one) < 2:
        return Undefined(f"a correlation of {len(one)} pair{'s' * (len(one) != 1)}")
    rho = float(rank_correlations(one, other[None])[0])
    return Undefined("one of the two is constant") if np.isnan(rho) else rho


def rank_correlations(first: Floats, rows: Floats) -> Floats:
    """Return Spearman's rho of `first` (n,) with each of `rows` (r, n); NaN where one is constant.

    It is Pearson's correlation of the ranks.
    """
    from scipy.stats import rankdata

    ours = rankdata(first) - (len(first) + 1) / 2
    theirs = rankdata(rows, axis=1) - (len(first) + 1) / 2
    norms = np.sqrt((ours @ ours) * (theirs**2).sum(axis=1))
    rhos: Floats = np.divide(theirs @ ours, norms, out=np.full(len(rows), np.nan), where=norms > 0)
    return rhos
