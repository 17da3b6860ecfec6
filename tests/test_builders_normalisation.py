"""When two texts count as the same, and how words are counted."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.normalisation import comparison_key, word_count


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Hello, World!", "hello world"),
        ("  a \t b\n\nc ", "a b c"),
        ("don't", "don t"),
        ("snake_case", "snake case"),
        ("STRASSE", "strasse"),
        ("Stra\u00dfe", "strasse"),
        ("\uff28\uff45\uff4c\uff4c\uff4f \u2460", "hello 1"),  # full-width letters, circled digit
        ("caf\u00e9", "caf\u00e9"),
        ("cafe\u0301", "caf\u00e9"),  # NFKC composes e and the combining accent
        ("go \N{GRINNING FACE} now", "go now"),
        ("$5.00", "5 00"),
        ("", ""),
    ],
)
def test_the_key_ignores_case_punctuation_and_spacing(text: str, key: str) -> None:
    """Texts that differ only so have one key."""
    assert comparison_key(text) == key


@pytest.mark.parametrize(("one", "other"), [("?!", "!!"), ("\N{GRINNING FACE}", "\N{CRYING FACE}")])
def test_texts_without_words_keep_their_difference(one: str, other: str) -> None:
    """Two texts of different signs alone are not the same text."""
    assert comparison_key(one) != comparison_key(other)
    assert comparison_key(one) == comparison_key(f" {one} ")


def test_different_words_have_different_keys() -> None:
    """Word order, digits and letters count."""
    texts = ["a b", "b a", "ab", "a b 1", "a b 2", "a c", "\u00e4 b"]
    assert len({comparison_key(text) for text in texts}) == len(texts)


@given(st.text())
def test_a_key_is_lower_case_single_spaced_and_trimmed(text: str) -> None:
    """A key of words holds nothing else than words and single spaces."""
    key = comparison_key(text)
    assert key == key.strip()
    if any(unicodedata.category(character)[0] in "LN" for character in key):
        assert key.split(" ") == key.split()
        assert "_" not in key


@given(st.text(st.characters(codec="ascii")))
def test_the_key_of_a_key_is_itself(text: str) -> None:
    """Normalising twice changes nothing."""
    assert comparison_key(comparison_key(text)) == comparison_key(text)


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), (" \n", 0), ("one", 1), ("two  words", 2), ("a\u00a0b - c!", 4)]
)
def test_words_are_what_white_space_separates(text: str, count: int) -> None:
    """A dash on its own counts, as in any word count; no-break spaces separate."""
    assert word_count(text) == count


def test_vowel_signs_tell_words_apart() -> None:
    """Hindi words that differ only in a vowel sign are different words."""
    # U+0915 KA with the signs for I (U+093F) and U (U+0941).
    assert comparison_key("\u0915\u093f") != comparison_key("\u0915\u0941")


def test_an_emoji_with_its_variation_selector_is_dropped() -> None:
    """A red heart (U+2764 with U+FE0F) leaves nothing behind."""
    assert comparison_key("thank you \u2764\ufe0f") == comparison_key("Thank you!")
