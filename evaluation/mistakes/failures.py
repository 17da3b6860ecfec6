"""The test texts that one arm gets right and another misses, and what they are about."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.embedding_space.clusters import Clusters, cluster_texts
from evaluation.texts.keywords import group_keywords

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Failures:
    """Where two arms part, by the majority of each arm's seeds.

    Attributes:
        n_texts: Number of test texts.
        right: Indices of the texts that the reference arm gets right.
        missed: Of these, those that the other arm gets wrong: what it loses.
        gained: Indices of the texts that the reference arm gets wrong and the other right.
    """

    n_texts: int
    right: Ints
    missed: Ints
    gained: Ints


@dataclass(frozen=True)
class FailureGroup:
    """Test texts on one subject, and how many of them the other arm loses.

    Attributes:
        keywords: Words typical of the group against all other test texts, the most typical first.
        n_texts: Test texts of the group.
        n_right: Of these, those that the reference arm gets right.
        share_missed: Of those, the share that the other arm misses; None where there are none.
        excess: That share over the share of all texts; None where either is undefined.
        p_value: Of finding so many missed texts here or more if all that the reference arm gets
            right were as likely to be missed (hypergeometric).
        adjusted_p: The same, corrected for looking at all groups (Benjamini-Hochberg).
        missed: Indices of the missed texts, the most central of the group first.
    """

    keywords: tuple[str, ...]
    n_texts: int
    n_right: int
    share_missed: float | None
    excess: float | None
    p_value: float
    adjusted_p: float
    missed: Ints


def find_failures(
    y_true: ArrayLike, reference_predictions: ArrayLike, other_predictions: ArrayLike
) -> Failures:
    """Return the texts on which two arms differ.

    An arm gets a text right where more than half of its seeds do, and wrong where more than half do
    not; what its seeds are split on evenly is neither.

    Args:
        y_true: Label index of each test text (n,).
        reference_predictions: The real arm's predictions (seeds, n).
        other_predictions: The synthetic arm's predictions (seeds, n); the seeds may be others.

    Raises:
        ValueError: No text, no seed, or shapes that do not fit.
    """
    labels: NDArray[Any] = np.asarray(y_true)
    shares = []
    for arm in (reference_predictions, other_predictions):
        predicted = np.asarray(arm)
        if labels.ndim != 1 or predicted.shape[1:] != labels.shape or not predicted.size:
            raise ValueError(
                f"predictions have shape {predicted.shape} for labels of shape {labels.shape}; "
                "expected (seeds, texts) and (texts,), at least one of each"
            )
        shares.append((predicted == labels).mean(axis=0))
    reference, other = shares
    return Failures(
        n_texts=len(labels),
        right=np.flatnonzero(reference > 0.5),
        missed=np.flatnonzero((reference > 0.5) & (other < 0.5)),
        gained=np.flatnonzero((reference < 0.5) & (other > 0.5)),
    )


def group_failures(
    texts: Sequence[str],
    embeddings: ArrayLike,
    failures: Failures,
    *,
    n_clusters: int | None = None,
    seed: int = 0,
) -> list[FailureGroup]:
    """Group all test texts by subject, and say where the missed ones are more than elsewhere.

    Subjects are k-means clusters of the embeddings, made without looking at who is right.

    Args:
        texts: The test texts (n).
        embeddings: One vector a test text (n, d).
        failures: Of these texts.
        n_clusters: How many groups; None takes `evaluation.embedding_space.clusters.cluster_count`.
        seed: Of the clustering.

    Returns:
        All groups, those with the smallest p-value first, then those with more missed texts.

    Raises:
        ValueError: Numbers that do not fit, or as
            `evaluation.embedding_space.clusters.cluster_texts`.
    """
    from scipy.stats import false_discovery_control, hypergeom

    clusters = cluster_texts(embeddings, n_clusters, seed=seed)
    if not len(texts) == len(clusters.of_text) == failures.n_texts:
        raise ValueError(
            f"{len(texts)} texts, {len(clusters.of_text)} embeddings and failures of "
            f"{failures.n_texts} texts; all three must be of the same texts"
        )
    n_texts, n_right, n_missed = (
        np.bincount(clusters.of_text[some], minlength=clusters.of_text.max() + 1)
        for some in (np.arange(len(texts)), failures.right, failures.missed)
    )
    p_values = hypergeom.sf(n_missed - 1, n_right.sum(), n_missed.sum(), n_right)
    # Where nothing was right or nothing missed, every outcome is as extreme; SciPy has no number
    # for a draw from nothing.
    p_values = np.where(np.isnan(p_values), 1.0, p_values)
    adjusted = false_discovery_control(p_values)
    keywords = group_keywords(texts, clusters.of_text)
    overall = _share(n_missed.sum(), n_right.sum())
    groups = []
    for group in np.lexsort((-n_missed, p_values)):
        share = _share(n_missed[group], n_right[group])
        groups.append(
            FailureGroup(
                keywords=keywords[group],
                n_texts=int(n_texts[group]),
                n_right=int(n_right[group]),
                share_missed=share,
                excess=share / overall if share is not None and overall else None,
                p_value=float(p_values[group]),
                adjusted_p=float(adjusted[group]),
                missed=_central_first(failures.missed, clusters, int(group)),
            )
        )
    return groups


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None


def _central_first(missed: Ints, clusters: Clusters, group: int) -> Ints:
    own = missed[clusters.of_text[missed] == group]
    ordered: Ints = own[np.argsort(-clusters.nearness[own], kind="stable")]
    return ordered
