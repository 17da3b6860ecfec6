"""Rejects a copy of a real example that a prompt showed: the corpus would give real data away."""

from collections.abc import Iterable

from builders.filters.base import Candidate, Filter
from builders.filters.copies import CopyIndex


class SeedCopy(Filter):
    """Rejects a text that repeats an example, verbatim or nearly so, holds or is part of one.

    Args:
        examples: The real texts that the prompts showed. None, or no text at all, where they are
            not at hand: then nothing is rejected and the status says `not checked`.
        shown: Whether the prompts showed any; if not, the status says `not applicable`.
    """

    reason = "seed_copy"

    def __init__(self, examples: Iterable[str] | None, *, shown: bool = True) -> None:
        self._examples = CopyIndex(contained=True)
        self._applies = shown
        self.status = "not checked" if shown else "not applicable"
        self.shown(examples or ())

    def shown(self, examples: Iterable[str]) -> None:
        """Compare with these examples too."""
        if self._applies:
            for example in examples:
                self._examples.add(example)
                self.status = "checked"

    def keeps(self, candidate: Candidate) -> bool:
        """Say whether `candidate` is no copy of an example."""
        return self._examples.copy_of(candidate.text) is None
