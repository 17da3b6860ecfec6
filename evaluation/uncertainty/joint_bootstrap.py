"""One bootstrap for all arms of a task: the same drawn texts and seeds for every score.

Every run is scored on the same test texts, so each replicate draws texts once and scores all runs
on them; seeds are drawn with replacement too (the pigeonhole bootstrap, see
`evaluation.uncertainty.scores`). Differences of any arms are then paired by themselves, and a
figure that needs many arms, such as a curve, is resampled as a whole.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evaluation.uncertainty.interval import Interval

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]

REPLICATES = 2000
LEVEL = 0.95

# Columns of indicators that are multiplied at once.
_COLUMNS = 256

# Counts of drawn texts held at a time: 16 MiB of float32.
_AT_ONCE = 2**22


@dataclass(frozen=True)
class Resampled:
    """A score and how it came out in each replicate.

    Attributes:
        value: The score itself.
        replicates: The score in each replicate (replicates,).
    """

    value: float
    replicates: Floats

    def __sub__(self, other: "Resampled") -> "Resampled":
        """Return the difference, replicate by replicate."""
        return Resampled(self.value - other.value, self.replicates - other.replicates)

    def interval(self, level: float = LEVEL) -> Interval:
        """Return the value between the percentiles of the replicates.

        Raises:
            ValueError: The level is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise ValueError(f"level {level}; expected between 0 and 1")
        tail = (1 - level) / 2
        low, high = np.quantile(self.replicates, (tail, 1 - tail))
        return Interval(self.value, float(low), float(high), level)


class JointBootstrap:
    """Scores of the arms of a task, resampled together.

    Arms with the same number of seeds have the same seeds drawn, in the order of their rows: one
    seed gives all arms the same order and initial weights. Arms with another number have theirs
    drawn independently.

    Args:
        y_true: Label index of each test text (n,).
        predictions: Arm -> predicted label indices, a row a seed (seeds, n); -1 where there is no
            answer, which is never right.
        n_labels: Labels of the task; one that never occurs counts 0 in macro-F1.
        replicates: How many times to draw.
        seed: Seed of the draws; the same seed gives the same replicates.

    Raises:
        ValueError: No text, no seed, shapes that do not fit, or values that are not label indices.
    """

    def __init__(
        self,
        y_true: ArrayLike,
        predictions: Mapping[str, ArrayLike],
        n_labels: int,
        *,
        replicates: int = REPLICATES,
        seed: int = 0,
    ) -> None:
        self.n_labels = n_labels
        self._true = _label_indices("y_true", y_true, n_labels, ndim=1)
        self._said = {
            arm: _label_indices(f"predictions of {arm}", rows, n_labels, ndim=2, least=-1)
            for arm, rows in predictions.items()
        }
        for arm, rows in self._said.items():
            if rows.shape[1] != len(self._true) or not rows.size:
                raise ValueError(
                    f"predictions of {arm} have shape {rows.shape} for {len(self._true)} texts; "
                    "expected (seeds, texts), at least one of each"
                )
        if replicates < 1:
            raise ValueError(f"{replicates} replicates; it needs at least 1")
        rng = np.random.default_rng(seed)
        # Each number of seeds has its own stream: an arm more or less changes no other arm's draws.
        self._shares = {
            size: _seed_shares(np.random.default_rng([seed, size]), size, replicates)
            for size in sorted({len(rows) for rows in self._said.values()})
        }
        self._plain = {
            arm: scores[:, 0].mean(axis=1)
            for arm, scores in self._scores(np.ones((1, len(self._true)), dtype=np.float32))
        }
        drawn: dict[str, list[Floats]] = {arm: [] for arm in self._said}
        for counts in _draws(rng, len(self._true), replicates):
            for arm, scores in self._scores(counts):
                drawn[arm].append(scores)
        self._drawn = {arm: np.concatenate(parts, axis=1) for arm, parts in drawn.items()}

    def __contains__(self, arm: str) -> bool:
        return arm in self._said

    def macro_f1(self, arm: str) -> Resampled:
        """Return the mean over seeds of the arm's macro-F1."""
        return self._mean(arm, 0)

    def accuracy(self, arm: str) -> Resampled:
        """Return the mean over seeds of the arm's accuracy."""
        return self._mean(arm, 1)

    def gap(self, reference: str, other: str) -> Resampled:
        """Return the macro-F1 of `reference` minus that of `other`."""
        return self.macro_f1(reference) - self.macro_f1(other)

    def _mean(self, arm: str, metric: int) -> Resampled:
        shares = self._shares[len(self._said[arm])]
        means: Floats = (self._drawn[arm][metric] * shares).sum(axis=1)
        return Resampled(float(self._plain[arm][metric]), means)

    def _scores(self, counts: Floats) -> Iterator[tuple[str, Floats]]:
        """Yield each arm with macro-F1 and accuracy of its seeds: (2, replicates, seeds).

        F1 needs no more of a confusion matrix than its row sums, column sums and diagonal, each of
        which is the product of the counts with indicators. Several arms share one product: that of
        a narrow matrix would spend its time reading the counts.
        """
        k, labels = self.n_labels, np.arange(self.n_labels)
        is_true = (self._true == labels[:, None]).astype(np.float32)
        true = counts @ is_true.T
        for arms in self._groups():
            rows = np.concatenate([self._said[arm] for arm in arms])
            said = (rows[:, None] == labels[:, None]).astype(np.float32)  # (runs, labels, texts)
            both = np.concatenate([said, said * is_true]).reshape(-1, len(self._true))
            sums = (counts @ both.T).reshape(len(counts), 2, len(rows), k).astype(np.float64)
            predicted, hits = sums[:, 0], sums[:, 1]
            f1 = macro_f1(hits, predicted=predicted, true=true[:, None])
            scores = np.stack([f1, hits.sum(axis=-1) / len(self._true)])
            start = 0
            for arm in arms:
                end = start + len(self._said[arm])
                yield arm, scores[:, :, start:end]
                start = end

    def _groups(self) -> Iterator[list[str]]:
        """Yield arms together whose indicators are `_COLUMNS` at most."""
        group: list[str] = []
        columns = 0
        for arm, rows in self._said.items():
            own = 2 * self.n_labels * len(rows)
            if group and columns + own > _COLUMNS:
                yield group
                group, columns = [], 0
            group.append(arm)
            columns += own
        yield group


def macro_f1(hits: Floats, *, predicted: Floats, true: Floats) -> Floats:
    """Return the mean over labels (the last axis) of 2 hits / (predicted + true).

    A label that is neither predicted nor true counts 0.
    """
    either = np.asarray(predicted + true, dtype=np.float64)
    scores = np.divide(2 * hits, either, out=np.zeros_like(either), where=either > 0)
    means: Floats = scores.mean(axis=-1)
    return means


def _draws(rng: np.random.Generator, n: int, replicates: int) -> Iterator[Floats]:
    """Yield how often each text is drawn, as many as there are, with replacement.

    Yields:
        Counts (some replicates, n), in blocks of bounded memory; sums of them are at most n, and
        float32 is exact up to 2^24.
    """
    at_once = max(1, _AT_ONCE // n)
    for start in range(0, replicates, at_once):
        size = min(at_once, replicates - start)
        counts = np.empty((size, n), dtype=np.float32 if n < 2**24 else np.float64)
        for row in counts:
            row[:] = np.bincount(rng.integers(n, size=n), minlength=n)
        yield counts


def _seed_shares(rng: np.random.Generator, size: int, replicates: int) -> Floats:
    """Return the weight of each seed in each replicate (replicates, size); rows sum to 1."""
    shares: Floats = rng.multinomial(size, np.full(size, 1 / size), size=replicates) / size
    return shares


def _label_indices(name: str, values: ArrayLike, n_labels: int, ndim: int, least: int = 0) -> Ints:
    array = np.asarray(values)
    if array.ndim != ndim or array.dtype.kind not in "iu" or not array.size:
        raise ValueError(
            f"{name} is an array of {array.dtype} with shape {array.shape}; "
            f"expected label indices (integers) with {ndim} axes, at least one"
        )
    if not least <= array.min() <= array.max() < n_labels:
        raise ValueError(
            f"{name} goes from {array.min()} to {array.max()}; "
            f"the task's label indices are 0 to {n_labels - 1}"
        )
    return array.astype(np.int64)
