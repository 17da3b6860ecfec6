"""No real text in what is published: none to train on, none to test on, no example shown."""

from collections.abc import Iterable, Iterator
from typing import ClassVar

from builders.filters.copies import CopyIndex
from builders.real import RealData
from push_scripts.checks.base import Check, Finding

TEST, TRAIN, SEED = "real test text", "real training text", "seed example"


class Leak(Check):
    """Finds texts that are real ones, verbatim or nearly so, or hold or are a part of one.

    Args:
        real: The task's real texts; None where they are not at hand.
        examples: The real texts that prompts showed; None where that is not known.
        labelled: Whether the texts are real ones that an LLM labelled, and did not write.
    """

    name: ClassVar[str] = "leak"
    advice: str = (
        "an LLM may know by heart what it has read: understudy build --real leaves test texts "
        "and examples out; go on with --allow leak if the others may be published"
    )

    def __init__(
        self, real: RealData | None, examples: Iterable[str] | None, *, labelled: bool = False
    ) -> None:
        if labelled:
            self.advice = _OF_OTHERS
        self._known: dict[str, CopyIndex | None] = {
            TEST: _index(real.test.texts if real else None),
            TRAIN: _index(_training(real)),
            SEED: _index(examples),
        }

    def kinds(self) -> dict[str, bool]:
        """Return the three sources of real text, and which of them are at hand."""
        return {kind: index is not None for kind, index in self._known.items()}

    def is_idle(self) -> bool:
        """Say whether there is no text to compare with."""
        return not any(self._known.values())

    def findings(self, text: str) -> Iterator[Finding]:
        """Yield each source that `text` is a copy from; nothing of a real text is shown."""
        for kind, index in self._known.items():
            if index is not None and index.copy_of(text) is not None:
                yield Finding(kind)


_OF_OTHERS = (
    "an LLM labelled these texts, and others wrote them: go on with --allow leak only where the "
    "terms of their source let you publish them"
)


def _training(real: RealData | None) -> tuple[str, ...] | None:
    if real is None:
        return None
    texts = real.train.texts + (real.validation.texts if real.validation else ())
    return texts or None


def _index(texts: Iterable[str] | None) -> CopyIndex | None:
    return None if texts is None else CopyIndex(texts, contained=True)
