"""Rejects a text that the corpus holds already."""

from builders.filters.base import Candidate, Filter
from builders.normalisation import comparison_key


class Duplicate(Filter):
    """Rejects a text that equals a kept one but for case, punctuation and spacing.

    The kept one may bear another label: the same text under two labels teaches nothing.
    """

    reason = "duplicate"

    def __init__(self) -> None:
        self._kept: set[str] = set()

    def keeps(self, candidate: Candidate) -> bool:
        """Say whether no kept text equals `candidate`."""
        return comparison_key(candidate.text) not in self._kept

    def admitted(self, candidate: Candidate) -> None:
        """Remember `candidate`."""
        self._kept.add(comparison_key(candidate.text))
