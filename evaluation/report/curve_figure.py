"""The figure of scores at growing numbers of training texts, a panel a task."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from builders.strategies import STRATEGIES
from evaluation.arms import REAL
from evaluation.report.panels import draw_panels
from evaluation.report.results import TaskResult
from evaluation.report.style import Drawing, Look, looks, tip
from evaluation.report.wording import with_spread
from evaluation.uncertainty.joint_bootstrap import Resampled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CurveOf = Callable[[TaskResult, str], Mapping[int, Resampled]]


def draw_curves(tasks: Sequence[TaskResult], curve_of: CurveOf) -> tuple[Drawing, ...]:
    """Draw macro-F1 over texts of each label, of real texts and of each corpus.

    Args:
        tasks: Tasks with a curve of real texts.
        curve_of: From task and source to the scores by size.
    """
    sources = (REAL, *STRATEGIES)
    look = looks(sources)

    def paint(axes: "Axes", place: int) -> None:
        task = tasks[place]
        axes.set_xscale("log")
        for source in sources:
            curve = curve_of(task, source)
            if curve:
                _plot(axes, task, source, curve, look[source])
        ticks = list(curve_of(task, REAL))
        axes.set_xticks(ticks, [str(n) for n in ticks], fontsize=8.5)
        axes.minorticks_off()

    caption = (
        "Macro-F1 on real text at growing numbers of training texts of each label (logarithmic). "
        "Bands: 95 % intervals over test texts and seeds. Where a corpus crosses the curve of real "
        "texts, it is worth as many of them."
    )
    axis = ("training texts of each label", "macro-F1 on real text (%)")
    return (draw_panels("curves", caption, [task.facts.title for task in tasks], axis, paint),)


def _plot(
    axes: "Axes", task: TaskResult, source: str, curve: Mapping[int, Resampled], look: Look
) -> None:
    intervals = {size: score.interval() for size, score in curve.items()}
    sizes = list(intervals)
    lows = [100 * each.low for each in intervals.values()]
    highs = [100 * each.high for each in intervals.values()]
    axes.fill_between(sizes, lows, highs, color=look.colour, alpha=0.14, linewidth=0)
    values = [100 * each.value for each in intervals.values()]
    axes.plot(sizes, values, f"-{look.marker}", color=look.colour, markersize=4.5, label=source)
    for size, each in intervals.items():
        (mark,) = axes.plot(size, 100 * each.value, look.marker, color=look.colour, markersize=4.5)
        tip(mark, f"{task.facts.title}, {source}, {size} texts a label: {with_spread(each)}")
