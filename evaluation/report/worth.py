"""What synthetic text is worth in real labels, and what further real labels add."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from evaluation.arms import REAL, Kind, parse_arm
from evaluation.report.curve_figure import draw_curves
from evaluation.report.results import ArmResult, StudyResults, TaskResult
from evaluation.report.score_tables import NONE, interval_cell, task_cell
from evaluation.report.section import Block, Section
from evaluation.report.table import Cell, Column, Table
from evaluation.report.wording import between, listed
from evaluation.uncertainty.joint_bootstrap import Resampled
from evaluation.undefined import Undefined
from evaluation.worth.exchange_rate import ExchangeRate, exchange_rate
from evaluation.worth.marginal_value import MarginalValue, marginal_value

STEP = (50, 100)
"""Real texts of each label before and after the step whose value is told."""


def curve_of(task: TaskResult, source: str) -> dict[int, Resampled]:
    """Return texts of each label -> macro-F1 of an arm of one source, as far as there are runs.

    Args:
        task: The task, scored on real text.
        source: `real`, or a strategy.
    """
    sizes = {}
    for each in task.others:
        arm = parse_arm(each.arm)
        if arm.kind is Kind.CURVE and arm.parts[0].source == source and task.bootstrap is not None:
            sizes[arm.parts[0].per_label or 0] = task.bootstrap.macro_f1(each.arm)
    return dict(sorted(sizes.items()))


def worth_of(task: TaskResult, arm: str) -> ExchangeRate | Undefined | None:
    """Return what the texts of a synthetic arm are worth; None where there is no curve to read."""
    real = curve_of(task, REAL)
    if task.bootstrap is None or arm not in task.bootstrap or len(real) < 2:
        return None
    return exchange_rate(real, task.bootstrap.macro_f1(arm))


def step_of(task: TaskResult, strategy: str) -> MarginalValue | None:
    """Return what the next real labels add beside a corpus and alone; None without the runs."""
    before, after = STEP
    arms = (
        f"{REAL}@{before}",
        f"{REAL}@{after}",
        f"{strategy}+{REAL}@{before}",
        f"{strategy}+{REAL}@{after}",
    )
    bootstrap = task.bootstrap
    if bootstrap is None or any(arm not in bootstrap for arm in arms):
        return None
    real, more_real, mix, more_mix = map(bootstrap.macro_f1, arms)
    return marginal_value(real=real, more_real=more_real, mix=mix, more_mix=more_mix)


def worth_section(results: StudyResults) -> tuple[Section, ...]:
    """Show curves, exchange rates and marginal values; nothing where no curve was taken."""
    tasks = [task for task in results.on_real if len(curve_of(task, REAL)) > 1]
    if not tasks:
        return ()
    blocks = [
        Block(
            text="How many real labelled texts would have given the same score? The score of real "
            "texts at growing numbers is made monotone, and read where it reaches the synthetic "
            "arm's. Outside the numbers that were tried the worth is only bounded."
        ),
        *([Block(table=_rates(tasks))] if _synthetic(tasks) else []),
        *(Block(figure=figure) for figure in draw_curves(tasks, curve_of)),
        *(Block(table=table) for table in _steps(tasks)),
        *(Block(table=table) for table in _mixtures(tasks)),
    ]
    return (Section("worth", "What it is worth", "Worth", tuple(blocks)),)


def _rates(tasks: Sequence[TaskResult]) -> Table:
    arms = _synthetic(tasks)
    rows, undefined = [], []
    for task in tasks:
        cells = []
        for arm in arms:
            found, own = worth_of(task, arm), task.arm(arm)
            cells.append(Cell(between(own.n_train)) if own else NONE)
            cells.append(_rate(found))
            if isinstance(found, Undefined):
                undefined.append(f"{task.facts.title}, {arm}: undefined, {found.reason}.")
        rows.append((task_cell(task), *cells))
    columns = [Column("task", number=False)]
    for arm in arms:
        columns += [Column("texts", group=arm), Column("worth, real texts a label", group=arm)]
    return Table(
        "exchange-rate",
        "Exchange rate: real texts of each label that score as the synthetic texts do",
        tuple(columns),
        tuple(rows),
        (
            "Ranges are 95 % intervals over test texts and seeds, of the whole curve at once. The "
            "real texts are drawn by each seed anew.",
            *undefined,
        ),
    )


def _rate(found: ExchangeRate | Undefined | None) -> Cell:
    if found is None:
        return NONE
    if isinstance(found, Undefined):
        return Cell("undefined")
    return Cell(str(found.worth), f"{found.low} to {found.high}")


def _steps(tasks: Sequence[TaskResult]) -> Iterator[Table]:
    """Yield the table of what the next real labels add, for each strategy that was mixed."""
    before, after = STEP
    for strategy in _synthetic(tasks):
        found = [(task, step_of(task, strategy)) for task in tasks]
        rows = [
            (
                task_cell(task),
                *map(
                    interval_cell,
                    (value.to_real, value.to_mix, value.less, value.of_synthetic),
                ),
            )
            for task, value in found
            if value is not None
        ]
        if rows:
            yield Table(
                f"next-labels-{strategy}",
                f"What the next {after - before} real texts of each label add (points of "
                f"macro-F1), alone and beside {strategy}",
                (
                    Column("task", number=False),
                    Column("to real texts alone"),
                    Column(f"to real and {strategy}"),
                    Column("difference"),
                    Column(f"{strategy} beside {before} real"),
                ),
                tuple(rows),
                (
                    f"From {before} to {after} real texts of each label. Difference: how much less "
                    f"they add where the corpus is there. Last column: what {strategy} adds to "
                    f"{before} real texts of each label.",
                ),
            )


@dataclass(frozen=True)
class Mixture:
    """A corpus with some real texts.

    Attributes:
        real: Real texts of each label.
        result: Its scores.
    """

    real: int
    result: ArmResult


def mixtures_of(task: TaskResult, strategy: str) -> tuple[Mixture, ...]:
    """Return the mixtures of a strategy's corpus with real texts, fewest first."""
    found = []
    for each in task.others:
        arm = parse_arm(each.arm)
        if arm.kind is Kind.MIXED and arm.strategies == (strategy,):
            found.append(Mixture(arm.parts[1].per_label or 0, each))
    return tuple(sorted(found, key=lambda mixture: mixture.real))


def _mixtures(tasks: Sequence[TaskResult]) -> Iterator[Table]:
    """Yield the table of corpora with some real texts, for each strategy."""
    for strategy in _synthetic(tasks):
        by_task = {task.facts.task: mixtures_of(task, strategy) for task in tasks}
        sizes = sorted({each.real for own in by_task.values() for each in own})
        if not sizes:
            continue
        rows = []
        for task in tasks:
            own: Mapping[int, ArmResult] = {m.real: m.result for m in by_task[task.facts.task]}
            alone = task.arm(strategy)
            cells = [interval_cell(alone.gap if alone else None)]
            cells += [interval_cell(own[n].gap if n in own else None) for n in sizes]
            rows.append((task_cell(task), *cells))
        yield Table(
            f"mixtures-{strategy}",
            f"{strategy} with some real texts: the gap that is left (points of macro-F1)",
            (
                Column("task", number=False),
                Column("no real texts"),
                *(Column(f"{n} real texts a label") for n in sizes),
            ),
            tuple(rows),
            (
                "Gap to the arm real of Table 1, on the same test texts. Above 0, the real texts "
                f"alone are better. Real texts come on top of all of {strategy}: "
                f"{listed([str(n) for n in sizes])} of each label.",
            ),
        )


def _synthetic(tasks: Sequence[TaskResult]) -> tuple[str, ...]:
    """Return the synthetic arms at equal size, in the order of the tables."""
    found = dict.fromkeys(
        each.arm for task in tasks for each in task.arms if parse_arm(each.arm).synthetic
    )
    return tuple(found)
