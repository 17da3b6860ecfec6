"""Distances between vocabularies and lengths, and how words are used."""

from collections.abc import Callable

import numpy as np
import pytest

from evaluation.texts.lengths import length_distance
from evaluation.texts.vocabulary import vocabulary_distance, word_use


def test_distance_of_two_vocabularies() -> None:
    """The root of the Jensen-Shannon divergence in bits."""
    # P = (1/2, 1/2, 0), Q = (1/2, 0, 1/2), M = (1/2, 1/4, 1/4):
    # KL(P | M) = 1/2 log2(1) + 1/2 log2(2) = 1/2, and so KL(Q | M).
    assert vocabulary_distance(["Tea cup!"], ["tea pot"]).value == pytest.approx(0.5**0.5)


def test_distances_from_none_to_all() -> None:
    """The same shares are at 0 whatever the numbers, no word in common at 1."""
    assert vocabulary_distance(["a b"], ["b a", "a b"]).value == 0.0
    assert vocabulary_distance(["a b"], ["c d"]).value == pytest.approx(1.0)


def test_texts_of_one_source_are_as_far_apart_as_chance_has_it() -> None:
    """Two halves of one source differ as their mixture dealt out again; another source does not."""
    rng = np.random.default_rng(0)
    vocabulary = [f"w{i}" for i in range(200)]
    texts = [" ".join(rng.choice(vocabulary, size=8)) for _ in range(200)]
    alike = vocabulary_distance(texts[:100], texts[100:])
    assert alike.value == pytest.approx(alike.same_source, rel=0.1)
    assert alike.same_source > 0.1
    others = [" ".join(rng.choice(vocabulary[:20], size=8)) for _ in range(100)]
    unlike = vocabulary_distance(texts[:100], others)
    assert unlike.value > 1.5 * unlike.same_source


def test_the_same_seed_deals_the_same() -> None:
    """Two calls give the same two numbers."""
    real, synthetic = ["a b c", "a d", "e f"], ["a b", "c d e"]
    assert vocabulary_distance(real, synthetic) == vocabulary_distance(real, synthetic)


def test_log_odds_of_a_word() -> None:
    """The formula of Monroe et al., with the counts of both sets as the prior."""
    uses = word_use(["tea tea cup"], ["cup cup cup pot"])
    # "cup": counts 1 of 3 and 3 of 4, prior 4 of 7. Odds (3 + 4) / (4 + 7 - 7) and
    # (1 + 4) / (3 + 7 - 5); variance 1/7 + 1/5.
    z = (np.log(7 / 4) - np.log(5 / 5)) / np.sqrt(1 / 7 + 1 / 5)
    cup = next(use for use in uses if use.word == "cup")
    assert (cup.real, cup.synthetic) == (1, 3)
    assert cup.z == pytest.approx(z)


def test_words_are_ranked_from_over_to_under_used() -> None:
    """The most over-used is first, the most under-used last, equals by the alphabet."""
    uses = word_use(["tea mild cup fox elk"] * 9, ["pot mild cup fox elk"] * 9)
    assert [use.word for use in uses] == ["pot", "cup", "elk", "fox", "mild", "tea"]
    assert uses[0].z == pytest.approx(-uses[-1].z)
    assert [use.z for use in uses[1:-1]] == [0.0] * 4


def test_a_difference_in_few_places_is_shrunk() -> None:
    """Once against never is less than thirty times against never."""
    uses = word_use(["tea cup"] * 100, ["tea cup"] * 100 + ["rare"] + ["often"] * 30)
    z = {use.word: use.z for use in uses}
    assert 0 < z["rare"] < 1 < z["often"]


def test_one_word_only() -> None:
    """Where both sets know one word, both use it alike."""
    assert [use.z for use in word_use(["tea tea"], ["Tea"])] == [0.0]
    assert vocabulary_distance(["tea tea"], ["Tea"]).value == 0.0


@pytest.mark.parametrize("measure", [vocabulary_distance, word_use])
@pytest.mark.parametrize(
    ("real", "synthetic", "message"),
    [
        ([], ["a"], "no word in 0 real texts"),
        (["a"], ["", "?!"], "no word in 2 synthetic texts"),
    ],
)
def test_a_set_without_a_word_is_refused(
    measure: Callable[[list[str], list[str]], object],
    real: list[str],
    synthetic: list[str],
    message: str,
) -> None:
    """Nothing has no distribution of words."""
    with pytest.raises(ValueError, match=message):
        measure(real, synthetic)


def test_distance_of_lengths_is_the_words_that_would_have_to_change() -> None:
    """Sorted by length, texts are paired: |1 - 2| and |3 - 6| on average."""
    assert length_distance(["a b c", "d"], ["a b", "a b c d e f"]) == pytest.approx((1 + 3) / 2)
    assert length_distance(["a b"], ["c d", "e f"]) == 0.0
    # An empty text has no words: 0 against 2.
    assert length_distance([""], ["a b"]) == 2.0


@pytest.mark.parametrize(("real", "synthetic"), [([], ["a"]), (["a"], [])])
def test_lengths_of_no_texts_are_refused(real: list[str], synthetic: list[str]) -> None:
    """Nothing has no distribution of lengths."""
    with pytest.raises(ValueError, match=f"no {'synthetic' if real else 'real'} text"):
        length_distance(real, synthetic)
