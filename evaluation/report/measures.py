"""Diversity and similarity of a study: the figures, at what n they were taken, and their table."""

from collections.abc import Sequence
from statistics import fmean

from evaluation.records import MeasureRecord, StudyRecords, TaskFacts
from evaluation.report.scoring import in_table_order
from evaluation.report.table import Cell, Column, Table
from evaluation.report.wording import between, listed

MEASURES = {
    "remote_clique": "Remote Clique",
    "chamfer": "Chamfer",
    "top5_cosine": "top-5 cosine to real texts",
}
DIVERSITY = ("remote_clique", "chamfer")
SIMILARITY = ("top5_cosine",)


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
        if len({m.n for m in chosen if m.task == facts.task}) > 1
    ]
    note = f"n = {between(m.n for m in chosen)} texts an arm, equal for the arms of a task"
    if unequal:
        note += f" except in {listed(unequal)}, whose arms cannot be compared"
    return f"{note}."


def measures_table(records: StudyRecords) -> Table:
    """Build the table of diversity and similarity."""
    shown = {key: measured_arms(records, key) for key in MEASURES}
    columns = [Column("task", number=False)]
    columns += [Column(arm, group=MEASURES[key]) for key, arms in shown.items() for arm in arms]
    rows = []
    for facts in measured_tasks(records, tuple(MEASURES)):
        own = [m for m in records.measures if m.task == facts.task]
        values = [
            mean_measure(records, facts.task, arm, key)
            for key, arms in shown.items()
            for arm in arms
        ]
        cells = [Cell("-" if value is None else f"{value:.3f}") for value in values]
        rows.append((Cell(facts.title), *cells, _sizes(own)))
    return Table(
        "diversity",
        "Diversity and similarity (cosine on unit vectors)",
        (*columns, Column("texts", number=False)),
        tuple(rows),
        _notes(records, shown),
    )


def _notes(records: StudyRecords, shown: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    notes = []
    if shown["remote_clique"] or shown["chamfer"]:
        notes += [
            "Remote Clique: mean distance of a text to all others of its arm. Chamfer: mean "
            "distance to the nearest other. Both are cosine distances on unit vectors (0 to 2), "
            f"self pairs left out; higher is more diverse. {size_note(records, DIVERSITY)}",
            "Chamfer shrinks as n grows: compare figures of different tasks or studies at equal n "
            "only.",
        ]
    if shown["top5_cosine"]:
        notes.append(
            "Top-5 cosine: for each real text the mean cosine to the five nearest texts of the "
            "arm, averaged over the real texts; higher is closer to real text. "
            f"{size_note(records, SIMILARITY)}"
        )
    encoders = sorted({m.encoder for m in records.measures if m.encoder})
    return (*notes, *([f"Embeddings: {listed(encoders)}."] if encoders else []))


def _sizes(own: Sequence[MeasureRecord]) -> Cell:
    by_arm = {m.arm: m.n for m in own}
    if len(set(by_arm.values())) > 1:
        texts = "; ".join(f"{arm} {n:,}" for arm, n in by_arm.items())
    else:
        texts = f"{between(by_arm.values())} an arm"
    real = {m.n_real for m in own if m.n_real}
    return Cell(texts, f"top-5 against {between(real)} real" if real else "")
