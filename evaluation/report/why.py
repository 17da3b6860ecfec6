"""Why synthetic text falls short: subjectivity of the tasks, and of their texts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from builders.errors import UserError
from evaluation.arms import REAL, parse_arm
from evaluation.records import StudyRecords, VotedFacts
from evaluation.report.agreement_figure import draw_agreement
from evaluation.report.agreement_tables import curve_table, levels_table, trend_table
from evaluation.report.gap_figure import gap_against_judgements, judged_scores
from evaluation.report.judgement_tables import ranking_table
from evaluation.report.results import StudyResults, TaskResult
from evaluation.report.section import Block, Entry, Section
from evaluation.report.wording import counted
from evaluation.subjectivity.agreement_curve import (
    AgreementCurve,
    agreement_curve,
    slope_difference,
)
from evaluation.subjectivity.agreement_levels import (
    AccuracyByLevel,
    accuracy_by_level,
    rise_difference,
)
from evaluation.subjectivity.judge_agreement import judge_agreement
from evaluation.subjectivity.judgements import Judgements
from evaluation.subjectivity.ranking import SubjectivityRanking, rank_tasks
from evaluation.uncertainty.rank_correlation import rank_correlation
from evaluation.uncertainty.scores import Interval
from evaluation.undefined import Undefined, shown

Votes = tuple[NDArray[np.int64], NDArray[np.floating]]

_FEWEST_TASKS = 3


def why_section(
    records: StudyRecords, results: StudyResults, out: Path, judgements: Judgements
) -> tuple[Section, ...]:
    """Show subjectivity against the gap; nothing where neither tasks nor texts were judged.

    Args:
        records: What the study wrote down.
        results: Its scores.
        out: Its folder, where labels and agreement of texts with votes lie.
        judgements: Of which tasks are the more objective.

    Raises:
        UserError: A file of votes cannot be read.
    """
    blocks = [*_tasks(records, results, judgements), *_instances(results, out)]
    if not blocks:
        return ()
    return (Section("why", "Why: subjectivity", "Why", tuple(blocks)),)


def _tasks(records: StudyRecords, results: StudyResults, judgements: Judgements) -> Iterator[Block]:
    """Yield what the judgements of tasks say, where the study has some of the judged tasks."""
    ranking = rank_tasks(judgements)
    scores = judged_scores(ranking)
    tasks = [task for task in results.on_real if task.best and task.facts.task in scores]
    if len(tasks) < _FEWEST_TASKS:
        return
    remembered = {f.task: f.subjectivity_rank_remembered for f in records.tasks}
    yield Block(heading="Of the tasks")
    yield Block(
        text="Which of two tasks is the more objective? The judgements that ship are an LLM's; the "
        "judges of the paper were people."
    )
    yield Block(table=ranking_table(ranking, judge_agreement(judgements), remembered))
    for figure in gap_against_judgements(results, ranking):
        yield Block(figure=figure)
    for sentence in _correlations(tasks, ranking):
        yield Block(text=sentence)


def _correlations(tasks: Sequence[TaskResult], ranking: SubjectivityRanking) -> Iterator[str]:
    """Say how the gap of each arm goes with measured subjectivity."""
    scores = judged_scores(ranking)
    arms = dict.fromkeys(each.arm for task in tasks for each in task.synthetic)
    for arm in arms:
        pairs = [
            (-scores[task.facts.task].value, found.gap.value)
            for task in tasks
            if (found := task.arm(arm)) is not None and found.gap is not None
        ]
        rho = rank_correlation(*map(np.array, zip(*pairs, strict=True)))
        words = f"Spearman's rho of subjectivity and gap of {arm} over {len(pairs)} tasks: "
        if isinstance(rho, Undefined):
            yield f"{words}{rho}."
        else:
            low, high = _fisher(rho, len(pairs))
            yield (
                f"{words}{shown(rho)} (95 % interval {low:.2f} to {high:.2f}, by Fisher's "
                "transformation). So few tasks show strong relations only."
            )


def _fisher(rho: float, n: int) -> tuple[float, float]:
    """Return the interval of a rank correlation.

    Fisher's transformation with the variance of Bonett & Wright (Psychometrika 65, 2000),
    (1 + rho^2 / 2) / (n - 3); -1 to 1 where there are not more than 3 pairs.
    """
    if n <= _FEWEST_TASKS or abs(rho) == 1:
        return -1.0, 1.0
    width = 1.959964 * np.sqrt((1 + rho**2 / 2) / (n - 3))
    low, high = np.tanh(np.arctanh(rho) + np.array([-width, width]))
    return float(low), float(high)


def _instances(results: StudyResults, out: Path) -> Iterator[Block]:
    """Yield accuracy against the agreement of annotators, set by set."""
    sets = [(task, facts) for task in results.on_real for facts in task.facts.voted]
    said = [(task, facts) for task, facts in sets if _of_main_arms(task, facts)]
    if not said:
        return
    yield Block(heading="Of the texts")
    yield Block(
        text="Several annotators labelled these texts. Where they agree, is the classifier right "
        "more often, and is that so of synthetic training text more than of real?"
    )
    yield Block(entries=tuple(_about(task, facts) for task, facts in said))
    trends: dict[tuple[str, str], AgreementCurve] = {}
    slopes: dict[tuple[str, str], Interval] = {}
    for task, facts in said:
        labels, agreement = _read_votes(out / facts.path)
        predictions = _of_main_arms(task, facts)
        curves = {
            arm: agreement_curve(labels, rows, agreement) for arm, rows in predictions.items()
        }
        yield from _of_set(facts, labels, agreement, predictions, curves)
        trends |= {(facts.name, arm): curve for arm, curve in curves.items()}
        less = _less(slope_difference, labels, agreement, predictions)
        slopes |= {(facts.name, arm): s for arm, s in less.items() if isinstance(s, Interval)}
    yield Block(table=trend_table(trends, slopes))


def _less(
    difference: Callable[..., Interval | Undefined],
    labels: NDArray[np.int64],
    agreement: NDArray[np.floating],
    predictions: Mapping[str, NDArray[np.int64]],
) -> dict[str, Interval | Undefined]:
    """Return the difference of the arm real and each synthetic one; none without it."""
    if REAL not in predictions:
        return {}
    return {
        arm: difference(labels, predictions[REAL], rows, agreement)
        for arm, rows in predictions.items()
        if parse_arm(arm).synthetic
    }


def _of_main_arms(task: TaskResult, facts: VotedFacts) -> dict[str, NDArray[np.int64]]:
    """Return what each main arm predicted of a set of texts with votes (seeds, n)."""
    main = {each.arm for each in task.arms}
    return {arm: rows for arm, rows in task.voted.get(facts.name, {}).items() if arm in main}


def _of_set(
    facts: VotedFacts,
    labels: NDArray[np.int64],
    agreement: NDArray[np.floating],
    predictions: Mapping[str, NDArray[np.int64]],
    curves: Mapping[str, AgreementCurve],
) -> Iterator[Block]:
    if all(isinstance(curve.trend, Undefined) for curve in curves.values()):
        levels: dict[str, AccuracyByLevel] = {
            arm: accuracy_by_level(labels, rows, agreement) for arm, rows in predictions.items()
        }
        less = _less(rise_difference, labels, agreement, predictions)
        yield Block(table=levels_table(facts.name, levels, less))
        return
    yield Block(table=curve_table(facts.name, curves))
    yield Block(figure=draw_agreement(facts.name, curves))


def _about(task: TaskResult, facts: VotedFacts) -> Entry:
    left_out = counted(facts.left_out)
    text = f"{task.facts.title}, {facts.n:,} texts. {facts.note}"
    return Entry(facts.name, f"{text} Left out: {left_out}." if left_out else text)


def _read_votes(path: Path) -> Votes:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return stored["labels"].astype(np.int64), np.asarray(stored["agreement"])
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"{path}: cannot be read ({type(error).__name__}); run the study again to write it"
        ) from error
