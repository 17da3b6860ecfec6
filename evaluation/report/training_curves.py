"""Training curves: macro-F1 on the real test texts while a classifier is trained (figure B.1)."""

from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING, NamedTuple

from evaluation.arms import Kind, parse_arm
from evaluation.records import REAL_TEST, RunRecord, StudyRecords
from evaluation.report.panels import draw_panels
from evaluation.report.scoring import in_table_order
from evaluation.report.section import Block, Section
from evaluation.report.style import Drawing, Look, looks, tip
from evaluation.report.wording import hundredths

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Point(NamedTuple):
    """Macro-F1 (0 to 1) after so many steps: its mean over the seeds, the lowest, the highest."""

    step: int
    mean: float
    low: float
    high: float
    seeds: int


def training_curve(runs: Sequence[RunRecord]) -> tuple[Point, ...]:
    """Return the curve of the runs of one arm, at the steps that all of them have a score of."""
    curves = [dict(run.curve) for run in runs if run.curve]
    steps = set.intersection(*map(set, curves)) if curves else set()
    points = []
    for step in sorted(steps):
        scores = [curve[step] for curve in curves]
        points.append(Point(step, fmean(scores), min(scores), max(scores), len(scores)))
    return tuple(points)


def training_section(records: StudyRecords) -> tuple[Section, ...]:
    """Show the training curves; nothing where none were recorded."""
    every = records.settings.get("curve_steps")
    text = (
        f"Macro-F1 on the real test texts, every {every} steps and at the end. It is recorded and "
        "nothing else: no step, setting or model is chosen by it, and each run is trained to its "
        "end. Arms with more texts take more steps."
    )
    figures = tuple(Block(figure=figure) for figure in draw_training(records))
    if not figures:
        return ()
    return (Section("training", "While training", "Training", (Block(text=text), *figures)),)


def draw_training(records: StudyRecords) -> tuple[Drawing, ...]:
    """Draw the curves of the main arms, a panel a task."""
    arms = [arm for arm in records.arms if parse_arm(arm).kind is Kind.MAIN]
    tasks = []
    for facts in in_table_order(records.tasks):
        own = {arm: training_curve(_runs(records, facts.task, arm)) for arm in arms}
        if any(own.values()):
            tasks.append((facts.title, own))
    if not tasks:
        return ()
    look = looks(arms)

    def paint(axes: "Axes", place: int) -> None:
        title, curves = tasks[place]
        for arm, points in curves.items():
            if points:
                _plot(axes, title, arm, points, look[arm])

    caption = (
        "Macro-F1 on the real test texts after so many steps of training. Lines: means over the "
        "seeds; bands: from the lowest to the highest seed."
    )
    axis = ("steps", "macro-F1 on real text (%)")
    return (draw_panels("training", caption, [title for title, _ in tasks], axis, paint),)


def _runs(records: StudyRecords, task: str, arm: str) -> list[RunRecord]:
    return [
        run
        for run in records.runs
        if (run.task, run.arm, run.status, run.evaluated_on) == (task, arm, "done", REAL_TEST)
    ]


def _plot(axes: "Axes", title: str, arm: str, points: Sequence[Point], look: Look) -> None:
    steps = [point.step for point in points]
    lows, highs = [100 * point.low for point in points], [100 * point.high for point in points]
    axes.fill_between(steps, lows, highs, color=look.colour, alpha=0.14, linewidth=0)
    means = [100 * point.mean for point in points]
    axes.plot(steps, means, f"-{look.marker}", color=look.colour, markersize=3.5, label=arm)
    for point in points:
        (mark,) = axes.plot(
            point.step, 100 * point.mean, look.marker, color=look.colour, markersize=3.5
        )
        spread = f"{hundredths(point.low)} to {hundredths(point.high)}"
        seeds = "1 seed" if point.seeds == 1 else f"{spread}, {point.seeds} seeds"
        tip(mark, f"{title}, {arm}, step {point.step}: {hundredths(point.mean)} ({seeds})")
