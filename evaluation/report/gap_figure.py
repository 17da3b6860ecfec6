"""The figure of the gap against subjectivity, with every task named at its points."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evaluation.report.placement import NamedPoints, name_points
from evaluation.report.results import StudyResults, TaskResult
from evaluation.report.score_tables import RANK_LABEL, arms_present
from evaluation.report.style import MUTED, Drawing, draw, legend, looks, offsets, plot_intervals
from evaluation.report.wording import listed, with_spread
from evaluation.subjectivity.ranking import SubjectivityRanking
from evaluation.uncertainty.scores import Interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def gap_against_subjectivity(results: StudyResults) -> tuple[Drawing, ...]:
    """Draw the gap over the remembered rank; nothing where no task has both."""
    tasks = [task for task in results.on_real if task.best and _rank(task)]
    if not tasks:
        return ()
    ranks = sorted({_rank(task) for task in tasks})
    caption = (
        "Gap against subjectivity. Across: the rank of each task from least to most subjective, a "
        f"{RANK_LABEL}. Lines: 95 % intervals. Above 0, the real texts are better. No trend is "
        "fitted: a remembered rank does not bear one."
    )
    unranked = [task.facts.title for task in results.on_real if task.best and not _rank(task)]
    if unranked:
        caption += f" Without a rank, so not shown: {listed(unranked)}."
    return (
        _draw_gaps(
            "gap_subjectivity",
            caption,
            f"subjectivity: {RANK_LABEL}",
            list(zip(_centres(tasks), tasks, strict=True)),
            results.arms,
            ticks=range(min(ranks), max(ranks) + 1),
        ),
    )


def judged_scores(ranking: SubjectivityRanking) -> dict[str, Interval]:
    """Return task -> its score, the log-odds of being called more objective than an average task.

    Only of the largest group of tasks that comparisons link.
    """
    sizes = [len(group) for group in ranking.groups]
    group = sizes.index(max(sizes))
    return {each.task: each.score for each in ranking.standings if each.group == group}


def gap_against_judgements(
    results: StudyResults, ranking: SubjectivityRanking
) -> tuple[Drawing, ...]:
    """Draw the gap over measured subjectivity; nothing where no task has both."""
    scores = judged_scores(ranking)
    tasks = [task for task in results.on_real if task.best and task.facts.task in scores]
    if not tasks:
        return ()
    caption = (
        "Gap against measured subjectivity. Across: the log-odds of being judged more subjective "
        f"than an average task ({ranking.judgements} judgements of {ranking.judges} judges). "
        "Lines: 95 % intervals of the gap. Above 0, the real texts are better."
    )
    unjudged = [t.facts.title for t in results.on_real if t.best and t.facts.task not in scores]
    if unjudged:
        caption += f" Not judged, so not shown: {listed(unjudged)}."
    placed = [(-scores[task.facts.task].value, task) for task in tasks]
    return (
        _draw_gaps(
            "gap_judged",
            caption,
            "subjectivity as judged (log-odds)",
            sorted(placed, key=lambda each: each[0]),
            results.arms,
        ),
    )


def _draw_gaps(
    name: str,
    caption: str,
    label: str,
    placed: Sequence[tuple[float, TaskResult]],
    every_arm: Sequence[str],
    ticks: Sequence[int] = (),
) -> Drawing:
    """Draw the gap of each arm over the place of its task on the horizontal axis."""
    tasks = [task for _, task in placed]
    arms = [arm for arm in arms_present(tasks, every_arm) if _has_gap(tasks, arm)]
    look = looks(every_arm)
    width = (ticks[-1] - ticks[0] if ticks else placed[-1][0] - placed[0][0]) or 1.0

    def paint(figure: "Figure") -> None:
        axes = figure.add_subplot()
        axes.axhline(0, color=MUTED, linewidth=1)
        axes.grid(axis="y")
        axes.set_xlabel(label)
        axes.set_ylabel("gap to as many real texts\n(points of macro-F1)")
        for arm, shift in zip(arms, offsets(len(arms), 0.018 * width), strict=True):
            found = [
                (x + shift, task, each.gap)
                for x, task in placed
                if (each := task.arm(arm)) is not None and each.gap is not None
            ]
            tips = [f"{task.facts.title}, {arm}: gap {with_spread(gap)}" for _, task, gap in found]
            points = [(x, gap) for x, _, gap in found]
            plot_intervals(axes, points, look[arm], arm, tips=tips, upright=True)
        if ticks:
            axes.set_xticks(ticks)
        room = 0.7 if ticks else 0.08 * width
        axes.set_xlim(placed[0][0] - room, placed[-1][0] + room)
        legend(figure, axes)
        name_points(figure, axes, [_column(x, task) for x, task in placed])

    return draw(name, caption, (7.2, 4.8), paint)


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
