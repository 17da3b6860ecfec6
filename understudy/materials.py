"""What one task of a study is made of: its real data, its corpora, and the arms they make."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from builders.composition import Composition
from builders.corpus import check_folder, write_corpus
from builders.data import LabelledTexts
from builders.facts import CorpusRecord
from builders.real import RealData
from builders.real.splitting import without
from builders.tasks.base import Task
from evaluation.arms import GOLD_LABELLED, LLM_LABELLED, REAL, REAL_FULL, Part, parse_arm
from evaluation.records import REAL_TEST, LabellingRecord, TaskFacts
from understudy.llm_labels import LLMLabels
from understudy.votes import VotedSet


@dataclass(frozen=True)
class Materials:
    """One task's data.

    Attributes:
        task: The task.
        arms: The arms that were asked for, in the order of the tables.
        real: Its real data, or None.
        test: The real test texts that runs are scored on, or None.
        compositions: Strategy -> the corpus and how it came about.
        n_per_label: Label -> texts that each arm of equal size has.
        absent: Arm -> why it cannot run, for want of texts to train it on or to score it on.
        untrainable: Arm -> why there are no texts to train it on.
        agreement: Whether synthetic arms are scored on each other's corpus.
        labels: What the LLM said of real texts.
        voted: Texts with votes that runs are scored on, too, by name.
    """

    task: Task
    arms: tuple[str, ...]
    real: RealData | None
    test: LabelledTexts | None
    compositions: Mapping[str, Composition]
    n_per_label: Mapping[str, int]
    absent: Mapping[str, str] = field(default_factory=dict)
    untrainable: Mapping[str, str] = field(default_factory=dict)
    agreement: bool = False
    labels: LLMLabels = field(default_factory=LLMLabels)
    voted: Mapping[str, VotedSet] = field(default_factory=dict)

    @cached_property
    def corpora(self) -> Mapping[str, LabelledTexts]:
        """Strategy -> the corpus's texts."""
        return {name: each.texts for name, each in self.compositions.items()}

    @property
    def records(self) -> tuple[CorpusRecord, ...]:
        """What building each corpus gave, with its place in the study's folder."""
        place = f"corpora/{self.task.name}"
        return tuple(replace(each.record, path=place) for each in self.compositions.values())

    @property
    def labellings(self) -> tuple[LabellingRecord, ...]:
        """What labelling real texts gave."""
        return tuple(each.record for each in self.labels.labellings.values())

    def check_corpora(self, out: Path) -> None:
        """Refuse, before anything is written, a place that cannot take the corpora.

        Raises:
            UserError: A corpus of the task with other labels lies there.
        """
        for strategy in self.compositions:
            check_folder(out / "corpora" / self.task.name, self.task, strategy)

    def write_corpora(self, out: Path) -> None:
        """Write the corpora below the study's folder `out`."""
        for composition in self.compositions.values():
            write_corpus(composition, out / "corpora" / self.task.name)

    def train(self, arm: str, seed: int) -> LabelledTexts:
        """Return the training texts of an arm; the seed draws a subset where there are more."""
        first, *others = (self._part(part, seed) for part in parse_arm(arm).parts)
        return first.joined(*others)

    def tested_on(self, arm: str) -> tuple[str, LabelledTexts]:
        """Return what an arm is scored on: a name and the texts."""
        if self.test is not None:
            return REAL_TEST, self.test
        other = next(name for name in self.corpora if name != arm)
        test = self.corpora[other].sample_per_label(self.n_per_label, 0)
        return other, without(test, self.corpora[arm])

    def facts(self) -> TaskFacts:
        """Return what a report says of the task."""
        real = self.real
        return TaskFacts(
            task=self.task.name,
            title=self.task.title,
            label_names=self.task.label_names,
            subjectivity_rank_remembered=self.task.subjectivity_rank_remembered,
            real_source=real.source if real else "",
            n_real_train=len(real.train) if real else 0,
            n_real_test=len(self.test) if self.test else 0,
            dropped=dict(real.dropped) if real else {},
            moved=real.moved if real else 0,
            evaluated_on="corpora" if self.agreement else REAL_TEST,
            voted=tuple(each.facts(self.task.name) for each in self.voted.values()),
        )

    def _part(self, part: Part, seed: int) -> LabelledTexts:
        if part.source == REAL_FULL:
            return self._real_train()
        if part.source in (LLM_LABELLED, GOLD_LABELLED):
            return self._labelled(gold=part.source == GOLD_LABELLED)
        source = self._real_train() if part.source == REAL else self.corpora[part.source]
        return source.sample_per_label(part.per_label or self.n_per_label, seed)

    def _labelled(self, *, gold: bool) -> LabelledTexts:
        labelling = self.labels.train
        assert labelling is not None
        texts = labelling.gold if gold else labelling.texts
        assert texts is not None
        return texts

    def _real_train(self) -> LabelledTexts:
        assert self.real is not None
        return self.real.train
