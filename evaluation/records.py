"""What a study writes down and a report reads: runs, measures, the plan; one JSON line each."""

from dataclasses import dataclass, field
from typing import Any, Literal

from builders.annotation import LabellingRecord
from builders.facts import CorpusRecord

__all__ = [
    "WORD_PIECES",
    "CorpusRecord",
    "FindingRecord",
    "LabellingRecord",
    "MeasureRecord",
    "RunRecord",
    "StudyRecords",
    "TaskFacts",
    "VotedFacts",
]

REAL_TEST = "real"
"""`RunRecord.evaluated_on` of a run that was scored on real text."""

WORD_PIECES = "word_pieces"
"""`FindingRecord.kind` of how an encoder's vocabulary cuts words, and what it does not read."""


@dataclass(frozen=True)
class RunRecord:
    """One (task, arm, encoder, seed), finished or skipped: a line of `runs.jsonl`.

    Attributes:
        key: Hash over everything that decides the result (hex); of a skipped run, of its name.
        status: `done`, or `skipped` where data was not at hand.
        task: Task name.
        arm: `real`, `real_full`, `zero_shot`, `few_shot`, ...
        encoder: The encoder as the user named it.
        trainer: `probe` or `finetune`; `llm` where the LLM itself classified.
        seed: Draws the real subset, the order and the initial weights.
        reason: Why it was skipped; empty when done.
        n_train: Training texts.
        n_per_label: Training texts of each label.
        n_test: Test texts.
        macro_f1: Macro-averaged F1 on the test texts, 0 to 1.
        accuracy: Share of test texts classified right, 0 to 1.
        seconds: Wall time of the run, without what it shares with others (embeddings).
        evaluated_on: `real`, or the name of the arm whose corpus stood in for a test set.
        train_hash: Content hash of the training texts.
        test_hash: Content hash of the test texts.
        predictions: File with `labels` and `predictions` (int arrays, npz), relative to the study;
            with `rows`, the places of the test texts, where only some were predicted (-1: no
            answer), and `voted/NAME` for each set of texts with votes.
        real_source: Where the real texts came from, with the resolved commit of a Hub data set.
        versions: Package -> version.
        settings: The trainer's settings.
        curve: Steps of training and macro-F1 on the same test texts after so many, the last step
            among them; empty where no curve was asked for.
    """

    key: str
    status: Literal["done", "skipped"]
    task: str
    arm: str
    encoder: str
    trainer: str
    seed: int
    reason: str = ""
    n_train: int = 0
    n_per_label: dict[str, int] = field(default_factory=dict)
    n_test: int = 0
    macro_f1: float | None = None
    accuracy: float | None = None
    seconds: float | None = None
    evaluated_on: str = REAL_TEST
    train_hash: str = ""
    test_hash: str = ""
    predictions: str = ""
    real_source: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str | int | float | bool] = field(default_factory=dict)
    curve: list[tuple[int, float]] = field(default_factory=list)


@dataclass(frozen=True)
class MeasureRecord:
    """One diversity or similarity figure of one arm of one task: a line of `measures.jsonl`.

    Attributes:
        key: Hash over texts, encoder, measure and draw (hex).
        task: Task name.
        arm: Whose texts were measured.
        measure: `remote_clique`, `chamfer` or `top5_cosine`.
        value: Cosine distance on unit vectors for the first two (0 to 2), cosine for the last.
        n: How many texts of the arm were measured; arms of one task are compared at equal n.
        n_real: `top5_cosine`: how many real texts were compared with them.
        encoder: The encoder whose embeddings were measured.
    """

    key: str
    task: str
    arm: str
    measure: str
    value: float
    n: int
    n_real: int = 0
    encoder: str = ""


@dataclass(frozen=True)
class FindingRecord:
    """What was found out about a task beyond a figure: a line of `findings.jsonl`.

    Attributes:
        key: Hash over everything that decides it (hex).
        task: Task name.
        kind: `failures`, `coverage`, `label_noise`, `words` or `word_pieces`.
        arm: The arm that it is about.
        values: The finding, as the kind has it.
    """

    key: str
    task: str
    kind: str
    arm: str
    values: dict[str, Any]


@dataclass(frozen=True)
class VotedFacts:
    """A set of texts with annotators' votes.

    Attributes:
        name: Name of its description.
        n: Texts.
        note: What has to be known of the votes.
        left_out: Reason -> rows, texts or votes that are not among them.
        binned: Whether only bins of agreement are known.
        path: File with `labels` and `agreement` (npz), relative to the study.
    """

    name: str
    n: int
    note: str
    left_out: dict[str, int]
    binned: bool
    path: str


@dataclass(frozen=True)
class TaskFacts:
    """What the report says of a task beside its scores; an entry of `study.json`.

    Attributes:
        task: Task name.
        title: For tables.
        label_names: The labels in the order of the class indices.
        subjectivity_rank_remembered: Remembered from the paper, not measured; or None.
        real_source: Where the real texts came from; empty where none were at hand.
        n_real_train: Real training texts at hand.
        n_real_test: Real test texts the runs were scored on.
        dropped: Value in the real data -> rows dropped because the task has no label for it.
        moved: Texts removed from the training split because the test split holds them too.
        evaluated_on: `real`, or `corpora` where each synthetic arm was tested on the other.
        voted: Sets of texts with votes that the runs were scored on, too.
    """

    task: str
    title: str
    label_names: tuple[str, ...]
    subjectivity_rank_remembered: int | None
    real_source: str
    n_real_train: int
    n_real_test: int
    dropped: dict[str, int]
    moved: int
    evaluated_on: str
    voted: tuple[VotedFacts, ...] = ()


@dataclass(frozen=True)
class StudyRecords:
    """Everything a report is made of.

    Attributes:
        settings: The study's resolved settings.
        tasks: The tasks in the order of the study.
        arms: The arms in the order of the tables.
        runs: The planned runs that are finished or skipped, the newest of each.
        missing: `(task, arm, seed)` of planned runs that are not there yet.
        measures: Diversity and similarity figures.
        corpora: What building the corpora gave.
        labellings: What labelling real texts gave.
        findings: What was found out about the tasks.
    """

    settings: dict[str, str | int | float | bool | None]
    tasks: tuple[TaskFacts, ...]
    arms: tuple[str, ...]
    runs: tuple[RunRecord, ...]
    missing: tuple[tuple[str, str, int], ...]
    measures: tuple[MeasureRecord, ...]
    corpora: tuple[CorpusRecord, ...]
    labellings: tuple[LabellingRecord, ...] = ()
    findings: tuple[FindingRecord, ...] = ()
