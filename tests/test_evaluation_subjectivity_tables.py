"""Judgements, votes and curves as tables."""

import numpy as np

from evaluation.report.agreement_tables import (
    curve_table,
    levels_table,
    trend_table,
    votes_table,
)
from evaluation.report.judgement_tables import ranking_table
from evaluation.report.table import Table
from evaluation.subjectivity.agreement_curve import agreement_curve
from evaluation.subjectivity.agreement_levels import accuracy_by_level
from evaluation.subjectivity.judge_agreement import judge_agreement
from evaluation.subjectivity.judgements import Judgement, Judgements
from evaluation.subjectivity.ranking import rank_tasks
from evaluation.subjectivity.votes import Votes, summarise
from evaluation.uncertainty.scores import Interval


def _ranked(*rows: str) -> Table:
    given = Judgements(tuple(Judgement(*row.split()) for row in rows))
    ranking = rank_tasks(given, replicates=5)
    return ranking_table(ranking, judge_agreement(given), {"x": 2, "y": 1})


def _values(table: Table) -> list[list[str]]:
    return [[cell.value for cell in row] for row in table.rows]


def test_a_ranking_stands_beside_the_remembered_ranks() -> None:
    """Rank, score, wins and memory; the notes tell what was drawn and how judges agree."""
    table = _ranked("j x y x", "j y z y", "k x y x", "k y z tie")

    first, _, third = _values(table)
    assert (first[0], first[1], first[3], first[4]) == ("x", "1", "2 of 2", "2")
    assert (third[0], third[3], third[4]) == ("z", "0.5 of 2", "-")
    notes = " ".join(table.notes)
    assert "drawing judgements again: 4 judgements of 2 judges" in notes
    assert "same answer on 50.0 % of the pairs" in notes
    assert "remembered from the paper: -1.00" in notes


def test_groups_and_lone_judges_are_told() -> None:
    """What no judgement can tell is said in a note."""
    notes = " ".join(_ranked("j x y x", "j p q q").notes)

    assert "each has ranks of its own: p and q; x and y." in notes
    assert "Agreement between judges is undefined (no pair was judged by two judges)." in notes


def test_votes_without_alpha_say_why() -> None:
    """Votes that are all the same."""
    votes = Votes(("1",), ("a",), ("p", "q"), ("p", "q"), np.array([[2, 0]]))
    table = votes_table({"own": summarise(votes)})

    assert _values(table) == [["own", "1", "2.0", "1.00", "1", "undefined", "undefined"]]
    assert any(note.startswith("own: alpha is undefined (every vote") for note in table.notes)


def test_curves_of_several_arms_share_a_table() -> None:
    """A row a threshold, a column an arm; a curve without a line says why in the trends."""
    agreement = np.repeat([0.5, 0.6, 0.7, 0.8, 1.0], 30)
    labels = np.zeros(150, dtype=np.int64)
    half = (np.arange(150) % 2)[None]
    long = agreement_curve(labels, half, agreement, replicates=20)
    short = agreement_curve(labels[:30], half[:, :30], agreement[:30], replicates=20)

    table = curve_table("own", {"real": long, "zero_shot": long})
    assert _values(table)[0][:4] == ["0.50", "150", "100.0", "50.0"]
    assert len(table.rows) == 5
    slope = {("own", "zero_shot"): Interval(-0.25, -0.5, 0.0, 0.95)}
    trends = trend_table({("own", "real"): long, ("few", "real"): short}, slope)
    assert _values(trends)[0][:3] == ["own", "real", "5"]
    assert _values(trends)[1] == ["few", "real", "1", "undefined", "undefined", "undefined"]
    assert _values(trends)[2] == [
        *("own", "real less zero_shot", "-", "-25.0 (-50.0 to 0.0)", "-", "-"),
    ]
    assert "few: undefined (1 thresholds have" in trends.notes[-1]


def test_levels_end_in_their_rise() -> None:
    """A row is the difference between the highest and the lowest level, another that of arms."""
    levels = accuracy_by_level([0] * 4, [[1, 1, 0, 0]], [0.5, 0.5, 1, 1], replicates=20)
    one = accuracy_by_level([0, 0], [[0, 1]], [1.0, 1.0], replicates=20)

    less = {"few_shot": Interval(0.1, 0.0, 0.2, 0.95)}
    assert _values(levels_table("own", {"real": levels, "few_shot": levels}, less)) == [
        ["0.50", "2", "100.0", "0.0", "0.0"],
        ["1.00", "2", "100.0", "100.0", "100.0"],
        ["rise", "-", "-", "100.0", "100.0"],
        ["rise, real less arm", "-", "-", "-", "10.0"],
    ]
    assert _values(levels_table("own", {"real": one}, {}))[-1] == ["rise", "-", "-", "undefined"]
