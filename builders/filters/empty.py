"""Rejects a text that says nothing."""

import unicodedata

from builders.filters.base import Candidate, Filter


class Empty(Filter):
    """Rejects a text without a letter, a digit or an emoji.

    An emoji alone is a message in a tweet or an SMS; a row of punctuation or of mathematical,
    currency or modifier signs, which separators are drawn with, is none. Emoji are the category
    `So` and, where they are newer than the interpreter's Unicode tables, `Cn`.
    """

    reason = "empty"

    def keeps(self, candidate: Candidate) -> bool:
        """Say whether `candidate` says anything."""
        return any(_speaks(character) for character in candidate.text)


def _speaks(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LN" or category in ("So", "Cn")
