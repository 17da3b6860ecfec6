"""The tables of a study without real text: each corpus tested on another."""

from collections.abc import Sequence

from evaluation.report.results import ArmResult, StudyResults, TaskResult
from evaluation.report.score_tables import (
    NONE,
    accuracy_cell,
    interval_cell,
    interval_note,
    seed_counts,
    task_cell,
)
from evaluation.report.table import Cell, Column, Table
from evaluation.report.wording import between


def tables_on_corpora(results: StudyResults) -> tuple[Table, Table]:
    """Build the tables of macro-F1 and accuracy where each corpus was tested on another."""
    tasks = results.on_corpora
    pairs = arm_pairs(results)
    what = (
        "Each arm is trained on its own corpus and tested on the corpus of the other arm. Both "
        "were written by an LLM: a high score says that they agree, not that either is right."
    )
    scores, accuracies = [], []
    for task in tasks:
        found = [tested_on(task, arm, other) for arm, other in pairs]
        head, sizes = task_cell(task), [_train_and_test(each) for each in found]
        f1 = [interval_cell(each.macro_f1 if each else None) for each in found]
        accuracy = [accuracy_cell(each) for each in found]
        seeds = Cell(seed_counts(task.arms))
        scores.append((head, *_interleaved(f1, sizes), seeds))
        accuracies.append((head, *accuracy))
    heads = [f"{arm}, tested on {other}" for arm, other in pairs]
    task_column = Column("task", number=False)
    grouped = [
        Column(title, group=head) for head in heads for title in ("macro-F1", "train / test texts")
    ]
    return (
        Table(
            "agreement",
            "Agreement between corpora: macro-F1 (%)",
            (task_column, *grouped, Column("seeds")),
            tuple(scores),
            (what, interval_note(tasks)),
        ),
        Table(
            "agreement-accuracy",
            "Agreement between corpora: accuracy (%)",
            (task_column, *(Column(head) for head in heads)),
            tuple(accuracies),
            (what, interval_note(tasks)),
        ),
    )


def arm_pairs(results: StudyResults) -> tuple[tuple[str, str], ...]:
    """Return which arm was tested on which arm's corpus, in the order of the arms."""
    return tuple(
        (arm, other)
        for arm in results.arms
        for other in results.arms
        if any(tested_on(task, arm, other) for task in results.on_corpora)
    )


def tested_on(task: TaskResult, arm: str, other: str) -> ArmResult | None:
    """Return the scores of `arm` on the corpus of `other`, None where there are none."""
    return next((a for a in task.arms if (a.arm, a.evaluated_on) == (arm, other)), None)


def _train_and_test(result: ArmResult | None) -> Cell:
    return Cell(f"{between(result.n_train)} / {result.n_test:,}") if result else NONE


def _interleaved(first: Sequence[Cell], second: Sequence[Cell]) -> list[Cell]:
    return [cell for pair in zip(first, second, strict=True) for cell in pair]
