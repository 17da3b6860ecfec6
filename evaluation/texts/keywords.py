"""Words that tell groups of texts apart."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from evaluation.texts.ngrams import TokenNumbers
from evaluation.texts.words import words


def group_keywords(texts: Sequence[str], group_of: ArrayLike, n: int = 8) -> list[tuple[str, ...]]:
    r"""Return the `n` words that are most typical of each group, the most typical first.

    Class-based TF-IDF (Grootendorst, "BERTopic", arXiv 2203.05794): with $f_{w,g}$ how often a word
    stands in a group, $f_w$ how often in all, and $A$ the words of a group on average, its weight
    is $f_{w,g} \log(1 + A / f_w)$. English stop words, numbers and single letters are left out;
    equals are in alphabetical order.

    Args:
        texts: The texts (m).
        group_of: The group of each (m,), integers from 0.
        n: How many words; a group that has fewer gets fewer.

    Raises:
        ValueError: Not one group for each text.
    """
    groups = np.asarray(group_of, dtype=np.int64)
    if groups.shape != (len(texts),):
        raise ValueError(
            f"groups of shape {groups.shape} for {len(texts)} texts; expected one each"
        )
    numbered = TokenNumbers.of(texts, _content_words)
    n_groups, n_words = int(groups.max(initial=-1)) + 1, len(numbered.known)
    places = groups[numbered.text_of] * n_words + numbered.numbers
    counts = np.bincount(places, minlength=n_groups * n_words).reshape(n_groups, n_words)
    mean_size = counts.sum() / max(n_groups, 1)
    weights = counts * np.log1p(mean_size / counts.sum(axis=0))
    by_name = np.argsort(np.array(numbered.known, dtype=np.str_), kind="stable")
    keywords = []
    for row in weights[:, by_name]:
        best = np.argsort(-row, kind="stable")[: max(n, 0)]
        keywords.append(tuple(numbered.known[by_name[i]] for i in best if row[i] > 0))
    return keywords


def _content_words(text: str) -> list[str]:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return [
        word
        for word in words(text)
        # Of "it's" and "we'll" what stands before the apostrophe is a stop word.
        if len(word) > 1
        and not word.isnumeric()
        and word.partition("'")[0] not in ENGLISH_STOP_WORDS
    ]
