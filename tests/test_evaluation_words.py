"""Tokens and words."""

from evaluation.texts.ngrams import TokenNumbers, ngrams
from evaluation.texts.words import tokens, words


def test_punctuation_marks_are_tokens_of_their_own() -> None:
    """Words keep their case and their apostrophe, every mark stands alone."""
    assert tokens("Don't stop -- it's 5pm!") == ["Don't", "stop", "-", "-", "it's", "5pm", "!"]


def test_words_are_folded_and_without_marks() -> None:
    """Case, width and the kind of apostrophe do not make another word."""
    curly = "Don\N{RIGHT SINGLE QUOTATION MARK}t"
    wide = "\N{FULLWIDTH LATIN CAPITAL LETTER A}b"
    assert words(f"{curly} don't _ ({wide})!") == ["don't", "don't", "ab"]


def test_vowel_signs_belong_to_their_word() -> None:
    """A Hindi word is one token, although its vowel signs are no letters."""
    word = "\N{DEVANAGARI LETTER KA}\N{DEVANAGARI VOWEL SIGN I}\N{DEVANAGARI LETTER TA}"
    assert tokens(f"{word} {word}.") == [word, word, "."]


def test_a_text_without_tokens() -> None:
    """Nothing and white space have no token; an emoji is one, but no word."""
    assert [tokens(text) for text in ("", " \n", "\N{HOT BEVERAGE}")] == [
        [],
        [],
        ["\N{HOT BEVERAGE}"],
    ]
    assert words("\N{HOT BEVERAGE} !") == []


def test_ngrams_are_numbered_by_what_they_are_and_end_with_their_text() -> None:
    """Equal n-grams share a number; none goes over the end of a text."""
    numbered = TokenNumbers.of(["a b a b", "b a", "", "a b"])
    one, two, three = ngrams(numbered, 3)
    # a b a b | b a | a b
    assert one.numbers.tolist() == [0, 1, 0, 1, 1, 0, 0, 1]
    # ab ba ab | ba | ab
    assert two.numbers.tolist() == [0, 1, 0, 1, 0]
    assert two.text_of.tolist() == [0, 0, 0, 1, 3]
    # aba bab
    assert (three.numbers.tolist(), three.text_of.tolist()) == ([0, 1], [0, 0])


def test_ngrams_that_are_in_no_marked_text_are_left_out() -> None:
    """Of the other texts only what they share with the marked ones remains."""
    numbered = TokenNumbers.of(["a b c", "a b d a b", "d"])
    marked = numbered.lengths == 3
    one, two, three = ngrams(numbered, 3, found_in=marked)
    assert one.text_of.tolist() == [0, 0, 0, 1, 1, 1, 1]
    # ab bc | ab ab
    assert two.numbers.tolist() == [0, 1, 0, 0]
    assert three.text_of.tolist() == [0]
