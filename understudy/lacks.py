"""What keeps an arm of a study from running: texts to train it on, and texts to score it on."""

from collections.abc import Mapping
from dataclasses import dataclass

from builders.real import RealData
from evaluation.arms import GOLD_LABELLED, LLM, LLM_LABELLED, REAL, REAL_FULL, Kind, Part, parse_arm
from understudy.llm_labels import TEST, TRAIN, LLMLabels


@dataclass(frozen=True)
class Lacks:
    """Says what keeps an arm from running; nothing is an empty string.

    Attributes:
        real: The real data, or None.
        why: Why there is no real data.
        kept: Strategy -> label -> texts of its corpus.
        unwritten: Strategy -> why it has no corpus.
        agreement: Whether each corpus is scored on another.
        alone: Whether each would be, if there were two.
        labels: What the LLM said of real texts.
    """

    real: RealData | None
    why: str
    kept: Mapping[str, Mapping[str, int]]
    unwritten: Mapping[str, str]
    agreement: bool
    alone: bool
    labels: LLMLabels

    def texts(self, name: str) -> str:
        """Return why there are no texts to train it on."""
        return next(filter(None, map(self._of_part, parse_arm(name).parts)), "")

    def test(self, name: str) -> str:
        """Return why there are none to score it on."""
        if self.real is not None:
            return ""
        if not self.agreement:
            return untested(self.why, alone=self.alone)
        if parse_arm(name).kind is not Kind.MAIN:
            return f"a corpus is scored on another one only whole: {self.why}"
        return ""

    def _of_part(self, part: Part) -> str:
        if part.source in (LLM_LABELLED, GOLD_LABELLED, LLM):
            return self._of_labels(part.source)
        if part.source in (REAL, REAL_FULL):
            if self.real is None:
                return self.why
            if not len(self.real.train):
                return f"{self.real.source} has no training texts"
            return _too_few(part, self.real.train.counts(), "real training texts")
        if part.source in self.unwritten:
            return self.unwritten[part.source]
        return _too_few(part, self.kept[part.source], f"texts in the corpus {part.source}")

    def _of_labels(self, source: str) -> str:
        split = TEST if source == LLM else TRAIN
        labelling = self.labels.labellings.get(split)
        if labelling is None:
            return self.labels.why.get(split, self.why)
        texts = labelling.gold if source == GOLD_LABELLED else labelling.texts
        empty = [label for label, n in texts.counts().items() if not n] if texts else []
        if source == LLM or not empty:
            return ""
        return f"no text of {len(labelling.asked)} that the LLM labelled is {empty[0]!r}"


def _too_few(part: Part, counts: Mapping[str, int], what: str) -> str:
    least = min(counts, key=lambda label: counts[label])
    if part.per_label is None or part.per_label <= counts[least]:
        return ""
    return f"there are {counts[least]} {what} of {least!r}"


def untested(why: str, *, alone: bool) -> str:
    """Return why nothing is scored; `alone`: it would be on another corpus, if there were two."""
    more = " (a corpus could be scored on another, and there are not two)" if alone else ""
    return f"nothing to test on: {why}{more}"
