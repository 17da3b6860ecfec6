"""When two texts count as the same: case, punctuation and spacing are ignored."""

import re
import unicodedata

# Everything that is neither a letter, a digit nor a combining mark; `_` is punctuation here.
_NOT_WORD = re.compile(r"[^\w]|_", re.UNICODE)


def comparison_key(text: str) -> str:
    """Return the form of `text` under which equal texts are equal.

    NFKC, case-folded, punctuation and symbols dropped, runs of white space made one space. A text
    of nothing but punctuation or emoji keeps its own stripped form, so that two different ones stay
    different.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    key = " ".join(_NOT_WORD.sub(" ", folded).split())
    return key or folded.strip()


def word_count(text: str) -> int:
    """Count the white-space separated words of `text`."""
    return len(text.split())
