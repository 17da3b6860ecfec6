"""Draws of a two-level bootstrap: test texts, and the seeds of one or two arms."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]

# Counts held at a time: 16 MiB of float32.
_AT_ONCE = 2**22
# A binomial is about ten times as dear to draw as a text.
_BINOMIAL_COST = 10


@dataclass(frozen=True)
class Patterns:
    """Test texts, those with the same label and the same predictions taken together.

    Attributes:
        y_true: Label index of each pattern (p,).
        predictions: Predicted label indices of each pattern (n_seeds, p), all arms in turn.
        counts: Texts of each pattern (p,).
        of_text: Pattern of each text (n,).
        seeds: Number of seeds of each arm.
    """

    y_true: Ints
    predictions: Ints
    counts: Ints
    of_text: Ints
    seeds: tuple[int, ...]

    @classmethod
    def of(cls, y_true: ArrayLike, arms: Sequence[ArrayLike], n_labels: int) -> "Patterns":
        """Take alike texts together.

        Args:
            y_true: Label index of each text (n,).
            arms: For each arm its predictions (n_seeds, n).
            n_labels: Label indices are below this.

        Raises:
            ValueError: No text, no seed, shapes that do not fit, or values that are not label
                indices.
        """
        true = _label_indices("y_true", y_true, n_labels, ndim=1)
        rows = [_label_indices("predictions", arm, n_labels, ndim=2) for arm in arms]
        for arm in rows:
            if arm.shape[1] != len(true) or not arm.size:
                raise ValueError(
                    f"predictions have shape {arm.shape} for {len(true)} texts; "
                    "expected (seeds, texts), at least one of each"
                )
        predictions = np.concatenate(rows)
        code = true
        for row in predictions:
            # Numbered afresh at every row: below n * n_labels, it cannot overflow.
            code = np.unique(code * n_labels + row, return_inverse=True)[1]
        _, first, counts = np.unique(code, return_index=True, return_counts=True)
        seeds = tuple(len(arm) for arm in rows)
        return cls(true[first], predictions[:, first], counts, code, seeds)

    def draw_texts(self, rng: np.random.Generator, replicates: int) -> Iterator[Floats]:
        """Yield how often each pattern is drawn, as many texts as there are, with replacement.

        Yields:
            Counts (some replicates, p), in blocks of bounded memory.
        """
        n, p = len(self.of_text), len(self.counts)
        # Sums of counts are at most n, and float32 is exact up to 2^24.
        dtype = np.float32 if n < 2**24 else np.float64
        at_once = max(1, _AT_ONCE // p)
        for start in range(0, replicates, at_once):
            size = min(at_once, replicates - start)
            if p * _BINOMIAL_COST < n:
                # Exactly the distribution of the counts of n draws, for p binomials each.
                yield rng.multinomial(n, self.counts / n, size=size).astype(dtype)
            else:
                counts = np.empty((size, p), dtype=dtype)
                for row in counts:
                    row[:] = np.bincount(self.of_text[rng.integers(n, size=n)], minlength=p)
                yield counts

    def draw_seeds(self, rng: np.random.Generator, replicates: int) -> tuple[Floats, ...]:
        """Return for each arm the weight of each seed's score in each replicate.

        The weights of a row sum to 1. Arms with the same number of seeds share their draw.

        Returns:
            Weights (replicates, n_seeds), one array an arm.
        """
        drawn: dict[int, Floats] = {}
        for size in self.seeds:
            if size not in drawn:
                drawn[size] = _seed_shares(rng, size, replicates)
        return tuple(drawn[size] for size in self.seeds)


def _seed_shares(rng: np.random.Generator, size: int, replicates: int) -> Floats:
    shares: Floats = rng.multinomial(size, np.full(size, 1 / size), size=replicates) / size
    return shares


def _label_indices(name: str, values: ArrayLike, n_labels: int, ndim: int) -> Ints:
    array = np.asarray(values)
    if array.ndim != ndim or array.dtype.kind not in "iu":
        raise ValueError(
            f"{name} is an array of {array.dtype} with shape {array.shape}; "
            f"expected label indices (integers) with {ndim} axes"
        )
    if array.size and not 0 <= array.min() <= array.max() < n_labels:
        raise ValueError(
            f"{name} goes from {array.min()} to {array.max()}; "
            f"the task's label indices are 0 to {n_labels - 1}"
        )
    return array.astype(np.int64)
