"""Rejects a text that the corpus holds already in nearly the same words."""

from builders.filters.base import Candidate, Filter
from builders.filters.copies import THRESHOLD, CopyIndex


class NearDuplicate(Filter):
    """Rejects a text that nearly equals a kept one, whatever label that one bears.

    Args:
        threshold: Least Jaccard index of the shingle sets at which two texts nearly equal.
    """

    reason = "near_duplicate"

    def __init__(self, threshold: float = THRESHOLD) -> None:
        self._kept = CopyIndex(threshold=threshold)

    def keeps(self, candidate: Candidate) -> bool:
        """Say whether no kept text nearly equals `candidate`."""
        return self._kept.copy_of(candidate.text) is None

    def admitted(self, candidate: Candidate) -> None:
        """Remember `candidate`."""
        self._kept.add(candidate.text)
