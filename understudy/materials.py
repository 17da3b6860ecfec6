"""What one task of a study is made of: its real data, its corpora, and what is not at hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from builders.composition import Composition, Live, Order, compose
from builders.corpus import check_folder, write_corpus
from builders.data import LabelledTexts
from builders.errors import UserError
from builders.facts import CorpusRecord
from builders.filters.copies import CopyIndex
from builders.llms.base import LLM
from builders.real import RealData, load_real
from builders.real.splitting import stratified, without
from builders.strategies import FewShot
from builders.tasks.base import Task
from evaluation.records import REAL_TEST, TaskFacts
from understudy.settings import DEFAULT_REAL_PER_LABEL, REAL, REAL_FULL, StudySettings
from understudy.stopping import Stopped


@dataclass(frozen=True)
class Writer:
    """What writes the corpora: an LLM, and what it needs if it is asked live."""

    llm: LLM
    live: Live | None = None


@dataclass(frozen=True)
class Materials:
    """One task's data.

    Attributes:
        task: The task.
        real: Its real data, or None.
        test: The real test texts that runs are scored on, or None.
        compositions: Strategy -> the corpus and how it came about.
        n_per_label: Label -> texts that each arm of equal size has.
        absent: Arm -> why it cannot run.
        agreement: Whether synthetic arms are scored on each other's corpus.
    """

    task: Task
    real: RealData | None
    test: LabelledTexts | None
    compositions: Mapping[str, Composition]
    n_per_label: Mapping[str, int]
    absent: Mapping[str, str] = field(default_factory=dict)
    agreement: bool = False

    @cached_property
    def corpora(self) -> Mapping[str, LabelledTexts]:
        """Strategy -> the corpus's texts."""
        return {name: each.texts for name, each in self.compositions.items()}

    @property
    def records(self) -> tuple[CorpusRecord, ...]:
        """What building each corpus gave, with its place in the study's folder."""
        place = f"corpora/{self.task.name}"
        return tuple(replace(each.record, path=place) for each in self.compositions.values())

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
        if arm == REAL_FULL:
            return self._real_train()
        source = self._real_train() if arm == REAL else self.corpora[arm]
        return source.sample_per_label(self.n_per_label, seed)

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
        )

    def _real_train(self) -> LabelledTexts:
        assert self.real is not None
        return self.real.train


def gather(
    task: Task,
    arms: tuple[str, ...],
    settings: StudySettings,
    writer: Writer,
    said: Callable[[str], object],
) -> Materials:
    """Load the task's real data and compose the corpora of its synthetic arms; write nothing.

    Args:
        task: The task.
        arms: The arms that are asked for.
        settings: The study's settings.
        writer: What writes the corpora.
        said: Called with each line that a person should read.

    Raises:
        UserError: Data is there but wrong; data that is not there is in `absent`.
    """
    real, why = _real(task, settings)
    absent: dict[str, str] = {}
    compositions: dict[str, Composition] = {}
    # One index for all strategies: building it is the larger part of filtering.
    tested = CopyIndex(real.test.texts, contained=True) if real else None
    for arm in (arm for arm in arms if arm not in (REAL, REAL_FULL)):
        train = real.train if real else None
        if not writer.llm.can_answer(task, arm):
            absent[arm] = f"{writer.llm.description} has no answers for it"
        elif writer.live is not None and real is None and not settings.agreement:
            absent[arm] = f"nothing to test on: {why}"  # nothing is paid for what is not used
        elif arm == FewShot.name and writer.live is not None and not train:
            absent[arm] = f"its prompts show real training texts, and there are none: {why}"
        else:
            compositions[arm] = _compose(task, arm, settings, writer, train, tested)
            _say_shortfall(compositions[arm].record, said)
    for arm in (arm for arm in arms if arm in (REAL, REAL_FULL)):
        if real is None:
            absent[arm] = why
        elif not len(real.train):
            absent[arm] = f"{real.source} has no training texts"
    agreement = real is None and settings.agreement and len(compositions) > 1
    if real is None and not agreement:
        absent |= dict.fromkeys(compositions, f"nothing to test on: {why}")
    equal = {name: each.record.kept for name, each in compositions.items()}
    if REAL in arms and REAL not in absent and real is not None:
        equal[REAL] = real.train.counts()
    return Materials(
        task=task,
        real=real,
        test=_capped(real, settings.max_test),
        compositions=compositions,
        n_per_label=_equal_size(task, equal, settings, said),
        absent={arm: absent[arm] for arm in arms if arm in absent},
        agreement=agreement,
    )


def _real(task: Task, settings: StudySettings) -> tuple[RealData | None, str]:
    """Return the real data, or why there is none at hand.

    Files that the user named, or that are there, must be right; a Hub that does not answer, or a
    folder that has nothing for this task, only means that the task is skipped.
    """
    from builders.real import NotAtHand

    try:
        return load_real(task, settings.real, allow_hub=settings.hub), ""
    except NotAtHand as error:
        return None, str(error)


def _compose(
    task: Task,
    arm: str,
    settings: StudySettings,
    writer: Writer,
    train: LabelledTexts | None,
    tested: CopyIndex | None,
) -> Composition:
    order = Order(arm, settings.per_label, settings.texts_per_request, settings.corpus_seed)
    composition = compose(
        task, order, writer.llm, train=train, real_test_texts=tested, live=writer.live
    )
    if (halt := composition.halt) is not None:
        if halt.signal is not None:
            raise Stopped(halt.signal)
        if not halt.futile:
            raise UserError(
                f"{task.name} {arm}: {halt.why}; what was answered is in the ledger, the same "
                "command goes on from there"
            )
    if not all(composition.record.kept.values()):
        empty = next(label for label, n in composition.record.kept.items() if not n)
        raise UserError(
            f"{task.name} {arm}: the filters kept no text of {empty!r}; see the reasons with "
            f"understudy build {task.name} --strategy {arm}"
        )
    return composition


def _say_shortfall(record: CorpusRecord, said: Callable[[str], object]) -> None:
    for label, missing in record.shortfall.items():
        reasons = ", ".join(f"{why} {n}" for why, n in sorted(record.rejected[label].items()))
        said(f"{record.task} {record.strategy} {label!r}: {missing} fewer than asked ({reasons})")


def _capped(real: RealData | None, most: int | None) -> LabelledTexts | None:
    if real is None:
        return None
    return real.test if most is None else stratified(real.test, most)


def _equal_size(
    task: Task,
    counts: Mapping[str, Mapping[str, int]],
    settings: StudySettings,
    said: Callable[[str], object],
) -> dict[str, int]:
    """Return for each label the size of every arm but `real_full`: that of the smallest arm.

    Args:
        task: The task.
        counts: Arm -> label -> texts at hand.
        settings: The study's settings.
        said: Hears of labels that have fewer real texts than synthetic ones.
    """
    synthetic = [count for arm, count in counts.items() if arm != REAL]
    size = dict.fromkeys(task.label_names, settings.per_label or DEFAULT_REAL_PER_LABEL)
    if synthetic:
        size = {label: min(count[label] for count in synthetic) for label in task.label_names}
    for label, n in counts.get(REAL, {}).items():
        if n < size[label]:
            said(
                f"{task.name} {label!r}: only {n} real training texts, so that each arm has {n} "
                f"and not {size[label]}"
            )
            size[label] = n
    return size
