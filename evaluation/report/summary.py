"""The head of the report: two or three plain sentences computed from the scores."""

from collections.abc import Sequence
from statistics import fmean

from evaluation.report.results import StudyResults, TaskResult
from evaluation.report.score_tables import arms_present
from evaluation.report.verdict import Finding, finding_of
from evaluation.report.wording import hundredths, listed
from evaluation.uncertainty.scores import Interval

NOTHING_FINISHED = "No run of this study is finished yet."

NO_MAIN_ARM = "No run of a main arm (real texts or a whole corpus) on real text is finished yet."


def no_main_arm(results: StudyResults) -> str:
    """Say why the main tables are not there."""
    return NO_MAIN_ARM if results.any_real else NOTHING_FINISHED


def notice(results: StudyResults) -> str:
    """Say in plain words where the scores are no test on real data; empty where all are."""
    if not results.on_corpora:
        return ""
    why = (
        "an arm was trained on its own synthetic corpus and tested on the other arm's. Such scores "
        "say whether two corpora agree, not how well a classifier would do on real text."
    )
    if not results.any_real:
        return f"This is no test on real data. No real texts were at hand: {why}"
    names = listed([task.facts.title for task in results.on_corpora])
    return f"For {names} this is no test on real data. No real texts were at hand: {why}"


def summarise(results: StudyResults) -> tuple[str, ...]:
    """Sum the study up: mean gaps, how many intervals exclude 0, where it goes worst and best."""
    if results.on_real:
        return _on_real(results)
    if results.on_corpora:
        return _on_corpora(results)
    return (NOTHING_FINISHED,)


def _on_real(results: StudyResults) -> tuple[str, ...]:
    tasks = [task for task in results.on_real if task.best is not None]
    if not tasks:
        return (
            "No gap could be computed: it needs finished runs of the arm real and of a synthetic "
            "arm.",
        )
    arms = [arm for arm in arms_present(tasks, results.arms) if _gaps(tasks, arm)]
    return (
        _mean_gaps(tasks, arms),
        f"{_excluding_zero(tasks, arms)}.",
        *_extremes(tasks),
    )


def _mean_gaps(tasks: Sequence[TaskResult], arms: Sequence[str]) -> str:
    means = [
        f"{hundredths(fmean(gap.value for gap in _gaps(tasks, arm)))} points for {arm} "
        f"({_tasks(len(_gaps(tasks, arm)))})"
        for arm in arms
    ]
    return (
        "Against classifiers trained on as many real texts, the mean gap in macro-F1 is "
        f"{listed(means)}."
    )


def _excluding_zero(tasks: Sequence[TaskResult], arms: Sequence[str]) -> str:
    parts = []
    for arm in arms:
        found = [finding_of(gap) for gap in _gaps(tasks, arm)]
        part = f"for {arm} on {found.count(Finding.LOSS)} of {_tasks(len(found))}"
        gains = found.count(Finding.GAIN)
        parts.append(f"{part} (and below 0, a gain, on {gains})" if gains else part)
    return f"The interval of the gap lies above 0, a loss, {listed(parts)}"


def _extremes(tasks: Sequence[TaskResult]) -> tuple[str, ...]:
    if len(tasks) == 1:
        return ()
    ordered = sorted(
        (
            (task.best.gap.value, task.facts.title, task.best.arm)
            for task in tasks
            if task.best and task.best.gap
        ),
        key=lambda entry: entry[0],
    )
    (low, best, best_arm), (high, worst, worst_arm) = ordered[0], ordered[-1]
    return (
        f"Taking each task's best arm, synthetic text does worst on {worst} (gap "
        f"{hundredths(high)}, {worst_arm}) and best on {best} (gap {hundredths(low)}, {best_arm}).",
    )


def _on_corpora(results: StudyResults) -> tuple[str, ...]:
    tasks = results.on_corpora
    pairs: dict[tuple[str, str], list[float]] = {}
    for task in tasks:
        for each in task.arms:
            pairs.setdefault((each.arm, each.evaluated_on), []).append(each.macro_f1.value)
    means = [
        f"{hundredths(fmean(values))} % for {arm} tested on {other} ({_tasks(len(values))})"
        for (arm, other), values in pairs.items()
    ]
    first = f"Mean agreement between corpora, as macro-F1: {listed(means)}."
    return (first, _lowest(tasks)) if len(tasks) > 1 else (first,)


def _lowest(tasks: Sequence[TaskResult]) -> str:
    means = [(fmean(each.macro_f1.value for each in task.arms), task) for task in tasks]
    low, least = min(means, key=lambda entry: entry[0])
    high, most = max(means, key=lambda entry: entry[0])
    return (
        f"The corpora agree least on {least.facts.title} ({hundredths(low)} %) and most on "
        f"{most.facts.title} ({hundredths(high)} %)."
    )


def _gaps(tasks: Sequence[TaskResult], arm: str) -> list[Interval]:
    found = [task.arm(arm) for task in tasks]
    return [each.gap for each in found if each is not None and each.gap is not None]


def _tasks(n: int) -> str:
    return f"{n} task" if n == 1 else f"{n} tasks"
