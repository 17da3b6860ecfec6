"""How far synthetic texts reach the places of the real ones, and keep to them.

Around each text lies a ball that just holds its k nearest texts of the same set. Of these balls:

- precision: the share of synthetic texts in the ball of a real text (Kynkaanniemi et al., "Improved
  Precision and Recall Metric for Assessing Generative Models", NeurIPS 2019);
- recall: the share of real texts in the ball of a synthetic text (the same);
- density: the number of real balls that hold a synthetic text, on average, over k; it may pass 1
  (Naeem et al., "Reliable Fidelity and Diversity Metrics for Generative Models", ICML 2020);
- coverage: the share of real texts in whose ball a synthetic text lies (the same).

Distances are those of unit vectors, so a ball is all texts whose cosine is at least some value. A
text on the edge is inside, within the rounding of float32. All four depend on the numbers of texts;
compare sets of equal size only.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from evaluation.embedding_space.cosine_blocks import cosine_blocks, resolve_device
from evaluation.embedding_space.neighbours import largest_cosines, unit_pair
from evaluation.uncertainty.estimate import Estimate, drawn_pairs

# Two float32 products of the same vectors differ by less.
_EDGE = 1e-6


@dataclass(frozen=True)
class Coverage:
    """How two sets of texts cover each other.

    Attributes:
        precision: Share of synthetic texts near real ones, 0 to 1.
        recall: Share of real texts near synthetic ones, by the synthetic texts' balls, 0 to 1.
        density: How crowded with real texts the places of the synthetic ones are, from 0; 1 on
            average where both sets have one source.
        coverage: Share of real texts near synthetic ones, by the real texts' balls, 0 to 1.
    """

    precision: float
    recall: float
    density: float
    coverage: float


@dataclass(frozen=True)
class CoverageEstimate:
    """The same, each the mean over drawn sets of `size` texts a side.

    Attributes:
        precision: As in `Coverage`.
        recall: As in `Coverage`.
        density: As in `Coverage`.
        coverage: As in `Coverage`.
        size: Texts of each side in a draw.
        draws: How many draws.
    """

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate
    size: int
    draws: int


def coverage(
    real: ArrayLike,
    synthetic: ArrayLike,
    k: int = 5,
    *,
    block: tuple[int, int] | None = None,
    device: str | None = None,
) -> Coverage:
    """Return precision, recall, density and coverage of all texts.

    Every pair of texts is compared, one block of float32 products at a time.

    Args:
        real: One vector a real text (n, d); they are normalised here.
        synthetic: One vector a synthetic text (m, d); they are normalised here.
        k: How many neighbours a ball holds; more than `k` texts are needed on both sides.
        block: Most rows and columns of cosines held at a time; the values do not depend on it.
        device: Where to multiply, as `torch` names it; None takes a GPU where there is one.

    Raises:
        ValueError: Too few texts, `k` below 1, vectors of two lengths, or a vector that is not
            finite or is zero.
    """
    import torch

    rows, columns = unit_pair(real, synthetic)
    _need_neighbours(k, real=len(rows), synthetic=len(columns))
    where = resolve_device(device)
    ours, theirs = torch.from_numpy(rows).to(where), torch.from_numpy(columns).to(where)
    our_edges, their_edges = (
        largest_cosines(each, each, k, shape=block, to_others=True)[:, -1] - _EDGE
        for each in (ours, theirs)
    )
    in_a_real_ball = torch.zeros(len(theirs), dtype=torch.bool, device=where)
    holds_one, in_a_synthetic_ball = (
        torch.zeros(len(ours), dtype=torch.bool, device=where) for _ in range(2)
    )
    inside = 0
    for side, across, cosines in cosine_blocks(ours, theirs, shape=block):
        by_real = cosines >= our_edges[side, None]
        in_a_real_ball[across] |= by_real.any(0)
        holds_one[side] |= by_real.any(1)
        inside += int(by_real.count_nonzero())
        in_a_synthetic_ball[side] |= (cosines >= their_edges[across]).any(1)
    return Coverage(
        precision=float(in_a_real_ball.double().mean()),
        recall=float(in_a_synthetic_ball.double().mean()),
        density=inside / (k * len(theirs)),
        coverage=float(holds_one.double().mean()),
    )


def sampled_coverage(
    real: ArrayLike,
    synthetic: ArrayLike,
    size: int,
    k: int = 5,
    *,
    draws: int = 10,
    seed: int = 0,
    block: tuple[int, int] | None = None,
    device: str | None = None,
) -> CoverageEstimate:
    """Return the means of precision, recall, density and coverage over drawn texts.

    What is estimated is the mean over all sets of `size` texts a side, drawn without replacement:
    with fewer texts the balls are wider, and the values are not those of `coverage` of all texts.

    Args:
        real: One vector a real text (n, d).
        synthetic: One vector a synthetic text (m, d).
        size: Texts of each side in a draw, more than `k` and at most as many as there are.
        k: How many neighbours a ball holds.
        draws: How many draws, at least 2.
        seed: Of the draws.
        block: As in `coverage`.
        device: As in `coverage`.

    Raises:
        ValueError: As `coverage`, a size that cannot be drawn, or fewer than 2 draws.
    """
    pairs = drawn_pairs(*unit_pair(real, synthetic), size, draws=draws, seed=seed)
    drawn = [coverage(some, others, k, block=block, device=device) for some, others in pairs]
    means = {
        each.name: Estimate.mean_of([getattr(result, each.name) for result in drawn])
        for each in fields(Coverage)
    }
    return CoverageEstimate(**means, size=size, draws=draws)


def same_source_coverage(n_real: int, n_synthetic: int, k: int = 5) -> float:
    r"""Return the coverage expected where both sets have one source.

    Then the k texts nearest to a real one are as likely to be any k of the other $n - 1$ real and
    the $m$ synthetic ones, and its ball is empty where all are real (Naeem et al., lemma 2):

    $$1 - \prod_{i=1}^{k} \frac{n - i}{n + m - i}$$

    Args:
        n_real: Number of real texts, more than `k`.
        n_synthetic: Number of synthetic texts, at least 1.
        k: How many neighbours a ball holds.

    Raises:
        ValueError: Too few texts, or `k` below 1.
    """
    if not 1 <= k < n_real or n_synthetic < 1:
        raise ValueError(
            f"coverage of {n_real} real by {n_synthetic} synthetic texts with {k} neighbours; "
            f"it takes more than {k} real texts and a synthetic one"
        )
    i = np.arange(1, k + 1)
    return float(1 - np.prod((n_real - i) / (n_real + n_synthetic - i)))


def _need_neighbours(k: int, **sizes: int) -> None:
    for name, size in sizes.items():
        if not 1 <= k < size:
            raise ValueError(
                f"the {k} nearest others of {size} {name} texts; "
                "k must be at least 1 and below their number"
            )
