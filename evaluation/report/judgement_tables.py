"""The ranking of tasks by judgements as a table, for a report and for the terminal."""

from collections.abc import Mapping

from evaluation.report.table import Cell, Column, Table
from evaluation.report.wording import hundredths, listed
from evaluation.subjectivity.judge_agreement import JudgeAgreement
from evaluation.subjectivity.ranking import SubjectivityRanking, remembered_correlation
from evaluation.undefined import Undefined, shown


def ranking_table(
    ranking: SubjectivityRanking,
    agreement: JudgeAgreement,
    remembered: Mapping[str, int | None],
) -> Table:
    """Return the tasks, the most objective first.

    Args:
        ranking: The ranks.
        agreement: How far the judges agree.
        remembered: Task -> rank remembered from the paper, or None; shown beside the measured one.
    """
    rows = []
    for each in ranking.standings:
        rank = _number(each.rank)
        span = f"{_number(each.rank_low)} to {_number(each.rank_high)}"
        recalled = remembered.get(each.task)
        rows.append(
            (
                Cell(each.task),
                Cell(rank, span),
                Cell(f"{each.score.value:.1f}", f"{each.score.low:.1f} to {each.score.high:.1f}"),
                Cell(f"{_number(each.wins)} of {each.comparisons}"),
                Cell("-" if recalled is None else str(recalled)),
            )
        )
    titles = ("rank", "score", "called more objective", "remembered rank")
    return Table(
        key="task-subjectivity",
        title="Tasks from the most objective to the most subjective",
        columns=(Column("task", number=False), *map(Column, titles)),
        rows=tuple(rows),
        notes=(*_ranking_notes(ranking), _judges_note(agreement), _memory(ranking, remembered)),
    )


def _ranking_notes(ranking: SubjectivityRanking) -> list[str]:
    level = f"{ranking.standings[0].score.level:.0%}".replace("%", " %")
    notes = [
        f"Rank 1 is the most objective. Scores are log-odds (Bradley-Terry); ranges are {level} "
        f"intervals from drawing {ranking.drawn} again: {ranking.judgements} judgements of "
        f"{ranking.judges} judges."
    ]
    if ranking.drawn == "judgements":
        notes.append(
            "The intervals do not know how other judges would have answered; one without width, as "
            "where no answer contradicts another, is no certainty."
        )
    if len(ranking.groups) > 1:
        groups = "; ".join(listed(group) for group in ranking.groups)
        notes.append(f"No judgement links these groups, so each has ranks of its own: {groups}.")
    return notes


def _judges_note(agreement: JudgeAgreement) -> str:
    if isinstance(agreement.share, Undefined):
        return f"Agreement between judges is {agreement.share}."
    first = agreement.first_shown
    order = first if isinstance(first, Undefined) else f"{hundredths(first)} %"
    return (
        f"Two judges give the same answer on {hundredths(agreement.share)} % of the pairs that "
        f"both judged (Krippendorff's alpha {shown(agreement.alpha)}); the task shown first is "
        f"called the more objective in {order} of the answers."
    )


def _memory(ranking: SubjectivityRanking, remembered: Mapping[str, int | None]) -> str:
    rho = remembered_correlation(ranking, remembered)
    return (
        f"Spearman's rho with the ranks remembered from the paper: {shown(rho)}. Those were not "
        "measured here; memory may be wrong, and the paper's judges were people."
    )


def _number(value: float) -> str:
    """Write a rank or a count of wins, which may be a half."""
    return f"{value:g}"
