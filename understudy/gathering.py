"""Gathers what one task of a study needs: loads real texts, composes corpora, names what lacks."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from builders.composition import Composition, Order
from builders.data import LabelledTexts
from builders.errors import NotAtHand, UserError
from builders.facts import CorpusRecord
from builders.filters.copies import CopyIndex
from builders.real import HUB, RealData, load_real
from builders.real.splitting import stratified
from builders.strategies import FewShot
from builders.tasks.base import Task
from evaluation.arms import REAL
from evaluation.subjectivity.vote_source import VoteSource
from understudy.arm_groups import expanded, needs_labels, strategies_of
from understudy.lacks import Lacks, untested
from understudy.llm_labels import LLMLabels, ask_for_labels
from understudy.materials import Materials
from understudy.settings import DEFAULT_REAL_PER_LABEL, StudySettings
from understudy.stopping import Stopped
from understudy.votes import read_voted
from understudy.writer import Writer


def gather(
    task: Task,
    asked: Sequence[str],
    settings: StudySettings,
    writer: Writer,
    said: Callable[[str], object],
    votes: Sequence[VoteSource] = (),
) -> Materials:
    """Load the task's real data and compose the corpora of its synthetic arms; write nothing.

    Args:
        task: The task.
        asked: The arms and groups of arms that are asked for.
        settings: The study's settings.
        writer: What writes the corpora.
        said: Called with each line that a person should read.
        votes: Votes on texts of any task.

    Raises:
        UserError: Data is there but wrong; data that is not there is in `absent`.
    """
    real, why = _real(task, settings)
    test = _capped(real, settings.max_test)
    compositions, unwritten = _corpora(task, strategies_of(asked), settings, writer, real, why)
    for composition in compositions.values():
        _say_shortfall(composition.record, said)
    labels = LLMLabels()
    if real is not None and test is not None and needs_labels(asked):
        labels = ask_for_labels(task, real, test, writer, settings)
    agreement = real is None and settings.agreement and len(compositions) > 1
    kept = {name: each.record.kept for name, each in compositions.items()}
    real_counts = real.train.counts() if real else None
    arms = expanded(asked, real_counts, kept, labels.sizes_to_compare(compositions))
    alone = settings.agreement and not agreement
    lacks = Lacks(real, why, kept, unwritten, agreement, alone, labels)
    untrainable = {arm: reason for arm in arms if (reason := lacks.texts(arm))}
    untestable = {arm: reason for arm in arms if (reason := lacks.test(arm))}
    absent = untestable | untrainable
    trained_on = [*([real.train] if real else []), *(each.texts for each in compositions.values())]
    equal = dict(kept)
    if real is not None and REAL in arms and REAL not in absent:
        equal[REAL] = real.train.counts()
    return Materials(
        task=task,
        arms=arms,
        real=real,
        test=test,
        compositions=compositions,
        n_per_label=_equal_size(task, equal, settings, said),
        absent={arm: absent[arm] for arm in arms if arm in absent},
        untrainable=untrainable,
        agreement=agreement,
        labels=labels,
        voted=read_voted(votes, task, trained_on),
    )


def _corpora(
    task: Task,
    strategies: Iterable[str],
    settings: StudySettings,
    writer: Writer,
    real: RealData | None,
    why: str,
) -> tuple[dict[str, Composition], dict[str, str]]:
    """Return the corpora that can be written, and why the others cannot."""
    train = real.train if real else None
    asked = list(strategies)
    unwritten = {
        name: reason for name in asked if (reason := _cannot_write(task, name, writer, train, why))
    }
    left = [name for name in asked if name not in unwritten]
    if writer.asks and real is None and not (settings.agreement and len(left) > 1):
        # What is not used is not paid for.
        unwritten |= dict.fromkeys(left, untested(why, alone=settings.agreement))
        left = []
    # One index for all strategies: building it is the larger part of filtering.
    tested = CopyIndex(real.test.texts, contained=True) if real else None
    return {name: _compose(task, name, settings, writer, train, tested) for name in left}, unwritten


def _cannot_write(
    task: Task, strategy: str, writer: Writer, train: LabelledTexts | None, why: str
) -> str:
    """Return why the LLM cannot write a corpus, empty if it can."""
    if not writer.llm.can_answer(task, strategy):
        return f"{writer.llm.description} has no answers for it"
    if strategy == FewShot.name and writer.asks and not train:
        return f"its prompts show real training texts, and there are none: {why}"
    return ""


def _real(task: Task, settings: StudySettings) -> tuple[RealData | None, str]:
    """Return the real data, or why there is none at hand.

    Files that the user named, or that are there, must be right; a Hub that does not answer, or a
    folder that has nothing for this task, only means that the task is skipped.
    """
    if settings.real == HUB and not settings.hub:
        return None, f"--real {HUB}: its real texts are on the Hub, which is not asked here"
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
    composition = writer.write(task, order, train, tested)
    if (halt := composition.halt) is not None:
        if halt.signal is not None:
            raise Stopped(halt.signal)
        if not halt.futile:
            raise UserError(
                f"{task.name} {arm}: {halt.why}; what was answered is in the ledger: {halt.remedy}"
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
