"""The figures of a study: scores, diversity and similarity by task and arm."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from evaluation.records import StudyRecords
from evaluation.report.agreement import arm_pairs, tested_on
from evaluation.report.gap_figure import gap_against_subjectivity
from evaluation.report.measures import (
    DIVERSITY,
    MEASURES,
    SIMILARITY,
    mean_measure,
    measured_arms,
    measured_tasks,
    size_note,
)
from evaluation.report.results import ArmResult, StudyResults, TaskResult
from evaluation.report.score_tables import arms_present
from evaluation.report.style import (
    Drawing,
    Look,
    draw,
    legend,
    looks,
    offsets,
    plot_intervals,
    task_rows,
    tip,
)
from evaluation.report.wording import with_spread

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH = 6.6


def draw_scores(results: StudyResults) -> tuple[Drawing, ...]:
    """Draw the figures of scores that the study has data for."""
    drawings: list[Drawing] = []
    if results.with_main_arms:
        drawings.append(_real_scores(results))
        drawings += gap_against_subjectivity(results)
    if results.on_corpora:
        drawings.append(_agreement(results))
    return tuple(drawings)


def draw_texts(records: StudyRecords) -> tuple[Drawing, ...]:
    """Draw diversity and similarity, as far as they were measured."""
    return tuple(
        _measures(name, measures, records)
        for name, measures in (("diversity", DIVERSITY), ("similarity", SIMILARITY))
        if measured_tasks(records, measures)
    )


def _height(n_rows: int) -> float:
    return 1.3 + 0.5 * n_rows


def _real_scores(results: StudyResults) -> Drawing:
    shown = arms_present(results.with_main_arms, results.arms)
    look = looks(results.arms)
    return _scores(
        "scores",
        "macro-F1 on real text (%)",
        results.with_main_arms,
        {arm: partial(TaskResult.arm, name=arm) for arm in shown},
        [look[arm] for arm in shown],
    )


def _agreement(results: StudyResults) -> Drawing:
    pairs = arm_pairs(results)
    look = looks(results.arms)
    return _scores(
        "agreement",
        "agreement between corpora, as macro-F1 (%)",
        results.on_corpora,
        {f"{a}, tested on {b}": partial(tested_on, arm=a, other=b) for a, b in pairs},
        [look[arm] for arm, _ in pairs],
    )


def _scores(
    name: str,
    label: str,
    tasks: Sequence[TaskResult],
    series: dict[str, Callable[[TaskResult], ArmResult | None]],
    look: Sequence[Look],
) -> Drawing:
    def paint(figure: "Figure") -> None:
        axes = figure.add_subplot()
        task_rows(axes, [task.facts.title for task in tasks])
        axes.set_xlabel(label)
        places = offsets(len(series), 0.54)
        for (title, find), offset, each in zip(series.items(), places, look, strict=True):
            found = [(row + offset, task, find(task)) for row, task in enumerate(tasks)]
            points = [(place, result.macro_f1) for place, _, result in found if result]
            tips = [
                f"{task.facts.title}, {title}: {with_spread(result.macro_f1)}"
                for _, task, result in found
                if result
            ]
            plot_intervals(axes, points, each, title, tips=tips)
        legend(figure, axes)

    caption = (
        f"{label[0].upper()}{label[1:]} of each task and arm. Dots: mean over the seeds; lines: "
        "95 % intervals over test texts and seeds."
    )
    return draw(name, caption, (_WIDTH, _height(len(tasks))), paint)


def _measures(name: str, measures: Sequence[str], records: StudyRecords) -> Drawing:
    tasks = measured_tasks(records, measures)
    look = looks(records.arms)

    def paint(figure: "Figure") -> None:
        panels = figure.subplots(1, len(measures), sharey=True, squeeze=False)[0]
        task_rows(panels[0], [facts.title for facts in tasks])
        for axes, measure in zip(panels, measures, strict=True):
            if axes is not panels[0]:
                task_rows(axes, [facts.title for facts in tasks])
                axes.tick_params(axis="y", labelleft=False)
            axes.set_xlabel(_AXES[measure])
            axes.locator_params(axis="x", nbins=5 if len(panels) > 1 else 9)
            arms = measured_arms(records, measure)
            for arm, offset in zip(arms, offsets(len(arms), 0.4), strict=True):
                style = {"color": look[arm].colour, "markersize": 7}
                axes.plot([], [], look[arm].marker, label=arm, **style)
                for row, facts in enumerate(tasks):
                    value = mean_measure(records, facts.task, arm, measure)
                    if value is not None:
                        (mark,) = axes.plot(value, row + offset, look[arm].marker, **style)
                        tip(mark, f"{facts.title}, {arm}: {MEASURES[measure]} {value:.3f}")
        legend(figure, panels[0])

    caption = f"{_CAPTIONS[name]} {size_note(records, measures)}"
    return draw(name, caption, (_WIDTH, _height(len(tasks))), paint)


_AXES = {
    "remote_clique": f"{MEASURES['remote_clique']}\n(cosine distance,\non unit vectors)",
    "chamfer": f"{MEASURES['chamfer']}\n(cosine distance,\non unit vectors)",
    "top5_cosine": "mean top-5 cosine of each real text to the arm's texts",
}
_CAPTIONS = {
    "diversity": "Diversity: Remote Clique (mean distance to all other texts of the arm) and "
    "Chamfer (mean distance to the nearest one), both as cosine distance on unit vectors; further "
    "right is more diverse.",
    "similarity": "Similarity: for each real text the mean cosine to its five nearest texts of "
    "the arm, averaged over the real texts; further right is closer to real text.",
}
