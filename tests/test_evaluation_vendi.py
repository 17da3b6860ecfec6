"""The Vendi score."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.embedding_space.vendi import vendi_score


def test_texts_at_right_angles_are_all_different() -> None:
    """Three texts that have nothing in common amount to three."""
    assert vendi_score(np.diag([1.0, 2.0, 0.5])) == pytest.approx(3.0)


def test_equal_texts_amount_to_one() -> None:
    """Copies add nothing."""
    assert vendi_score([[0.6, 0.8]] * 5) == pytest.approx(1.0)
    assert vendi_score([[3.0, 0.0]]) == pytest.approx(1.0)


def test_two_kinds_of_text_count_by_their_shares() -> None:
    """Three of one kind and one of another: the exponential of the entropy of 3/4 and 1/4."""
    expected = np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))
    assert vendi_score([[1.0, 0.0]] * 3 + [[0.0, 1.0]]) == pytest.approx(expected)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 300), d=st.integers(1, 12))
def test_the_small_matrix_gives_the_definition(seed: int, n: int, d: int) -> None:
    """The eigenvalues of all cosines give it, with more texts than dimensions or fewer."""
    vectors = np.random.default_rng(seed).standard_normal((n, d))
    units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    shares = np.linalg.eigvalsh(units @ units.T / n)
    shares = shares[shares > 1e-14]
    assert vendi_score(vectors) == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))


def test_no_text_is_refused() -> None:
    """No texts amount to no number."""
    with pytest.raises(ValueError, match="0 texts is undefined"):
        vendi_score(np.ones((0, 3)))


def test_a_text_without_direction_is_refused() -> None:
    """NaN does not become a score."""
    with pytest.raises(ValueError, match="text 1 is not finite"):
        vendi_score([[1.0, 0.0], [np.nan, 0.0]])
