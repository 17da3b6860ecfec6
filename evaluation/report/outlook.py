"""What can be said of a task without real texts: a forecast, its error, and what stays unknown."""

from collections.abc import Iterator

from evaluation.records import StudyRecords
from evaluation.report.gap_figure import judged_scores
from evaluation.report.measures import mean_measure
from evaluation.report.results import StudyResults, TaskResult
from evaluation.report.score_tables import task_cell
from evaluation.report.section import Block, Section
from evaluation.report.table import Cell, Column, Table
from evaluation.report.wording import hundredths, listed
from evaluation.subjectivity.judgements import Judgements
from evaluation.subjectivity.ranking import rank_tasks
from evaluation.undefined import Undefined
from evaluation.worth.forecast import PREDICTORS, Forecast, forecast, known_gaps


def outlook_section(
    records: StudyRecords, results: StudyResults, judgements: Judgements
) -> tuple[Section, ...]:
    """Forecast what tasks without real texts lose; nothing where there are none.

    A task of the study that forecasts rest on is left out of what its own rests on. What is
    forecast is called a loss: a gap is what was measured.

    Args:
        records: What the study wrote down.
        results: Its scores.
        judgements: Of which tasks are the more objective.
    """
    known = known_gaps()
    found = [
        (task, arm, forecast(arm, predictors, [k for k in known if k.task != task.facts.task]))
        for task in results.on_corpora
        for arm, predictors in _known(task, records, judgements)
    ]
    if not found:
        return ()
    told = [(task, arm, each) for task, arm, each in found if isinstance(each, Forecast)]
    untold = [
        f"{task.facts.title}, {arm}: no forecast; {each.reason}."
        for task, arm, each in found
        if isinstance(each, Undefined)
    ]
    blocks = [
        Block(
            text="Without real texts nobody can say how well such a classifier does on them, or "
            "how much it loses against real training texts. What other tasks lost is a hint, and "
            "no more: it rests on few tasks, one LLM and one encoder."
        )
    ]
    if told:
        blocks.append(Block(table=_table(told, tuple(untold))))
    blocks.append(
        Block(
            text="To know: label 100 to 200 real texts as a test set, and run the study with "
            "--real. Each forecast's error tells what that would replace."
        )
    )
    return (Section("outlook", "Forecast", "Forecast", tuple(blocks)),)


def _known(
    task: TaskResult, records: StudyRecords, judgements: Judgements
) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield each synthetic arm with what is known of it without real texts."""
    scores = judged_scores(rank_tasks(judgements))
    name = task.facts.task
    for each in task.arms:
        predictors = {"agreement": each.macro_f1.value}
        if name in scores:
            predictors["subjectivity"] = -scores[name].value
        diversity = mean_measure(records, name, each.arm, "remote_clique")
        if diversity is not None:
            predictors["remote_clique"] = diversity
        yield each.arm, predictors


def _table(told: list[tuple[TaskResult, str, Forecast]], untold: tuple[str, ...]) -> Table:
    rows = []
    for task, arm, each in told:
        used = listed([PREDICTORS[name] for name in each.used])
        rows.append(
            (
                task_cell(task),
                Cell(arm),
                Cell(hundredths(each.gap), f"{hundredths(each.low)} to {hundredths(each.high)}"),
                Cell(hundredths(each.error), f"of the mean loss {hundredths(each.error_of_mean)}"),
                Cell(str(each.tasks)),
                Cell(used or "the mean loss of these tasks: nothing forecast it better"),
            )
        )
    return Table(
        "forecast",
        "Forecast loss against as many real texts (points of macro-F1)",
        (
            Column("task", number=False),
            Column("arm", number=False),
            Column("forecast loss"),
            Column("mean error"),
            Column("from tasks"),
            Column("by", number=False, wide=True),
        ),
        tuple(rows),
        (
            "Ranges are 95 % prediction intervals. Mean error: by how many points such a forecast "
            "was off for the tasks that it rests on, each left out in turn; smaller, the same of "
            "always taking their mean loss. No forecast rests on the task itself.",
            *untold,
        ),
    )
