"""Diversity and similarity of a study: the figures, at what n they were taken, and their table."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from evaluation.records import MeasureRecord, StudyRecords, TaskFacts
from evaluation.report.scoring import in_table_order
from evaluation.report.table import Cell, Column, Table
from evaluation.report.wording import between, listed

MEASURES = {
    "remote_clique": "Remote Clique",
    "chamfer": "Chamfer",
    "vendi": "Vendi score",
    "self_bleu": "Self-BLEU",
    "distinct_1": "distinct-1",
    "distinct_2": "distinct-2",
    "distinct_3": "distinct-3",
    "top5_cosine": "top-5 cosine to real texts",
    "coverage": "coverage",
    "recall": "recall",
    "precision": "precision",
    "density": "density",
    "frontier": "frontier area",
    "vocabulary": "words apart",
    "vocabulary_same_source": "words apart, one source",
    "length": "lengths apart (words)",
}
_NONE = Cell("-")
_LEFT_OUT = (
    "-: not computed yet, or not defined of texts that are so few, so short or without words."
)
DIVERSITY = ("remote_clique", "chamfer")
SIMILARITY = ("top5_cosine",)


@dataclass(frozen=True)
class _Group:
    """Measures that one table shows.

    Attributes:
        key: The table's anchor.
        title: Its heading.
        measures: Keys of `MEASURES`.
        notes: What one must know to read it.
    """

    key: str
    title: str
    measures: tuple[str, ...]
    notes: tuple[str, ...]


_GROUPS = (
    _Group(
        "diversity",
        "Diversity of meaning (cosine on unit vectors)",
        ("remote_clique", "chamfer", "vendi"),
        (
            "Remote Clique: mean distance of a text to all others of its arm. Chamfer: mean "
            "distance to the nearest other. Both are cosine distances on unit vectors (0 to 2), "
            "self pairs left out. Vendi score: how many different texts the arm amounts to. Higher "
            "is more diverse.",
            "Chamfer shrinks as n grows: compare figures of different tasks or studies at equal n "
            "only.",
        ),
    ),
    _Group(
        "wording",
        "Diversity of wording",
        ("self_bleu", "distinct_1", "distinct_2", "distinct_3"),
        (
            "Self-BLEU: mean BLEU-4 of each text against all others of its arm; lower is more "
            "diverse. Distinct-n: different n-grams among as many as the smallest arm of the task "
            "has; higher is more diverse.",
        ),
    ),
    _Group(
        "closeness",
        "Closeness to real text",
        ("top5_cosine", "coverage", "recall", "precision", "density", "frontier"),
        (
            "Top-5 cosine: for each real test text the mean cosine to the five nearest texts of "
            "the arm, averaged; higher is closer.",
            "The others compare as many real test texts of each label with the arm's. Coverage and "
            "recall: how much of the real texts' places the arm reaches; precision and density: "
            "how far it keeps to them. Frontier area: 1 where both have the same shares of all "
            "places. The row of the arm real is what real training texts reach.",
        ),
    ),
    _Group(
        "words",
        "Words and lengths against real text",
        ("vocabulary", "vocabulary_same_source", "length"),
        (
            "Words apart: Jensen-Shannon distance of the words of the arm and of as many real test "
            "texts of each label, 0 to 1. One source: what it would be if both were drawn from one "
            "pool; only what is above that is a difference. Lengths apart: by how many words a "
            "text would have to change, on average.",
        ),
    ),
)


def mean_measure(records: StudyRecords, task: str, arm: str, measure: str) -> float | None:
    """Return the mean of a measure over its draws, None where it was not measured."""
    wanted = (task, arm, measure)
    values = [m.value for m in records.measures if (m.task, m.arm, m.measure) == wanted]
    return fmean(values) if values else None


def measured_arms(records: StudyRecords, measure: str) -> tuple[str, ...]:
    """Return the arms of which `measure` was taken, in the order of the tables."""
    found = {m.arm for m in records.measures if m.measure == measure}
    return tuple(arm for arm in records.arms if arm in found)


def measured_tasks(records: StudyRecords, measures: Sequence[str]) -> tuple[TaskFacts, ...]:
    """Return the tasks of which any of `measures` was taken, in the order of the tables."""
    found = {m.task for m in records.measures if m.measure in measures}
    return tuple(facts for facts in in_table_order(records.tasks) if facts.task in found)


def size_note(records: StudyRecords, measures: Sequence[str]) -> str:
    """Say at what n the arms of each task were measured, and where that n is not equal."""
    chosen = [m for m in records.measures if m.measure in measures]
    unequal = [
        facts.title
        for facts in measured_tasks(records, measures)
        if any(
            len({m.n for m in chosen if (m.task, m.measure) == (facts.task, measure)}) > 1
            for measure in measures
        )
    ]
    note = f"n = {between(m.n for m in chosen)} texts an arm, equal for the arms of a task"
    if unequal:
        note += f" except in {listed(unequal)}, whose arms cannot be compared"
    return f"{note}."


def measures_tables(records: StudyRecords) -> tuple[Table, ...]:
    """Build the tables of what was measured of the texts, a row a task and arm."""
    return tuple(
        _table(records, group) for group in _GROUPS if measured_tasks(records, group.measures)
    )


def _table(records: StudyRecords, group: _Group) -> Table:
    shown = [key for key in group.measures if measured_arms(records, key)]
    found = {(m.task, m.arm) for m in records.measures if m.measure in shown}
    rows = []
    for facts in measured_tasks(records, shown):
        for arm in records.arms:
            if (facts.task, arm) in found:
                cells = [_cell(key, mean_measure(records, facts.task, arm, key)) for key in shown]
                own = [m for m in records.measures if (m.task, m.arm) == (facts.task, arm)]
                own = [m for m in own if m.measure in shown]
                rows.append((Cell(facts.title), Cell(arm), *cells, _sizes(own)))
    encoders = sorted({m.encoder for m in records.measures if m.measure in shown and m.encoder})
    return Table(
        group.key,
        group.title,
        (
            Column("task", number=False),
            Column("arm", number=False),
            *(Column(MEASURES[key]) for key in shown),
            Column("texts"),
        ),
        tuple(rows),
        (
            *group.notes,
            size_note(records, shown),
            *([_LEFT_OUT] if any(cell == _NONE for row in rows for cell in row) else []),
            *([f"Embeddings: {listed(encoders)}."] if encoders else []),
        ),
    )


def _cell(measure: str, value: float | None) -> Cell:
    if value is None:
        return _NONE
    return Cell(f"{value:.1f}" if measure in ("vendi", "length") else f"{value:.3f}")


def _sizes(own: Sequence[MeasureRecord]) -> Cell:
    real = {m.n_real for m in own if m.n_real}
    return Cell(between(m.n for m in own), f"against {between(real)} real" if real else "")
