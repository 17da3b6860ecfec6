"""Texts as tokens and as words.

Languages that put no spaces between words are not split: a run of Chinese or Thai letters is one
token, and measures of words say little there.
"""

import unicodedata
from functools import cache
from typing import Any

_CURLY = "\N{RIGHT SINGLE QUOTATION MARK}"


def tokens(text: str) -> list[str]:
    """Return the words and the single punctuation marks and symbols of `text`, as they stand.

    A word is a run of letters, combining marks, digits and underscores; an apostrophe inside one
    belongs to it.
    """
    found: list[str] = _pattern().findall(text)
    return found


def words(text: str) -> list[str]:
    """Return the words of `text`, NFKC and case-folded, every apostrophe the straight one."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace(_CURLY, "'")
    return [each for each in tokens(folded) if _is_word(each)]


def _is_word(token: str) -> bool:
    return token[0].isalnum() or len(token) > 1


@cache
def _pattern() -> Any:
    # Not `re`: its \w leaves out the vowel signs of Hindi or Thai.
    import regex

    return regex.compile(rf"\w+(?:['{_CURLY}]\w+)*|[^\w\s]")
