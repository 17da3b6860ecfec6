"""A figure that may come from draws, with the error that drawing adds."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Estimate:
    """A figure of a whole set, or one estimated from draws.

    Attributes:
        value: The figure.
        standard_error: How far, typically, drawing takes the value from what it estimates; 0 where
            nothing was drawn. What other texts would have given is not in it.
    """

    value: float
    standard_error: float

    @classmethod
    def mean_of(cls, values: ArrayLike) -> "Estimate":
        """Return the mean of independent draws' values (n,), at least two."""
        drawn = np.asarray(values, dtype=np.float64)
        return cls(float(drawn.mean()), float(drawn.std(ddof=1) / np.sqrt(len(drawn))))


def drawn_pairs(
    real: Vectors, synthetic: Vectors, size: int, *, draws: int, seed: int
) -> Iterator[tuple[Vectors, Vectors]]:
    """Yield sets of `size` rows of both, drawn without replacement.

    Args:
        real: One vector a real text (n, d).
        synthetic: One vector a synthetic text (m, d).
        size: At most n and m.
        draws: How many, at least 2: one draw tells nothing of its error.
        seed: Of the draws.

    Raises:
        ValueError: A size that cannot be drawn, or fewer than 2 draws.
    """
    if draws < 2 or not 1 <= size <= min(len(real), len(synthetic)):
        raise ValueError(
            f"{draws} draws of {size} of {len(real)} real and of {len(synthetic)} synthetic texts; "
            "it takes at least 2 draws, of no more texts than there are"
        )
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        chosen, others = (rng.choice(len(each), size, replace=False) for each in (real, synthetic))
        yield real[chosen], synthetic[others]
