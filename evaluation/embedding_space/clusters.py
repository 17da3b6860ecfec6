"""Texts grouped by what they are about: k-means of their embeddings, the same in every run."""

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.embedding_space.cosine_blocks import unit_vectors

_FEWEST, _MOST = 2, 20
# Of so many starts the one with the closest groups is kept.
_STARTS = 4


@dataclass(frozen=True)
class Clusters:
    """Groups of texts.

    Attributes:
        of_text: The group of each text (n,), from 0; no group is empty.
        nearness: Cosine of each text to the middle of its group (n,).
    """

    of_text: NDArray[np.int64]
    nearness: NDArray[np.float64]


def cluster_count(n_texts: int) -> int:
    """Return how many groups to make: the root of half the texts, from 2 to 20.

    The rule of thumb of Mardia, Kent & Bibby, "Multivariate Analysis" (1979); no more than a person
    looks through, and no more than there are texts.
    """
    return min(n_texts, max(_FEWEST, min(_MOST, round(math.sqrt(n_texts / 2)))))


def cluster_texts(
    embeddings: ArrayLike, n_clusters: int | None = None, *, seed: int = 0
) -> Clusters:
    """Group texts by k-means of their unit vectors.

    Args:
        embeddings: One vector a text (n, d); they are normalised here.
        n_clusters: How many groups, from 1 to n; None takes `cluster_count`. Fewer come out where
            fewer texts differ.
        seed: Of the starts.

    Raises:
        ValueError: No text, a number of groups that cannot be made, or a vector that is not finite
            or is zero.
    """
    units = unit_vectors(embeddings)
    if not len(units):
        raise ValueError("no text to group")
    wanted = cluster_count(len(units)) if n_clusters is None else n_clusters
    if not 1 <= wanted <= len(units):
        raise ValueError(f"{wanted} groups of {len(units)} texts; it takes from 1 to their number")
    of_text = k_means(units, wanted, seed=seed, starts=_STARTS)
    middles = np.zeros((of_text.max() + 1, units.shape[1]))
    np.add.at(middles, of_text, units)
    middles /= np.maximum(np.linalg.norm(middles, axis=1, keepdims=True), np.finfo(float).tiny)
    return Clusters(of_text, np.einsum("ij,ij->i", units, middles[of_text]))


def k_means(vectors: NDArray[Any], n_clusters: int, *, seed: int, starts: int = 1) -> Any:
    """Return the k-means group of each of `vectors` (n, d) as integers (n,), no group empty.

    Raises:
        ValueError: As scikit-learn's `KMeans`.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    means = KMeans(n_clusters, n_init=starts, random_state=seed)
    # On one thread: several add up in the order in which they finish, and rounding differs.
    with threadpool_limits(1), warnings.catch_warnings():
        # Fewer groups than asked for, where fewer texts differ, are all that there can be.
        warnings.simplefilter("ignore", ConvergenceWarning)
        labels = means.fit(vectors).labels_
    return np.unique(labels, return_inverse=True)[1]
