"""Ranking tasks by judgements of pairs."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from builders.tasks import list_tasks
from evaluation.subjectivity.judgements import Judgement, Judgements, recorded_judgements
from evaluation.subjectivity.ranking import (
    SubjectivityRanking,
    rank_tasks,
    remembered_correlation,
)
from evaluation.undefined import Undefined


def _won(*results: tuple[str, str, int], judge: str = "j") -> Judgements:
    """Make judgements of (winner, loser, how often)."""
    given = [
        Judgement(f"{judge}{k}", winner, loser, winner)
        for winner, loser, n in results
        for k in range(n)
    ]
    return Judgements(tuple(given))


def _scores(ranking: SubjectivityRanking) -> dict[str, float]:
    return {each.task: each.score.value for each in ranking.standings}


def test_scores_are_the_most_probable_ones() -> None:
    """They minimise the negative log-likelihood plus that of a normal prior of deviation 2."""
    wins = {("x", "y"): 3, ("y", "x"): 1, ("y", "z"): 2, ("x", "z"): 1}
    names = ("x", "y", "z")

    def loss(s: list[float]) -> float:
        score = dict(zip(names, s, strict=True))
        fit = sum(n * math.log1p(math.exp(score[b] - score[a])) for (a, b), n in wins.items())
        return fit + sum(each**2 for each in s) / (2 * 2.0**2)

    expected = minimize(loss, np.zeros(3), tol=1e-10).x
    found = _scores(rank_tasks(_won(*((a, b, n) for (a, b), n in wins.items())), replicates=1))
    assert [found[name] for name in names] == pytest.approx(expected, abs=1e-4)


def test_the_task_that_wins_more_is_the_more_objective() -> None:
    """Ranks go from 1; wins and comparisons are counted."""
    ranking = rank_tasks(_won(("x", "y", 3), ("y", "z", 2), ("z", "y", 1)), replicates=20)

    found = [(s.task, s.rank, s.wins, s.comparisons) for s in ranking.standings]
    assert found == [("x", 1, 3, 3), ("y", 2, 2, 6), ("z", 3, 1, 3)]
    assert ranking.drawn == "judgements"


def test_a_task_that_always_wins_keeps_a_finite_score() -> None:
    """One hundred wins and no loss: the prior holds the score."""
    best = rank_tasks(_won(("x", "y", 100)), replicates=20).standings[0]

    # At the optimum s / 4 = 100 / (1 + exp(2 s)): 400 / (1 + exp(2 s)) is 2.68 at 2.5, 2.19 at 2.6.
    assert best.score.value == pytest.approx(2.53, abs=0.01)
    assert math.isfinite(best.score.high)


def test_a_cycle_leaves_all_equal() -> None:
    """A cycle (x beats y, y beats z, z beats x) shares the ranks 1 to 3."""
    ranking = rank_tasks(_won(("x", "y", 1), ("y", "z", 1), ("z", "x", 1)), replicates=20)

    assert [s.rank for s in ranking.standings] == [2, 2, 2]
    assert list(_scores(ranking).values()) == pytest.approx([0, 0, 0], abs=1e-7)


def test_a_tie_is_half_a_win_of_each() -> None:
    """Two ties count as one win each."""
    tied = Judgements((Judgement("j", "x", "y", "tie"), Judgement("k", "x", "y", "tie")))
    ranking = rank_tasks(tied, replicates=20)

    assert [(s.wins, s.rank) for s in ranking.standings] == [(1, 1.5), (1, 1.5)]


def test_groups_that_were_never_compared_are_ranked_apart() -> None:
    """No judgement links the two pairs: each has its own ranks, and scores stay finite."""
    ranking = rank_tasks(_won(("x", "y", 2), ("p", "q", 1)), replicates=20)

    assert ranking.groups == (("p", "q"), ("x", "y"))
    assert [(s.task, s.group, s.rank) for s in ranking.standings] == [
        ("p", 0, 1),
        ("q", 0, 2),
        ("x", 1, 1),
        ("y", 1, 2),
    ]
    remembered = remembered_correlation(ranking, {"p": 1, "q": 2, "x": 3, "y": 4})
    assert isinstance(remembered, Undefined)


def test_ten_judges_are_drawn_with_all_their_judgements() -> None:
    """Of ten judges who each contradict none of their own, intervals come from the judges."""
    rng = np.random.default_rng(0)
    names = ("x", "y", "z")
    given = []
    for judge in range(10):
        taste = dict(zip(names, rng.permutation(3), strict=True))
        given += [
            Judgement(f"j{judge}", a, b, max((a, b), key=taste.__getitem__))
            for a, b in combinations(names, 2)
        ]
    ranking = rank_tasks(Judgements(tuple(given)), replicates=50)

    assert (ranking.drawn, ranking.judges, ranking.judgements) == ("judges", 10, 30)
    for each in ranking.standings:
        assert each.score.low < each.score.value < each.score.high
        assert each.rank_low <= each.rank <= each.rank_high


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=12
    )
)
def test_any_judgements_give_finite_scores_and_ranks(rows: list[tuple[int, int, int]]) -> None:
    """Whatever was compared with what, scores are finite and sum to nothing in each group."""
    given = tuple(
        Judgement(f"j{i}", f"t{a}", f"t{b}", (f"t{a}", f"t{b}", "tie")[won])
        for i, (a, b, won) in enumerate(rows)
        if a != b
    )
    if not given:
        return
    ranking = rank_tasks(Judgements(given), replicates=3)
    for group in range(len(ranking.groups)):
        own = [s for s in ranking.standings if s.group == group]
        assert sum(s.score.value for s in own) == pytest.approx(0, abs=1e-5)
        # Ranks 1 to n, or means of them, sum to n (n + 1) / 2.
        assert sum(s.rank for s in own) == pytest.approx(len(own) * (len(own) + 1) / 2)


def test_the_recorded_judges_rank_relations_first_and_irony_last() -> None:
    """The ranking of the judgements that ship, and how it goes with the remembered ranks."""
    ranking = rank_tasks(recorded_judgements(), replicates=100)
    order = [each.task for each in ranking.standings]
    remembered = {task.name: task.subjectivity_rank_remembered for task in list_tasks()}

    assert (order[0], order[-1]) == ("relation", "tweet_irony")
    # The remembered ranks 1 to 10 in this order: relation 2, sms_spam 4, ag_news 1, imdb 3,
    # financial_phrasebank 9, humor 10, reddit_emotion 5, sarcasm_news 8, tweet_emotion 7,
    # tweet_irony 6. Squared differences: 1 4 4 1 16 16 4 0 4 16 = 66; 1 - 6 * 66 / 990 = 0.6.
    assert remembered_correlation(ranking, remembered) == pytest.approx(0.6)
