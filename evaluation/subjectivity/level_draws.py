"""Right and wrong predictions at each level of agreement, and their bootstrap replicates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.uncertainty.resampling import Floats, Patterns


@dataclass(frozen=True)
class LevelDraws:
    """Hits of one or several arms at each level of agreement, seeds averaged.

    The bootstrap draws instances, and seeds independently of them; all arms share the drawn
    instances, and those with as many seeds the drawn seeds.

    Attributes:
        levels: The distinct levels of agreement, ascending (L,).
        counts: Instances at each level (L,).
        hits: Mean over seeds of the right predictions at each level (n_arms, L).
        drawn_counts: Counts in each replicate (replicates, L).
        drawn_hits: Hits in each replicate (replicates, n_arms, L).
    """

    levels: Floats
    counts: NDArray[np.int64]
    hits: Floats
    drawn_counts: Floats
    drawn_hits: Floats

    @classmethod
    def of(
        cls,
        labels: ArrayLike,
        arms: Sequence[ArrayLike],
        agreement: ArrayLike,
        replicates: int,
        seed: int,
    ) -> "LevelDraws":
        """Count, and draw.

        Args:
            labels: Label index of each instance (n,).
            arms: For each arm its predictions (n_seeds, n).
            agreement: Agreement of each instance's annotators (n,), 0 to 1.
            replicates: How many times to draw.
            seed: Seed of the draws.

        Raises:
            ValueError: No instance, no seed, or shapes that do not fit.
        """
        rates = np.asarray(agreement, dtype=np.float64)
        true = np.asarray(labels)
        if rates.shape != true.shape or not np.isfinite(rates).all():
            raise ValueError(
                f"agreement of shape {rates.shape} for {true.shape} labels; expected a finite "
                "number for each"
            )
        if replicates < 1:
            raise ValueError(f"{replicates} replicates; expected at least 1")
        levels, level = np.unique(rates, return_inverse=True)
        right = [(np.asarray(arm) == true).astype(np.int64) for arm in arms]
        # Instances alike in level and in who was right are drawn together.
        patterns = Patterns.of(level, right, max(2, len(levels)))
        hits_of = _hits(patterns, len(levels))
        rng = np.random.default_rng(seed)
        shares = patterns.draw_seeds(rng, replicates)
        blocks = [hits_of(drawn) for drawn in patterns.draw_texts(rng, replicates)]
        drawn_counts = np.concatenate([counts for counts, _ in blocks])
        every = np.concatenate([hits for _, hits in blocks])
        counts, plain = hits_of(patterns.counts[None].astype(np.float64))
        ends = np.cumsum(patterns.seeds)[:-1]
        return cls(
            levels=levels,
            counts=counts[0].astype(np.int64),
            hits=np.stack([arm[0].mean(axis=0) for arm in np.split(plain, ends, axis=1)]),
            drawn_counts=drawn_counts,
            drawn_hits=np.stack(
                [
                    np.einsum("rs,rsl->rl", share, arm)
                    for share, arm in zip(shares, np.split(every, ends, axis=1), strict=True)
                ],
                axis=1,
            ),
        )


def accuracies(hits: Floats, counts: Floats | NDArray[np.int64]) -> Floats:
    """Return hits / counts; NaN where a replicate drew no instance."""
    shares: Floats = np.divide(
        hits,
        counts,
        out=np.full(np.broadcast_shapes(hits.shape, counts.shape), np.nan),
        where=counts > 0,
    )
    return shares


def largest_class(labels: NDArray[np.int64]) -> float:
    """Return the share of the most frequent label: what always saying it would score."""
    return float(np.bincount(labels).max() / len(labels))


def from_level_on(values: Any) -> Any:
    """Sum over the levels from each level on: of instances with at least that agreement."""
    return np.flip(np.cumsum(np.flip(values, axis=-1), axis=-1), axis=-1)


def _hits(patterns: Patterns, n_levels: int) -> Any:
    """Return how counts of patterns (r, p) become instances (r, L) and hits (r, n_seeds, L)."""
    at = (patterns.y_true[:, None] == np.arange(n_levels)).astype(np.float32)
    right = [at * row[:, None] for row in patterns.predictions]

    def hits_of(drawn: Floats) -> tuple[Floats, Floats]:
        return drawn @ at, np.stack([drawn @ each for each in right], axis=1)

    return hits_of
