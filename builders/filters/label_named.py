"""Rejects a text that names its own label, for tasks that forbid it."""

from builders.filters.base import Candidate, Filter
from builders.normalisation import comparison_key


class LabelNamed(Filter):
    """Rejects a text that holds the words of its own label, in their order and as whole words.

    Case and what stands between the words do not matter: `sci/tech` is named by "Sci-Tech",
    `not_spam` by "#Not spam", but not by "spam", and `joy` not by "joyful".
    """

    reason = "label_named"

    def keeps(self, candidate: Candidate) -> bool:
        """Say whether `candidate` leaves its label unsaid."""
        named = f" {comparison_key(candidate.label)} "
        return named not in f" {comparison_key(candidate.text)} "
