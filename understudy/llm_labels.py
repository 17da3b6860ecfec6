"""The labels that an LLM gives to a task's real texts: as training data, and as the classifier."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from builders.annotation import Labelling, LabelOrder
from builders.composition import Composition
from builders.data import LabelledTexts
from builders.errors import UserError
from builders.real import RealData
from builders.tasks.base import Task
from evaluation.worth.spending import matched_sizes
from understudy.settings import CLASSIFIED, LABELLED, StudySettings
from understudy.stopping import Stopped
from understudy.writer import Writer

TRAIN, TEST = "train", "test"


@dataclass(frozen=True)
class LLMLabels:
    """What an LLM said of a task's real texts.

    Attributes:
        labellings: `train` and `test` -> the labelling, as far as there is one.
        why: `train` and `test` -> why there is none.
    """

    labellings: Mapping[str, Labelling] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)

    @property
    def train(self) -> Labelling | None:
        """The labelled training texts."""
        return self.labellings.get(TRAIN)

    @property
    def test(self) -> Labelling | None:
        """The test texts that the LLM classified."""
        return self.labellings.get(TEST)

    def sizes_to_compare(self, corpora: Mapping[str, Composition]) -> dict[str, tuple[int, ...]]:
        """Return strategy -> texts of each label at which its corpus is compared with `train`."""
        if self.train is None:
            return {}
        record = self.train.record
        return {name: matched_sizes(record, each.record).sizes for name, each in corpora.items()}


def ask_for_labels(
    task: Task, real: RealData, test: LabelledTexts, writer: Writer, settings: StudySettings
) -> LLMLabels:
    """Let the LLM label training and test texts of the task.

    What a recording has no labels for is no mistake here, but named in `why`.

    Args:
        task: The task.
        real: Its real texts.
        test: The real test texts that runs are scored on.
        writer: What labels.
        settings: The study's settings.

    Raises:
        UserError: A live LLM could not answer.
    """
    labellings, why = {}, {}
    wanted = {
        TRAIN: (real.train, settings.labelled or LABELLED),
        TEST: (test, settings.classified or CLASSIFIED),
    }
    for split, (texts, n) in wanted.items():
        if not len(texts):
            why[split] = f"{real.source} has no {split} texts"
            continue
        try:
            labellings[split] = _ask(task, split, texts, n, real, writer, settings)
        except UserError as error:
            if writer.asks:
                raise
            why[split] = str(error)
    return LLMLabels(labellings, why)


def _ask(
    task: Task,
    split: str,
    texts: LabelledTexts,
    n: int,
    real: RealData,
    writer: Writer,
    settings: StudySettings,
) -> Labelling:
    order = LabelOrder(split)
    if writer.asks:
        order = LabelOrder(split, n, seed=settings.corpus_seed)
    labelling = writer.label(task, texts, order, real.source)
    if (halt := labelling.halt) is not None:
        if halt.signal is not None:
            raise Stopped(halt.signal)
        raise UserError(
            f"{task.name} labels of {split} texts: {halt.why}; what was answered is in the ledger: "
            f"{halt.remedy}"
        )
    if not labelling.record.labelled:
        raise UserError(f"{task.name}: the LLM labelled none of {len(texts)} {split} texts")
    return labelling
