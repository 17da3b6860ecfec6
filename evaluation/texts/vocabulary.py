"""How far the words of synthetic texts are from those of real ones.

The Jensen-Shannon distance of the two distributions of words, and the words that make it. Both are
of words as `evaluation.texts.words` has them; a word counts as often as it stands there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.texts.ngrams import TokenNumbers
from evaluation.texts.words import words

Floats = NDArray[np.float64]

# Their mean is then known to about a twentieth of the spread between deals.
_DEALS = 20


@dataclass(frozen=True)
class VocabularyDistance:
    """The distance between the words of two sets of texts.

    Attributes:
        value: Jensen-Shannon distance (the root of the divergence in bits), from 0 (each word has
            the same share in both) to 1 (no word in common).
        same_source: What it is, on average, when the texts of both sets are mixed and dealt out
            again into sets of these sizes. Distances shrink as texts are added and this with them:
            a value near it is no difference.
    """

    value: float
    same_source: float


@dataclass(frozen=True)
class WordUse:
    """How a word is used in two sets of texts.

    Attributes:
        word: Case-folded.
        real: How often it stands in the real texts.
        synthetic: How often it stands in the synthetic texts.
        z: Weighted log-odds, above 0 where the synthetic texts use it more. Words come in clumps,
            a topic's with its texts, so z ranks words and is no test.
    """

    word: str
    real: int
    synthetic: int
    z: float


def vocabulary_distance(
    real: Sequence[str], synthetic: Sequence[str], *, seed: int = 0
) -> VocabularyDistance:
    """Return the Jensen-Shannon distance between the words of two sets of texts.

    Lin, "Divergence Measures Based on the Shannon Entropy" (IEEE Transactions on Information Theory
    37, 1991); its root is a metric.

    Args:
        real: The real texts, at least one word among them.
        synthetic: The synthetic texts, at least one word among them.
        seed: Of the deals.

    Raises:
        ValueError: A set without a word.
    """
    both, is_synthetic = _numbered(real, synthetic)
    rng = np.random.default_rng(seed)
    dealt = [_distance(both, rng.permutation(is_synthetic)) for _ in range(_DEALS)]
    return VocabularyDistance(_distance(both, is_synthetic), float(np.mean(dealt)))


def word_use(real: Sequence[str], synthetic: Sequence[str]) -> list[WordUse]:
    r"""Return every word, from the most over-used by the synthetic texts to the most under-used.

    Monroe, Colaresi & Quinn, "Fightin' Words" (Political Analysis 16, 2008): the difference of the
    log-odds of a word in the two sets over its standard deviation, with an informative Dirichlet
    prior. The prior is the words of both sets together, each as often as it stands there: a
    difference in few places is shrunk towards none. With counts $y_s$ and $y_r$ of a word, prior
    $a = y_s + y_r$ and sums $n_s$, $n_r$, $a_0$ over all words,

    $$z = \frac{\log\frac{y_s + a}{n_s + a_0 - y_s - a} - \log\frac{y_r + a}{n_r + a_0 - y_r - a}}
    {\sqrt{1 / (y_s + a) + 1 / (y_r + a)}}$$

    Args:
        real: The real texts, at least one word among them.
        synthetic: The synthetic texts, at least one word among them.

    Returns:
        Words as much used in one as in the other have z = 0. Equals are in alphabetical order.

    Raises:
        ValueError: A set without a word.
    """
    both, is_synthetic = _numbered(real, synthetic)
    counts = _counts(both, is_synthetic)
    prior = counts.sum(axis=0)
    shares = counts + prior
    others = shares.sum(axis=1, keepdims=True) - shares
    if len(prior) > 1:
        odds = np.log(shares / others)
        z = (odds[1] - odds[0]) / np.sqrt((1 / shares).sum(axis=0))
    else:
        # The only word is all that both sets use.
        z = np.zeros(1)
    uses = [
        WordUse(word, int(in_real), int(in_synthetic), float(each))
        for word, (in_real, in_synthetic), each in zip(both.known, counts.T, z, strict=True)
    ]
    return sorted(uses, key=lambda use: (-use.z, use.word))


def _numbered(
    real: Sequence[str], synthetic: Sequence[str]
) -> tuple[TokenNumbers, NDArray[np.bool_]]:
    both = TokenNumbers.of([*real, *synthetic], words)
    is_synthetic = np.arange(len(both.lengths)) >= len(real)
    for name, members in (("real", ~is_synthetic), ("synthetic", is_synthetic)):
        if not both.lengths[members].any():
            raise ValueError(f"no word in {members.sum()} {name} texts")
    return both, is_synthetic


def _counts(both: TokenNumbers, is_synthetic: NDArray[np.bool_]) -> Floats:
    """Return how often each word stands in the texts of the one set and of the other (2, words)."""
    of_synthetic = is_synthetic[both.text_of]
    in_all = np.bincount(both.numbers)
    in_synthetic = np.bincount(both.numbers[of_synthetic], minlength=len(both.known))
    return np.stack([in_all - in_synthetic, in_synthetic]).astype(np.float64)


def _distance(both: TokenNumbers, is_synthetic: NDArray[np.bool_]) -> float:
    from scipy.special import rel_entr

    counts = _counts(both, is_synthetic)
    shares = counts / counts.sum(axis=1, keepdims=True)
    divergence = rel_entr(shares, shares.mean(axis=0)).sum(axis=1).mean() / np.log(2)
    # SciPy's `jensenshannon` is NaN where rounding takes that of two nearly equal sets below 0.
    return float(np.sqrt(np.clip(divergence, 0.0, 1.0)))
