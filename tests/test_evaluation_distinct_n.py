"""Distinct-n."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.texts.distinct_n import distinct_n, distinct_n_alike

TEXTS = ["a b a c", "a b"]


def test_distinct_n_is_different_over_all() -> None:
    """Of all n-grams of all texts, the share of different ones."""
    # a b a c a b: 3 of 6. ab ba ac ab: 3 of 4. aba bac: 2 of 2.
    assert [distinct_n(TEXTS, order).value for order in (1, 2, 3)] == [3 / 6, 3 / 4, 1.0]
    assert distinct_n(TEXTS, 2).total == 4


def test_distinct_n_at_fewer_is_the_mean_over_all_draws() -> None:
    """Two of aaabbc: 11 of 15 pairs differ, 4 are alike."""
    assert distinct_n(TEXTS, 1, at=2).value == pytest.approx((11 * 2 + 4 * 1) / 15 / 2)


@given(letters=st.lists(st.sampled_from("abcd"), min_size=1, max_size=9), at=st.integers(1, 9))
def test_rarefying_is_drawing_in_every_way(letters: list[str], at: int) -> None:
    """The sum over counts is the mean over all subsets."""
    at = min(at, len(letters))
    draws = [len(set(drawn)) / at for drawn in combinations(letters, at)]
    result = distinct_n([" ".join(letters)], 1, at=at)
    assert result.value == pytest.approx(sum(draws) / len(draws))


def test_sets_are_compared_at_the_number_of_the_smallest() -> None:
    """The larger set is not punished for its size."""
    small, large = ["a b c"], ["a b c"] * 4
    ours, theirs = distinct_n_alike([small, large], 1)
    # Three of aaaabbbbcccc: 3 (1 - C(8, 3) / C(12, 3)) = 3 (1 - 56 / 220) different ones.
    assert (ours.value, ours.at) == (1.0, 3)
    assert theirs.value == pytest.approx(1 - 56 / 220)
    assert distinct_n(large, 1).value == pytest.approx(3 / 12)


def test_equal_tokens_only() -> None:
    """One token repeated has one distinct n-gram."""
    assert distinct_n(["a a a a"], 2).value == pytest.approx(1 / 3)
    assert distinct_n(["a a a a"], 2, at=1).value == 1.0


@pytest.mark.parametrize("texts", [[], ["", " "], ["one", "two"]])
def test_texts_without_an_ngram_are_refused(texts: list[str]) -> None:
    """No pair of tokens, no share of different pairs."""
    with pytest.raises(ValueError, match=f"none of {len(texts)} texts has 2 tokens"):
        distinct_n(texts, 2)


@pytest.mark.parametrize("at", [0, 7])
def test_more_ngrams_than_there_are_are_refused(at: int) -> None:
    """What the set would have with more texts is not made up."""
    with pytest.raises(ValueError, match=f"distinct-1 at {at} n-grams; the texts have 6"):
        distinct_n(TEXTS, 1, at=at)


def test_an_order_below_one_is_refused() -> None:
    """There are no n-grams of no token."""
    with pytest.raises(ValueError, match="n-grams of 0 tokens"):
        distinct_n(TEXTS, 0)
