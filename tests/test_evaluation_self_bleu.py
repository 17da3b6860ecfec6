"""Self-BLEU."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from evaluation.texts.self_bleu import self_bleu, self_bleu_scores
from evaluation.texts.words import tokens

# Few words: many n-grams are shared, come twice in a text, or have two largest counts.
TEXTS = st.lists(
    st.lists(st.sampled_from(["tea", "cup", "pot", "!"]), max_size=9).map(" ".join),
    min_size=2,
    max_size=12,
)


def _nltk_scores(texts: list[str]) -> list[float]:
    """Each text against all others, one `sentence_bleu` each."""
    split = [tokens(text) for text in texts]
    smoothing = SmoothingFunction().method1
    return [
        float(sentence_bleu(split[:i] + split[i + 1 :], each, smoothing_function=smoothing))
        for i, each in enumerate(split)
    ]


def test_self_bleu_of_two_texts() -> None:
    """Matches of orders 1 to 4, smoothed where there is none, and the penalty for shortness."""
    # "a b c d" against "a b c e f": 3/4 words, 2/3 pairs, 1/2 triples, 0.1/1 fours; the reference
    # is longer: exp(1 - 5/4). The other way 3/5, 2/4, 1/3, 0.1/2 and no penalty.
    first = np.exp(1 - 5 / 4) * (3 / 4 * 2 / 3 * 1 / 2 * 0.1) ** 0.25
    second = (3 / 5 * 2 / 4 * 1 / 3 * 0.05) ** 0.25
    assert self_bleu_scores(["a b c d", "a b c e f"]) == pytest.approx([first, second])
    assert self_bleu(["a b c d", "a b c e f"]).value == pytest.approx((first + second) / 2)


def test_matches_are_cut_at_what_another_text_has() -> None:
    """The text with the most of an n-gram is held against the second most."""
    # "x x x y" has three x, another text has one: 1 of 3 matches, and y none: 1/4 words; no pair.
    scores = self_bleu_scores(["x x x y", "x z"])
    assert scores[0] == pytest.approx((1 / 4 * 0.1 / 3 * 0.1 / 2 * 0.1 / 1) ** 0.25)


@given(texts=TEXTS)
def test_every_score_is_that_of_nltk(texts: list[str]) -> None:
    """One pass over the counts gives NLTK's BLEU against all others."""
    assert self_bleu_scores(texts) == pytest.approx(_nltk_scores(texts), abs=1e-12)


@given(texts=TEXTS, seed=st.integers(0, 2**32 - 1))
def test_marked_texts_score_as_among_all(texts: list[str], seed: int) -> None:
    """Scoring a few leaves their references all there."""
    marked = np.random.default_rng(seed).random(len(texts)) < 0.5
    assert self_bleu_scores(texts, marked) == pytest.approx(
        self_bleu_scores(texts)[marked], abs=1e-12
    )


def test_equal_texts_repeat_each_other_fully() -> None:
    """Copies of one text have a Self-BLEU of 1."""
    assert self_bleu(["the kettle is on the hob"] * 3).value == pytest.approx(1.0)


def test_texts_without_a_word_in_common_score_0() -> None:
    """Without one matching word there is no smoothing either; nor for an empty text."""
    assert self_bleu(["a b", "c d"]).value == 0.0
    assert self_bleu_scores(["", "a b", "a b"])[0] == 0.0
    assert self_bleu(["", " "]).value == 0.0


def test_a_draw_says_its_error() -> None:
    """Drawn 300 times, means lie around the exact one as far as their standard error says."""
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(30)]
    texts = [" ".join(rng.choice(words, size=rng.integers(3, 15))) for _ in range(80)]
    exact = self_bleu(texts)
    assert exact.standard_error == 0.0
    drawn = [self_bleu(texts, sample=20, seed=seed) for seed in range(300)]
    values = np.array([each.value for each in drawn])
    error = np.mean([each.standard_error for each in drawn])
    # Spread of the means against their error: within a tenth, at 300 draws about 2.5 of its sd.
    assert values.std() == pytest.approx(error, rel=0.1)
    assert values.mean() == pytest.approx(exact.value, abs=3 * error / np.sqrt(300))


def test_a_sample_of_all_is_exact() -> None:
    """Asking for as many as there are, or more, draws nothing."""
    texts = ["a b c", "a b d", "b c d"]
    assert self_bleu(texts, sample=3) == self_bleu(texts)


@pytest.mark.parametrize("texts", [[], ["one text"]])
def test_fewer_than_two_texts_are_refused(texts: list[str]) -> None:
    """One text has no other to repeat."""
    with pytest.raises(ValueError, match=f"Self-BLEU of {len(texts)} texts"):
        self_bleu(texts)


def test_a_sample_of_one_is_refused() -> None:
    """One score tells nothing of its error."""
    with pytest.raises(ValueError, match="a sample of 1 texts"):
        self_bleu(["a", "b", "c"], sample=1)
