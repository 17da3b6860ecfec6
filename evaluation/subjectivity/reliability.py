"""Do annotators agree beyond chance? Krippendorff's alpha and Fleiss' kappa of nominal votes.

Own code of a few lines each: the library `krippendorff` is under the GPL, and `statsmodels` is a
large one and has no alpha.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.undefined import Undefined

_NO_TWO = "no item has votes of two annotators"
_ALL_SAME = "every vote is the same, so that chance alone gives full agreement"


def krippendorff_alpha(counts: ArrayLike) -> float | Undefined:
    r"""Return Krippendorff's alpha for nominal votes, any of which may be missing.

    $\alpha = 1 - D_o / D_e$ with, over the items that have at least two votes,

    $$D_o = \frac{1}{n} \sum_u \frac{m_u^2 - \sum_c n_{uc}^2}{m_u - 1}, \quad
    D_e = \frac{n^2 - \sum_c n_c^2}{n (n - 1)}$$

    where item u has $n_{uc}$ votes for value c and $m_u$ in all, $n_c = \sum_u n_{uc}$ and
    $n = \sum_c n_c$ (Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011). 1 is full
    agreement, 0 what chance gives; it may be negative.

    Args:
        counts: Votes of each item for each value (n_items, n_values).
    """
    votes = _two_or_more(counts)
    if not len(votes):
        return Undefined(_NO_TWO)
    each = votes.sum(axis=1)
    n, of_value = each.sum(), votes.sum(axis=0)
    expected = (n**2 - (of_value**2).sum()) / (n * (n - 1))
    if expected == 0:
        return Undefined(_ALL_SAME)
    observed = ((each**2 - (votes**2).sum(axis=1)) / (each - 1)).sum() / n
    return float(1 - observed / expected)


def fleiss_kappa(counts: ArrayLike) -> float | Undefined:
    r"""Return Fleiss' kappa, in Gwet's form where items have unequal numbers of votes.

    $\kappa = (p_a - p_e) / (1 - p_e)$: $p_a$ is the mean over items with at least two votes of the
    share of pairs of votes that agree; $p_e = \sum_c \pi_c^2$ with $\pi_c$ the mean over all items
    of the share of votes for c. With as many votes on every item it is Fleiss' own (Psychological
    Bulletin 76, 1971; Gwet, Handbook of Inter-Rater Reliability, 4th ed., 2014, chapter 2).

    Args:
        counts: Votes of each item for each value (n_items, n_values).
    """
    paired = _two_or_more(counts)
    if not len(paired):
        return Undefined(_NO_TWO)
    each = paired.sum(axis=1)
    agree = ((paired * (paired - 1)).sum(axis=1) / (each * (each - 1))).mean()
    every = np.asarray(counts, dtype=np.float64)
    every = every[every.sum(axis=1) > 0]
    chance = ((every / every.sum(axis=1, keepdims=True)).mean(axis=0) ** 2).sum()
    if np.count_nonzero(every.sum(axis=0)) < 2:
        return Undefined(_ALL_SAME)
    return float((agree - chance) / (1 - chance))


def _two_or_more(counts: ArrayLike) -> NDArray[np.floating[Any]]:
    votes = np.asarray(counts)
    if votes.ndim != 2 or votes.dtype.kind not in "iu" or (votes < 0).any():
        raise ValueError(
            f"counts are {votes.dtype} of shape {votes.shape}; expected whole numbers "
            "(items, values), none below 0"
        )
    kept: NDArray[np.floating[Any]] = votes[votes.sum(axis=1) >= 2].astype(np.float64)
    return kept
