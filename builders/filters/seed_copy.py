"""Rejects a copy of a real example that a prompt showed: the corpus would give real data away."""

from collections.abc import Iterable

from builders.filters.base import Candidate, Filter
from builders.filters.copies import CopyIndex


class SeedCopy(Filter):
    """Rejects a text that repeats an example, or holds a longer one, verbatim or nearly so.

    Args:
        examples: The real texts that the prompts showed. None, or no text at all, where they are
            not at hand: then nothing is rejected and the status says `not checked`.
        shown: Whether the prompts showed any; if not, the status says `not applicable`.
    """

    reason = "seed_copy"

    def __init__(self, examples: Iterable[str] | None, *, shown: bool = True) -> None:
        self._examples = CopyIndex((examples or ()) if shown else (), contained=True)
        if not shown:
            self.status = "not applicable"
        elif not len(self._examples):
            self.status = "not checked"

    def keeps(self, candidate: Candidate) -> bool:
        """Say whether `candidate` is no copy of an example."""
        return self._examples.copy_of(candidate.text) is None
