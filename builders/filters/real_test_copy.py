"""Rejects a copy of a real test text: it would let a classifier see what it is tested on."""

from collections.abc import Iterable

from builders.filters.base import Candidate, Filter
from builders.filters.copies import CopyIndex


class RealTestCopy(Filter):
    """Rejects a text that repeats a real test text, verbatim or nearly so, holds or is part of one.

    Args:
        texts: The real test texts, or an index of them that several chains share (built with
            `contained=True`). None, or no text at all, where they are not at hand: then nothing is
            rejected and the status says `not checked`.
    """

    reason = "real_test_copy"

    def __init__(self, texts: Iterable[str] | CopyIndex | None) -> None:
        if not isinstance(texts, CopyIndex):
            texts = CopyIndex(texts or (), contained=True)
        self._texts = texts
        if not len(texts):
            self.status = "not checked"

    def keeps(self, candidate: Candidate) -> bool:
        """Say whether `candidate` is no copy of a real test text."""
        return self._texts.copy_of(candidate.text) is None
