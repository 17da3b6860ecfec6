"""The figure of the gap against subjectivity, with every task named at its points."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evaluation.report.placement import NamedPoints, name_points
from evaluation.report.results import StudyResults, TaskResult
from evaluation.report.score_tables import RANK_LABEL, arms_present
from evaluation.report.style import MUTED, Drawing, draw, legend, looks, offsets, plot_intervals
from evaluation.report.wording import listed, with_spread

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def gap_against_subjectivity(results: StudyResults) -> tuple[Drawing, ...]:
    """Draw the gap over the remembered rank; nothing where no task has both."""
    tasks = [task for task in results.on_real if task.best and _rank(task)]
    if not tasks:
        return ()
    arms = [arm for arm in arms_present(tasks, results.arms) if _has_gap(tasks, arm)]
    look = looks(results.arms)
    centres = _centres(tasks)

    def paint(figure: "Figure") -> None:
        axes = figure.add_subplot()
        axes.axhline(0, color=MUTED, linewidth=1)
        axes.grid(axis="y")
        axes.set_xlabel(f"subjectivity: {RANK_LABEL}")
        axes.set_ylabel("gap to as many real texts\n(points of macro-F1)")
        shifts = offsets(len(arms), 0.16)
        for arm, shift in zip(arms, shifts, strict=True):
            found = [
                (x + shift, task, each.gap)
                for x, task in zip(centres, tasks, strict=True)
                if (each := task.arm(arm)) is not None and each.gap is not None
            ]
            tips = [f"{task.facts.title}, {arm}: gap {with_spread(gap)}" for _, task, gap in found]
            points = [(x, gap) for x, _, gap in found]
            plot_intervals(axes, points, look[arm], arm, tips=tips, upright=True)
        ranks = sorted({_rank(task) for task in tasks})
        axes.set_xticks(range(min(ranks), max(ranks) + 1))
        axes.set_xlim(min(ranks) - 0.7, max(ranks) + 0.7)
        legend(figure, axes)
        name_points(figure, axes, [_column(x, t) for x, t in zip(centres, tasks, strict=True)])

    caption = (
        "Gap against subjectivity. Across: the rank of each task from least to most subjective, a "
        f"{RANK_LABEL}. Lines: 95 % intervals. Above 0, the real texts are better. No trend is "
        "fitted: a remembered rank does not bear one."
    )
    unranked = [task.facts.title for task in results.on_real if task.best and not _rank(task)]
    if unranked:
        caption += f" Without a rank, so not shown: {listed(unranked)}."
    return (draw("gap_subjectivity", caption, (7.2, 4.8), paint),)


def _rank(task: TaskResult) -> int:
    return task.facts.subjectivity_rank_remembered or 0


def _has_gap(tasks: Sequence[TaskResult], arm: str) -> bool:
    return any((found := task.arm(arm)) is not None and found.gap is not None for task in tasks)


def _centres(tasks: Sequence[TaskResult]) -> list[float]:
    """Place tasks at their rank; tasks of one rank side by side."""
    ranks = [_rank(task) for task in tasks]
    places = []
    for index, rank in enumerate(ranks):
        shifts = offsets(ranks.count(rank), 0.5)
        places.append(rank + shifts[ranks[:index].count(rank)])
    return places


def _column(x: float, task: TaskResult) -> NamedPoints:
    gaps = [each.gap for each in task.arms if each.gap is not None]
    return NamedPoints(
        x,
        task.facts.task,
        100 * min(gap.low for gap in gaps),
        100 * max(gap.high for gap in gaps),
    )
