"""How far two sets of texts are apart as distributions: the area under their divergence frontier.

Pillutla et al., "MAUVE: Measuring the Gap Between Neural Text and Human Text using Divergence
Frontiers" (NeurIPS 2021), with their settings: unit vectors, reduced by principal components to
90 % of their variance, are sorted into buckets by k-means, a tenth as many as the smaller set has
texts and at most 500 (the paper's number); the shares of the buckets are two distributions P (real)
and Q (synthetic). Their embeddings are another model's, so values are not those of the paper.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.embedding_space.clusters import k_means
from evaluation.embedding_space.neighbours import unit_pair
from evaluation.uncertainty.estimate import Estimate, drawn_pairs

Floats = NDArray[np.float64]

_TEXTS_A_BUCKET = 10
_MOST_BUCKETS = 500
_VARIANCE = 0.9
# How steeply a divergence counts, and the shares of P in the mixtures: MAUVE's defaults.
_SCALE = 5.0
_MIXTURES = np.linspace(1e-6, 1 - 1e-6, 25)


@dataclass(frozen=True)
class Frontier:
    """The divergence frontier of two sets of texts.

    Attributes:
        area: Area under it, 0 (nothing in common) to 1 (the same shares in every bucket). It falls
            where buckets hold few texts; compare sets of equal size only.
        points: Points (n, 2) from (1, 0) to (0, 1): the first coordinate falls where synthetic
            texts lie where no real ones do, the second where real texts lie where no synthetic
            ones do.
        buckets: How many buckets hold texts.
    """

    area: float
    points: Floats
    buckets: int


def divergence_frontier(real: ArrayLike, synthetic: ArrayLike, *, seed: int = 0) -> Frontier:
    r"""Return the divergence frontier of two sets of texts.

    With mixtures $R_w = w P + (1 - w) Q$, its points are $(\exp(-c\,KL(Q | R_w)),
    \exp(-c\,KL(P | R_w)))$ for $0 < w < 1$.

    Args:
        real: One vector a real text (n, d); they are normalised here.
        synthetic: One vector a synthetic text (m, d); they are normalised here.
        seed: Of the start of k-means.

    Raises:
        ValueError: Fewer than 20 texts in a set (they make no two buckets), vectors of two lengths,
            or a vector that is not finite or is zero.
    """
    ours, theirs = unit_pair(real, synthetic)
    buckets = min(_MOST_BUCKETS, min(len(ours), len(theirs)) // _TEXTS_A_BUCKET)
    if buckets < 2:
        raise ValueError(
            f"the frontier of {len(ours)} real and {len(theirs)} synthetic texts; "
            f"it needs at least {2 * _TEXTS_A_BUCKET} of each"
        )
    bucket_of = k_means(_reduced(np.concatenate([ours, theirs])), buckets, seed=seed)
    p, q = (
        np.bincount(some, minlength=bucket_of.max() + 1) / len(some)
        for some in (bucket_of[: len(ours)], bucket_of[len(ours) :])
    )
    points = _points(p, q)
    area = -np.trapezoid(points[:, 1], points[:, 0])
    return Frontier(float(np.clip(area, 0.0, 1.0)), points, len(p))


def sampled_frontier_area(
    real: ArrayLike, synthetic: ArrayLike, size: int, *, draws: int = 10, seed: int = 0
) -> Estimate:
    """Return the mean area under the frontiers of drawn texts.

    What is estimated is the mean over all sets of `size` texts a side, drawn without replacement,
    and over starts of k-means; it is not the area of all texts.

    Args:
        real: One vector a real text (n, d).
        synthetic: One vector a synthetic text (m, d).
        size: Texts of each side in a draw, at least 20 and at most as many as there are.
        draws: How many draws, at least 2.
        seed: Of the draws and of the starts.

    Raises:
        ValueError: As `divergence_frontier`, a size that cannot be drawn, or fewer than 2 draws.
    """
    pairs = drawn_pairs(*unit_pair(real, synthetic), size, draws=draws, seed=seed)
    return Estimate.mean_of(
        [divergence_frontier(*pair, seed=seed + i).area for i, pair in enumerate(pairs)]
    )


def _reduced(vectors: NDArray[np.float32]) -> NDArray[Any]:
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits

    if not np.ptp(vectors, axis=0).any():
        return vectors
    # On one thread, as k-means: the last bits of a product depend on their number.
    with threadpool_limits(1):
        reduced: NDArray[Any] = PCA(_VARIANCE, svd_solver="covariance_eigh").fit_transform(vectors)
    return reduced


def _points(p: Floats, q: Floats) -> Floats:
    from scipy.special import rel_entr

    weights = _MIXTURES[:, None]
    mixtures = weights * p + (1 - weights) * q
    divergences = [rel_entr(each, mixtures).sum(axis=1) for each in (q, p)]
    points = np.exp(-_SCALE * np.stack(divergences, axis=1))
    # Mostly q to mostly p: from close to q and far from p to the reverse.
    return np.concatenate([[[1.0, 0.0]], points, [[0.0, 1.0]]])
