"""The paper's values that could be checked, beside what a study measured.

Of the paper's Table 1 only these cells were seen in a source. Values that are only remembered are
shown nowhere.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from evaluation.arms import REAL, REAL_FULL
from evaluation.records import StudyRecords
from evaluation.report.results import StudyResults, TaskResult
from evaluation.report.score_tables import accuracy_cell, task_cell
from evaluation.report.section import Block, Section
from evaluation.report.table import Cell, Column, Table
from evaluation.report.wording import hundredths, listed

SOURCE = (
    "Source: a public research note on product taxonomies of October 2026, which quotes these "
    "cells of Li et al. (2023), arXiv 2310.07849, table 1. They were not compared with the paper "
    "itself, and no other cell was seen in any source."
)


class PaperValue(NamedTuple):
    """An accuracy (0 to 1) of the paper on a real test set; no encoder where the source names none.

    `arm` is what the paper's classifier was trained on: `real`, `zero_shot` or `few_shot`.
    """

    task: str
    encoder: str
    arm: str
    accuracy: float


CHECKED = (
    PaperValue("ag_news", "BERT", REAL, 0.953),
    PaperValue("ag_news", "BERT", "zero_shot", 0.893),
    PaperValue("ag_news", "BERT", "few_shot", 0.916),
    PaperValue("ag_news", "RoBERTa", REAL, 0.946),
    PaperValue("ag_news", "RoBERTa", "zero_shot", 0.886),
    PaperValue("ag_news", "RoBERTa", "few_shot", 0.929),
    PaperValue("sarcasm_news", "", REAL, 0.903),
    PaperValue("sarcasm_news", "", "zero_shot", 0.512),
)

_PAPERS = {
    "bert-base-uncased": "BERT",
    "bert-base-cased": "BERT",
    "roberta-base": "RoBERTa",
}
"""The last part of an encoder's name -> what the paper calls it."""

_THERE = (
    "The paper fine-tuned BERT and RoBERTa, on 3,000 texts of each label that GPT-3.5-Turbo wrote. "
    "On how many real texts, for how long, and what it tested on is not known."
)


def paper_section(studies: Sequence[tuple[StudyRecords, StudyResults]]) -> tuple[Section, ...]:
    """Set the paper's values beside those of studies, one an encoder; nothing without any.

    Args:
        studies: Records and scores of each.
    """
    rows = [row for records, results in studies for row in _rows(records, results)]
    if not rows:
        return ()
    group = "here"
    table = Table(
        "paper-values",
        "The paper's values that could be checked: accuracy on real text (%)",
        (
            Column("task", number=False),
            Column("encoder", group="in the paper", number=False),
            Column("trained on", group="in the paper", number=False),
            Column("accuracy", group="in the paper"),
            Column("encoder", group=group, number=False),
            Column("arm", group=group, number=False),
            Column("accuracy", group=group),
            Column("difference", group=group),
        ),
        tuple(rows),
        (
            SOURCE,
            _THERE,
            *(_here(records, results) for records, results in studies),
            f"Here {REAL} has as many texts as the synthetic arms, {REAL_FULL} has all; which is "
            "nearer to the paper's real data is not known.",
        ),
    )
    return (Section("paper", "Beside the paper", "Paper", (Block(table=table),)),)


def _rows(records: StudyRecords, results: StudyResults) -> Iterator[tuple[Cell, ...]]:
    encoder = str(records.settings.get("encoder"))
    name = encoder.rstrip("/").rpartition("/")[2]
    called = _PAPERS.get(name)
    for task in results.on_real:
        for value in CHECKED:
            if value.task == task.facts.task and not (
                called and value.encoder and value.encoder != called
            ):
                for arm in (REAL, REAL_FULL) if value.arm == REAL else (value.arm,):
                    yield from _row(task, value, name, arm)


def _row(task: TaskResult, value: PaperValue, encoder: str, arm: str) -> Iterator[tuple[Cell, ...]]:
    found = task.arm(arm)
    if found is None:
        return
    yield (
        task_cell(task),
        Cell(value.encoder or "not named"),
        Cell(value.arm),
        Cell(hundredths(value.accuracy)),
        Cell(encoder),
        Cell(arm),
        accuracy_cell(found),
        Cell(hundredths(found.accuracy.value - value.accuracy)),
    )


def _here(records: StudyRecords, results: StudyResults) -> str:
    settings = records.settings
    tasks = [task for task in results.on_real if task.facts.task in {v.task for v in CHECKED}]
    names = {task.facts.task for task in tasks}
    llms = sorted({corpus.llm for corpus in records.corpora if corpus.task in names})
    sizes = [
        f"{max(n for counts in arm.n_per_label for n in counts.values()):,} of each label in "
        f"{task.facts.task}"
        for task in tasks
        for arm in task.synthetic[:1]
    ]
    how = "fine-tuned" if settings.get("trainer") == "finetune" else "a probe on the frozen encoder"
    parts = [f"{settings.get('encoder')}, {how}"]
    parts += [f"synthetic texts by {listed(llms)}"] if llms else []
    parts += [f"at most {listed(sizes)}"] if sizes else []
    return f"Here: {'; '.join(parts)}."
