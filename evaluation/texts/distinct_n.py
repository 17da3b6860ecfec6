"""How varied the wording of a set of texts is: distinct-n.

Li et al., "A Diversity-Promoting Objective Function for Neural Conversation Models" (NAACL 2016):
the number of different n-grams over the number of n-grams. It falls as texts are added, because
common n-grams come again, and so sets are compared at equal numbers of n-grams here: how many
different ones are expected among m drawn from the set without replacement (rarefaction; Hurlbert,
Ecology 52, 1971). That is a sum over the counts of the n-grams, exact, without a draw.

The other remedy, expectation-adjusted distinct (Liu et al., ACL 2022), divides by what texts of
that size would have if every n-gram of a vocabulary were as likely as every other. Words are not,
and the size of the vocabulary would have to be made up.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.texts.ngrams import TokenNumbers, ngrams


@dataclass(frozen=True)
class DistinctN:
    """The distinct-n of one set of texts.

    Attributes:
        value: Different n-grams over n-grams, above 0 to 1.
        order: n.
        at: The number of n-grams it is given at.
        total: The number of n-grams of the set.
    """

    value: float
    order: int
    at: int
    total: int


def distinct_n(texts: Sequence[str], order: int, *, at: int | None = None) -> DistinctN:
    """Return the distinct-n of `texts`.

    Args:
        texts: At least one that has `order` tokens.
        order: n, at least 1; tokens are words and single punctuation marks.
        at: Number of n-grams to give it at; None takes them all.

    Raises:
        ValueError: No text has an n-gram, or `at` is not from 1 to their number.
    """
    counts = _counts(texts, order)
    return _rarefied(counts, order, int(counts.sum()) if at is None else at)


def distinct_n_alike(sets: Sequence[Sequence[str]], order: int) -> list[DistinctN]:
    """Return the distinct-n of several sets of texts, at the number of n-grams of the smallest.

    Args:
        sets: The texts of each set; in each at least one that has `order` tokens.
        order: n, at least 1.

    Raises:
        ValueError: A set without an n-gram.
    """
    counts = [_counts(texts, order) for texts in sets]
    at = min((int(each.sum()) for each in counts), default=0)
    return [_rarefied(each, order, at) for each in counts]


def _counts(texts: Sequence[str], order: int) -> NDArray[np.int64]:
    """Return how often each n-gram occurs."""
    if order < 1:
        raise ValueError(f"n-grams of {order} tokens; it takes at least 1")
    *_, found = ngrams(TokenNumbers.of(texts), order)
    if not len(found.numbers):
        raise ValueError(f"none of {len(texts)} texts has {order} tokens, so none has an n-gram")
    return np.bincount(found.numbers)


def _rarefied(counts: NDArray[np.int64], order: int, at: int) -> DistinctN:
    r"""Return the expected distinct-n of `at` n-grams drawn without replacement.

    An n-gram with count $c$ of $N$ is missed by $m$ draws with probability
    $\binom{N - c}{m} / \binom{N}{m} = \prod_{i < c} \frac{N - m - i}{N - i}$.
    """
    total = int(counts.sum())
    if not 1 <= at <= total:
        raise ValueError(f"distinct-{order} at {at} n-grams; the texts have {total}")
    each, how_many = np.unique(counts, return_counts=True)
    # An n-gram with more places than draws leave over cannot be missed.
    most = min(int(each[-1]), total - at)
    missed = np.cumsum(np.log1p(-at / (total - np.arange(most))))
    found = np.ones(len(each))
    found[each <= most] = -np.expm1(missed[each[each <= most] - 1])
    return DistinctN(min(1.0, float(found @ how_many) / at), order, at, total)
