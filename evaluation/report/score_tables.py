"""The tables of scores: arms side by side, a row a task."""

from collections.abc import Iterable, Sequence

from evaluation.arms import REAL, REAL_FULL
from evaluation.report.results import ArmResult, StudyResults, TaskResult
from evaluation.report.runs import anchor
from evaluation.report.table import Cell, Column, Table
from evaluation.report.wording import between, hundredths, listed, spread
from evaluation.uncertainty.comparisons import holm, p_value, resolution
from evaluation.uncertainty.joint_bootstrap import LEVEL, REPLICATES
from evaluation.uncertainty.scores import Interval

NONE = Cell("-")
_LEVEL = 0.05
RANK_LABEL = "rank remembered from the paper, not measured here"


def table_on_real(results: StudyResults) -> Table:
    """Build Table 1: macro-F1 of every arm and the gap of every synthetic arm, on real text."""
    tasks = results.with_main_arms
    arms = arms_present(tasks, results.arms)
    gapped = {each.arm for task in tasks for each in task.synthetic}
    ranked = any(task.facts.subjectivity_rank_remembered is not None for task in tasks)
    columns = [Column("task", number=False), *([Column("rank")] if ranked else [])]
    for arm in arms:
        columns.append(Column("macro-F1", group=arm))
        if arm in gapped:
            columns.append(Column("gap", group=arm))
    columns += [Column("texts a label"), Column("test texts"), Column("seeds")]
    rows = []
    for task in tasks:
        row = [task_cell(task), *([_rank(task)] if ranked else [])]
        for arm in arms:
            found = task.arm(arm)
            link = anchor(task.facts.task, arm)
            row.append(interval_cell(found.macro_f1 if found else None, link))
            if arm in gapped:
                row.append(interval_cell(found.gap if found else None))
        rows.append((*row, *_sizes(task)))
    notes = [
        interval_note(tasks),
        "Gap: macro-F1 of the arm real minus that of this arm, paired: on the same test texts. "
        "Above 0, the real texts are better.",
        *_corrected(tasks),
        *_size_notes(tasks),
    ]
    if ranked:
        notes.append(f"Rank: subjectivity from least (1) to most; {RANK_LABEL}.")
    title = "Table 1. Macro-F1 on real text (%) and the gap to as many real texts (points)"
    return Table("table-1", title, tuple(columns), tuple(rows), tuple(notes))


def _corrected(tasks: Sequence[TaskResult]) -> tuple[str, ...]:
    """Say which gaps are more than chance does among so many."""
    p_values = {
        (task.facts.title, each.arm): p_value(task.bootstrap.gap(REAL, each.arm))
        for task in tasks
        for each in task.synthetic
        if task.bootstrap is not None
    }
    if len(p_values) < 2:
        return ()
    off_zero = [key for key, p in p_values.items() if p <= _LEVEL]
    note = f"Of {len(p_values)} gaps {len(off_zero)} differ from 0 at 5 % each by itself"
    if resolution(REPLICATES) * len(p_values) > _LEVEL:
        return (
            f"{note}; so many cannot be corrected for their number with {REPLICATES:,} replicates: "
            "Holm's correction would find none, however large.",
        )
    sure = [key for key, p in holm(p_values).items() if p <= _LEVEL]
    note += f", and {len(sure)} after Holm's correction for so many"
    lost = [f"{title} {arm}" for title, arm in off_zero if (title, arm) not in sure]
    return (f"{note}, which do not include {listed(lost)}." if lost else f"{note}.",)


def accuracy_on_real(results: StudyResults) -> Table:
    """Build the table of accuracies on real text."""
    tasks = results.with_main_arms
    arms = arms_present(tasks, results.arms)
    rows = [
        (
            task_cell(task),
            *(accuracy_cell(task.arm(arm), anchor(task.facts.task, arm)) for arm in arms),
        )
        for task in tasks
    ]
    notes = (interval_note(tasks), *_size_notes(tasks))
    columns = (Column("task", number=False), *(Column(arm) for arm in arms))
    return Table("accuracy", "Table 2. Accuracy on real text (%)", columns, tuple(rows), notes)


def interval_note(tasks: Sequence[TaskResult]) -> str:
    """Say what the intervals are, and what they leave out where there is one seed."""
    arms = [each for task in tasks for each in task.arms]
    note = (
        f"The range with each mean over seeds is its {100 * LEVEL:.0f} % confidence interval "
        "(percentile bootstrap over test texts and seeds)."
    )
    if any(len(each.seeds) == 1 for each in arms):
        note += " With one seed it covers the choice of the test texts only."
    return note


def arms_present(tasks: Sequence[TaskResult], arms: Sequence[str]) -> tuple[str, ...]:
    """Return those of `arms` that any task has a score of."""
    present = {each.arm for task in tasks for each in task.arms}
    return tuple(arm for arm in arms if arm in present)


def has_equal_sizes(task: TaskResult) -> bool:
    """Say whether the arms of a task have equally many training texts of each label."""
    sizes = {
        tuple(sorted(counts.items()))
        for each in task.arms
        if each.arm != REAL_FULL
        for counts in each.n_per_label
    }
    return len(sizes) <= 1


def _size_notes(tasks: Sequence[TaskResult]) -> tuple[str, ...]:
    note = "The arms of a task have equally many training texts of each label"
    unequal = [task.facts.title for task in tasks if not has_equal_sizes(task)]
    if unequal:
        note += f", except in {listed(unequal)} (see texts a label in Table 1)"
    notes = [f"{note}."]
    if any(task.arm(REAL_FULL) for task in tasks):
        notes.append(f"{REAL_FULL} has all real training texts: no comparison at equal size.")
    return tuple(notes)


def _sizes(task: TaskResult) -> tuple[Cell, Cell, Cell]:
    compared = [each for each in task.arms if each.arm != REAL_FULL]
    full = task.arm(REAL_FULL)
    per_label = between(_label_counts(compared))
    if not has_equal_sizes(task):
        per_label = "; ".join(f"{each.arm} {between(_label_counts([each]))}" for each in compared)
    detail = f"{REAL_FULL} {between(full.n_train)} in all" if full else ""
    tests = between(each.n_test for each in task.arms)
    return Cell(per_label, detail), Cell(tests), Cell(seed_counts(task.arms))


def _label_counts(arms: Iterable[ArmResult]) -> list[int]:
    return [n for each in arms for counts in each.n_per_label for n in counts.values()]


def seed_counts(arms: Sequence[ArmResult]) -> str:
    """Write how many seeds finished, arm by arm where they differ."""
    counts = {each.arm: len(each.seeds) for each in arms}
    if len(set(counts.values())) == 1:
        return between(counts.values())
    return "; ".join(f"{arm} {count}" for arm, count in counts.items())


def task_cell(task: TaskResult) -> Cell:
    """Name a task by its title and by what one types."""
    name = task.facts.task
    return Cell(task.facts.title, "" if name == task.facts.title else name)


def _rank(task: TaskResult) -> Cell:
    rank = task.facts.subjectivity_rank_remembered
    return NONE if rank is None else Cell(str(rank))


def interval_cell(interval: Interval | None, link: str = "") -> Cell:
    """Write a value in percent or points with its interval; `link` tells where it comes from."""
    return Cell(hundredths(interval.value), spread(interval), link) if interval else NONE


def accuracy_cell(result: ArmResult | None, link: str = "") -> Cell:
    """Write an arm's accuracy in percent with its interval."""
    return interval_cell(result.accuracy if result else None, link)
