"""How many different texts a set amounts to: the Vendi score."""

import numpy as np
from numpy.typing import ArrayLike

from evaluation.embedding_space.cosine_blocks import unit_chunks


def vendi_score(embeddings: ArrayLike) -> float:
    r"""Return the effective number of different texts, from 1 (all equal) to min(n, d).

    Friedman & Dieng, "The Vendi Score" (TMLR 2023): the exponential of the entropy of the
    eigenvalues of $K / n$, with $K$ the cosines between all texts. With unit vectors as the rows of
    $U$, the eigenvalues of $U U^T / n$ and $U^T U / n$ are the same but for zeros, which count
    nothing. So a matrix of d x d gives it exactly, in O(n d^2). Everything is float64.

    No more than d texts can be told apart, and fewer than d texts at most n: compare sets of equal
    size only.

    Args:
        embeddings: One vector a text (n, d); they are normalised here.

    Raises:
        ValueError: No text, or a vector that is not finite or is zero.
    """
    n, products = 0, np.zeros((1, 1))
    for chunk in unit_chunks(embeddings):
        n += len(chunk)
        products = products + chunk.T @ chunk
    if not n:
        raise ValueError("the Vendi score of 0 texts is undefined")
    shares = np.linalg.eigvalsh(products / n)
    # They sum to 1; those that are zero are rounded to either side of it.
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))
