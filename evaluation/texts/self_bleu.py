"""How much the texts of a set repeat each other: Self-BLEU.

Zhu et al., "Texygen: A Benchmarking Platform for Text Generation Models" (SIGIR 2018): the mean
over texts of the BLEU of each against all others as its references. Higher is less diverse. It
grows as texts are added; compare sets of equal size only.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.texts.ngrams import NGrams, TokenNumbers, ngrams
from evaluation.uncertainty.estimate import Estimate

Floats = NDArray[np.float64]

_ORDERS = 4
# What stands for no match, "method 1" of Chen & Cherry (WMT 2014) with NLTK's value.
_NO_MATCH = 0.1


def self_bleu(texts: Sequence[str], *, sample: int | None = None, seed: int = 0) -> Estimate:
    """Return the mean over texts of the BLEU-4 of each against all others.

    BLEU is NLTK's `sentence_bleu` with its smoothing method 1, as Texygen and ZeroGen's script take
    it. Tokens are words and single punctuation marks, upper and lower case apart.

    Args:
        texts: At least two.
        sample: Score only so many texts, drawn without replacement, still against all others;
            None scores all. It saves half of the time: the references are counted all the same.
        seed: Of the draw.

    Returns:
        From 0 to 1; the standard error is that of the mean of a draw from a finite set.

    Raises:
        ValueError: Fewer than 2 texts, or a sample of fewer than 2.
    """
    n = len(texts)
    if sample is None or sample >= n:
        return Estimate(float(self_bleu_scores(texts).mean()), 0.0)
    if sample < 2:
        raise ValueError(f"a sample of {sample} texts; its error needs at least 2")
    drawn = np.zeros(n, dtype=np.bool_)
    drawn[np.random.default_rng(seed).choice(n, size=sample, replace=False)] = True
    scores = self_bleu_scores(texts, drawn)
    error = scores.std(ddof=1) * np.sqrt((1 - sample / n) / sample)
    return Estimate(float(scores.mean()), float(error))


def self_bleu_scores(texts: Sequence[str], scored: NDArray[np.bool_] | None = None) -> Floats:
    """Return the BLEU-4 of each text against all others.

    A text's matches are cut at the most that any *other* text has of an n-gram: the largest count
    of all texts, or the second largest for the text that has the largest. So one pass over the
    counts scores all texts exactly.

    Args:
        texts: At least two (n).
        scored: Marks the texts to score (n,); None scores all.

    Returns:
        Scores of the marked texts in their order, from 0 to 1. A text without tokens has 0.

    Raises:
        ValueError: Fewer than 2 texts.
    """
    if len(texts) < 2:
        raise ValueError(f"Self-BLEU of {len(texts)} texts; it needs at least 2")
    numbered = TokenNumbers.of(texts)
    found = ngrams(numbered, _ORDERS, found_in=scored)
    matches = np.stack([_matches(each, len(texts)) for each in found])
    possible = np.maximum(numbered.lengths - np.arange(_ORDERS)[:, None], 1)
    precisions = np.where(matches > 0, matches, _NO_MATCH) / possible
    scores: Floats = _brevity_penalty(numbered.lengths) * np.exp(np.log(precisions).mean(axis=0))
    scores[matches[0] == 0] = 0.0
    return scores if scored is None else scores[scored]


def _matches(found: NGrams, n_texts: int) -> Floats:
    """Return how many n-grams of each text are matched in another text (n_texts,)."""
    # Counts of pairs of n-gram and text, ordered by n-gram.
    pairs, counts = np.unique(found.numbers * n_texts + found.text_of, return_counts=True)
    gram, text = np.divmod(pairs, n_texts)
    starts = np.flatnonzero(np.diff(gram, prepend=-1))
    if not len(starts):
        return np.zeros(n_texts)
    most = np.maximum.reduceat(counts, starts)[gram]
    leads = counts == most
    alone = leads & (np.add.reduceat(leads.astype(np.int64), starts)[gram] == 1)
    second = np.maximum.reduceat(np.where(leads, 0, counts), starts)[gram]
    matched = np.minimum(counts, np.where(alone, second, most)).astype(np.float64)
    per_text: Floats = np.bincount(text, weights=matched, minlength=n_texts).astype(np.float64)
    return per_text


def _brevity_penalty(lengths: NDArray[np.int64]) -> Floats:
    """Return exp(1 - r / c) of texts shorter than r, else 1.

    c is a text's length, r the nearest length of another text, the shorter of two as near.
    """
    found, counts = np.unique(lengths, return_counts=True)
    shorter = np.concatenate([[-np.inf], found[:-1]])
    longer = np.concatenate([found[1:], [np.inf]])
    nearest = np.where(found - shorter <= longer - found, shorter, longer)
    nearest = np.where(counts > 1, found, nearest)
    penalty = np.where(found > nearest, 1.0, np.exp(1 - nearest / np.maximum(found, 1)))
    of_texts: Floats = penalty[np.searchsorted(found, lengths)]
    return of_texts
