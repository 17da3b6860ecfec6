"""Where synthetic text fails: what an arm misses, leaves out, overuses and mislabels."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evaluation.records import FindingRecord, StudyRecords
from evaluation.report.results import StudyResults, TaskResult
from evaluation.report.section import Block, Section
from evaluation.report.table import Cell, Column, Table
from evaluation.report.wording import hundredths

_SURE = 0.05
"""Adjusted p-value up to which a difference is called one."""

_CELLS = 5
"""Confusions that are listed."""

Values = Mapping[str, Any]


def where_section(records: StudyRecords, results: StudyResults) -> tuple[Section, ...]:
    """Show the findings on each task's best synthetic arm, a folded part a task."""
    blocks: list[Block] = []
    for task in results.on_real:
        if task.best is None:
            continue
        found = {
            each.kind: each
            for each in records.findings
            if (each.task, each.arm) == (task.facts.task, task.best.arm)
        }
        own = tuple(_of_task(task, task.best.arm, found))
        if own:
            title = f"{task.facts.title}: {task.best.arm}"
            blocks.append(Block(heading=title, folded=own))
    if not blocks:
        return ()
    about = Block(
        text="Of each task's best synthetic arm. Texts are quoted from real test texts and from "
        "the corpus; long ones are cut."
    )
    return (Section("where", "Where it fails", "Where", (about, *blocks)),)


def _of_task(task: TaskResult, arm: str, found: Mapping[str, FindingRecord]) -> Iterator[Block]:
    key = task.facts.task
    if "failures" in found:
        values = found["failures"].values
        yield Block(text=_lost(values, arm))
        yield Block(table=_label_table(key, values))
        if cells := _sure_cells(values):
            yield Block(table=_confusion_table(key, cells))
        if values["groups"]:
            yield Block(table=_groups_table(key, values))
    if "coverage" in found:
        yield Block(table=_coverage_table(key, found["coverage"].values))
    if "words" in found:
        yield Block(text=_word_sentence(found["words"].values))
    if "label_noise" in found:
        values = found["label_noise"].values
        yield Block(text=_noise_sentence(values))
        if values.get("texts"):
            yield Block(table=_noise_table(key, values))


def _lost(values: Values, arm: str) -> str:
    right, missed, gained, n = (values[k] for k in ("right", "missed", "gained", "n_texts"))
    share = f" ({hundredths(missed / right)} %)" if right else ""
    return (
        f"By the majority of their seeds, real training texts get {right:,} of {n:,} test texts "
        f"right; {arm} misses {missed:,}{share} of these and gets {gained:,} that real training "
        "texts miss."
    )


def _label_table(task: str, values: Values) -> Table:
    rows = [
        (Cell(each["label"]), _points(each), Cell(_p(each["adjusted_p"]))) for each in values["f1"]
    ]
    return Table(
        f"labels-{task}",
        "Gap by label: F1 of real training texts minus that of synthetic ones (points)",
        (Column("label", number=False), Column("gap"), Column("p, adjusted")),
        tuple(rows),
        ("Adjusted for the number of labels (Benjamini-Hochberg).",),
    )


def _sure_cells(values: Values) -> list[Values]:
    """Return the confusions that differ, those that the synthetic arm has more of first."""
    sure = [
        each
        for each in values["cells"]
        if each["adjusted_p"] is not None and each["adjusted_p"] <= _SURE
    ]
    return sorted(sure, key=lambda each: each["value"])[:_CELLS]


def _confusion_table(task: str, cells: Sequence[Values]) -> Table:
    rows = [
        (Cell(each["true"]), Cell(each["said"]), _points(each), Cell(_p(each["adjusted_p"])))
        for each in cells
    ]
    return Table(
        f"confusions-{task}",
        "What is confused otherwise (points of the texts of the true label)",
        (
            Column("true label", number=False),
            Column("taken for", number=False),
            Column("real minus synthetic"),
            Column("p, adjusted"),
        ),
        tuple(rows),
        ("Below 0, synthetic training texts make the mistake more often. Only sure differences.",),
    )


def _groups_table(task: str, values: Values) -> Table:
    rows = []
    for group in values["groups"]:
        excess = "-" if group["excess"] is None else f"{group['excess']:.1f}"
        examples = "; ".join(
            f"“{each['text']}” ({each['label']}, taken for {each['said']})"
            for each in group["examples"]
        )
        rows.append(
            (
                Cell(", ".join(group["keywords"])),
                Cell(f"{group['missed']:,}", f"of {group['n_right']:,}"),
                Cell(excess),
                Cell(_p(group["adjusted_p"])),
                Cell(examples),
            )
        )
    return Table(
        f"groups-{task}",
        "What the missed texts are about",
        (
            Column("subject", number=False, wide=True),
            Column("missed"),
            Column("times the average"),
            Column("p, adjusted"),
            Column("examples", number=False, wide=True),
        ),
        tuple(rows),
        (
            f"All test texts fall into {values['n_groups']} groups by k-means of their embeddings, "
            "without looking at who is right; named by typical words. Missed: of those that real "
            "training texts get right.",
        ),
    )


def _coverage_table(task: str, values: Values) -> Table:
    rows = [
        (
            Cell(each["text"]),
            Cell(each["label"]),
            Cell(f"{each['distance']:.2f}"),
            Cell(each["nearest"]),
        )
        for each in values["texts"]
    ]
    return Table(
        f"uncovered-{task}",
        "Real texts that the corpus comes least close to",
        (
            Column("real text", number=False, wide=True),
            Column("label", number=False),
            Column("distance"),
            Column("nearest synthetic text", number=False, wide=True),
        ),
        tuple(rows),
        ("Cosine distance of embeddings, 0 to 2.",),
    )


def _word_sentence(values: Values) -> str:
    if "undefined" in values:
        return f"Words used more or less are undefined: {values['undefined']}."
    over, under = (
        ", ".join(f"{use['word']} ({use['synthetic']}, {use['real']})" for use in values[name])
        for name in ("over", "under")
    )
    return (
        f"Words that the corpus uses most above the real texts (times in it, in them): "
        f"{over or 'none'}. Most below: {under or 'none'}."
    )


def _noise_sentence(values: Values) -> str:
    if "undefined" in values:
        return f"Label noise is undefined: {values['undefined']}."
    by_label = ", ".join(
        f"{label} {hundredths(share)} %" for label, share in values["by_label"].items()
    )
    return (
        f"Confident learning takes at most {hundredths(values['noise'])} % of the corpus's labels "
        f"for wrong ({by_label}). It takes what its classifier gets wrong for noise: that was "
        f"right on {hundredths(values['checker_accuracy'])} % of the corpus, held out."
    )


def _noise_table(task: str, values: Values) -> Table:
    rows = [
        (Cell(each["text"]), Cell(each["label"]), Cell(each["looks_like"]))
        for each in values["texts"]
    ]
    return Table(
        f"noise-{task}",
        "Synthetic texts whose label looks wrong",
        (
            Column("synthetic text", number=False, wide=True),
            Column("label asked for", number=False),
            Column("looks like", number=False),
        ),
        tuple(rows),
    )


def _points(each: Values) -> Cell:
    if each["value"] is None:
        return Cell("undefined")
    value = hundredths(each["value"])
    if each["low"] is None or each["high"] is None:
        return Cell(value)
    return Cell(value, f"{hundredths(each['low'])} to {hundredths(each['high'])}")


def _p(value: float | None) -> str:
    if value is None:
        return "-"
    return "<0.001" if value < 0.001 else f"{value:.3f}"
