"""When two texts count as the same: case, punctuation and spacing are ignored."""

import re
import unicodedata

_VARIATION_SELECTORS = range(0xFE00, 0xFE10)
"""Marks by category, but they only choose how a symbol is drawn, and vanish with it."""


class _Kept(dict[int, int | None]):
    """Code point -> itself for letters, digits and combining marks, else a space; filled on use.

    The word class of `re` would not do: it leaves out the vowel signs of Hindi or Thai.
    """

    def __missing__(self, code: int) -> int | None:
        kept = unicodedata.category(chr(code))[0] in "LNM"
        self[code] = None if code in _VARIATION_SELECTORS else code if kept else ord(" ")
        return self[code]


_KEPT = _Kept()


def comparison_key(text: str) -> str:
    """Return the form of `text` under which equal texts are equal.

    NFKC, case-folded, punctuation and symbols dropped, runs of white space made one space. A text
    of nothing but punctuation or emoji keeps its own stripped form, so that two different ones stay
    different.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    key = " ".join(folded.translate(_KEPT).split())
    return key or folded.strip()


_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")


def single_spaced(text: str) -> str:
    """Return `text` with single spaces, without the halves of characters that were cut in two."""
    return " ".join(_HALF_CHARACTER.sub(" ", text).split())


def word_count(text: str) -> int:
    """Count the white-space separated words of `text`."""
    return len(text.split())
