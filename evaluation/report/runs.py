"""The runs behind the scores: each number of the report can be traced to its lines."""

from evaluation.records import RunRecord, StudyRecords
from evaluation.report.scoring import in_table_order
from evaluation.report.section import Block, Section
from evaluation.report.table import Cell, Column, Table
from evaluation.report.wording import between, hundredths

_COLUMNS = (
    Column("task", number=False),
    Column("arm", number=False),
    Column("training texts"),
    Column("test texts"),
    Column("seeds", number=False),
    Column("macro-F1 of each", number=False),
    Column("accuracy of each", number=False),
    Column("seconds of each", number=False),
    Column("keys", number=False, wide=True),
)


def runs_section(records: StudyRecords) -> tuple[Section, ...]:
    """List every finished run; none where no run is finished."""
    by_cell: dict[tuple[str, str, str], list[RunRecord]] = {}
    for run in records.runs:
        if run.status == "done":
            by_cell.setdefault((run.task, run.arm, run.evaluated_on), []).append(run)
    task_places = {facts.task: i for i, facts in enumerate(in_table_order(records.tasks))}
    arm_places = {arm: i for i, arm in enumerate(records.arms)}
    ordered = sorted(by_cell, key=lambda cell: (task_places[cell[0]], arm_places[cell[1]], cell[2]))
    rows = [_row(*cell, sorted(by_cell[cell], key=lambda run: run.seed)) for cell in ordered]
    if not rows:
        return ()
    table = Table(
        "all-runs",
        "Every finished run",
        _COLUMNS,
        tuple(rows),
        (
            "A row a task and arm, its seeds side by side. A key is the first part of the run's "
            "`key` in runs.jsonl, which also has its data, settings and versions; what it "
            "predicted is in predictions/.",
        ),
    )
    return (Section("runs", "Runs", "Runs", (Block(table=table),), folded=True),)


def anchor(task: str, arm: str, evaluated_on: str = "real") -> str:
    """Return the anchor of the row of a task's arm."""
    tested = "" if evaluated_on == "real" else f"-{evaluated_on}"
    return f"run-{task}-{arm}{tested}".replace("@", "-at-").replace("+", "-and-")


def _row(task: str, arm: str, evaluated_on: str, runs: list[RunRecord]) -> tuple[Cell, ...]:
    return (
        Cell(task, anchor=anchor(task, arm, evaluated_on)),
        Cell(arm, "" if evaluated_on == "real" else f"tested on {evaluated_on}"),
        Cell(between(run.n_train for run in runs)),
        Cell(between(run.n_test for run in runs)),
        Cell(", ".join(str(run.seed) for run in runs)),
        Cell(", ".join(_percent(run.macro_f1) for run in runs)),
        Cell(", ".join(_percent(run.accuracy) for run in runs)),
        Cell(", ".join(f"{run.seconds:.1f}" if run.seconds is not None else "-" for run in runs)),
        Cell(", ".join(run.key[:8] for run in runs)),
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else hundredths(value)
