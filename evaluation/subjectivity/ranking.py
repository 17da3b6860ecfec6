"""Ranks tasks from the most objective to the most subjective by judgements of pairs.

The model is Bradley and Terry's (Biometrika 39, 1952): task i is called more objective than task j
with probability 1 / (1 + exp(s_j - s_i)), a tie counts as half a win of each. It is a logistic
regression without intercept on the difference of indicators, so scikit-learn fits it. Each score
has a normal prior with mean 0 and standard deviation 2, which keeps it finite where the likelihood
has no maximum: a task that wins or loses every time, two groups that were never compared. Before
any judgement the prior gives the more objective of two tasks a chance of 87 % or less in half of
cases. Cycles need no treatment: the scores of tasks that beat one another in turn come out equal.

Bradley-Terry and not TrueSkill: its result does not depend on the order of the judgements, scores
are log-odds that mean something, and the library `trueskill` has had no release since 2018.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.subjectivity.judgements import TIE, Judgement, Judgements
from evaluation.uncertainty.joint_bootstrap import LEVEL, Floats, Resampled
from evaluation.uncertainty.rank_correlation import rank_correlation
from evaluation.uncertainty.scores import Interval
from evaluation.undefined import Undefined

PRIOR_DEVIATION = 2.0
"""Of a score, in log-odds."""

ENOUGH_JUDGES = 10
"""From so many judges on the bootstrap draws judges; below, it draws judgements."""

_DECIMALS = 6  # scores closer than the fit is exact are equal


@dataclass(frozen=True)
class Standing:
    """Where one task stands.

    Attributes:
        task: Its name.
        rank: From 1, the most objective; tasks with equal scores share their mean rank. It counts
            within the task's group.
        rank_low: Lower end of the rank's bootstrap interval.
        rank_high: Upper end.
        score: Log-odds of being called more objective than an average task, with its interval.
        wins: Judgements that call it the more objective one; a tie counts half.
        comparisons: Judgements that it was part of.
        group: Index in `SubjectivityRanking.groups`.
    """

    task: str
    rank: float
    rank_low: float
    rank_high: float
    score: Interval
    wins: float
    comparisons: int
    group: int


@dataclass(frozen=True)
class SubjectivityRanking:
    """Tasks by objectivity.

    Attributes:
        standings: The tasks, the most objective first; group by group where there are several.
        groups: Tasks that are linked by comparisons. No judgement tells which of two groups is the
            more objective, so ranks of different groups do not compare.
        judgements: How many there are.
        judges: How many judges gave them.
        drawn: What the bootstrap drew. `judgements`: the interval knows nothing of how other judges
            would have answered.
    """

    standings: tuple[Standing, ...]
    groups: tuple[tuple[str, ...], ...]
    judgements: int
    judges: int
    drawn: Literal["judges", "judgements"]


def rank_tasks(
    judgements: Judgements, *, replicates: int = 1000, level: float = LEVEL, seed: int = 0
) -> SubjectivityRanking:
    """Rank the tasks, with bootstrap intervals of scores and ranks.

    Args:
        judgements: At least one.
        replicates: How many times to draw; each fits the model again, about 4 ms.
        level: Confidence level, between 0 and 1.
        seed: Seed of the draws.
    """
    tasks, given = judgements.tasks, judgements.given
    outcomes = _outcomes(given, tasks)
    groups = _groups(outcomes)
    drawn: Literal["judges", "judgements"] = "judgements"
    if len(judgements.judges) >= ENOUGH_JUDGES:
        drawn = "judges"
    scores = _scores(outcomes.sum(axis=0))
    rng = np.random.default_rng(seed)
    weights = _draws(rng, given, drawn, replicates)
    every = np.array([_scores(np.tensordot(each, outcomes, 1)) for each in weights])
    ranks, every_rank = _ranks(scores[None], groups)[0], _ranks(every, groups)
    tail = (1 - level) / 2
    low, high = np.quantile(every_rank, (tail, 1 - tail), axis=0, method="closest_observation")
    wins = outcomes.sum(axis=(0, 2))
    standings = [
        Standing(
            task=task,
            rank=float(ranks[i]),
            rank_low=float(low[i]),
            rank_high=float(high[i]),
            score=Resampled(float(scores[i]), every[:, i]).interval(level),
            wins=float(wins[i]),
            comparisons=sum(task in each.pair for each in given),
            group=int(groups[i]),
        )
        for i, task in enumerate(tasks)
    ]
    return SubjectivityRanking(
        standings=tuple(sorted(standings, key=lambda s: (s.group, s.rank, s.task))),
        groups=tuple(
            tuple(task for task, own in zip(tasks, groups, strict=True) if own == group)
            for group in range(groups.max() + 1)
        ),
        judgements=len(given),
        judges=len(judgements.judges),
        drawn=drawn,
    )


def remembered_correlation(
    ranking: SubjectivityRanking, remembered: Mapping[str, int | None]
) -> float | Undefined:
    """Return Spearman's rho between the measured ranks and those remembered from the paper.

    The latter were never measured here: rho tells whether memory and judgements agree, no more.

    Args:
        ranking: The measured ranks.
        remembered: Task -> remembered rank, or None.
    """
    if len(ranking.groups) > 1:
        return Undefined("the judgements link the tasks to several groups, not to one ranking")
    pairs = [
        (each.rank, rank)
        for each in ranking.standings
        if (rank := remembered.get(each.task)) is not None
    ]
    return rank_correlation([ours for ours, _ in pairs], [theirs for _, theirs in pairs])


def _outcomes(given: tuple[Judgement, ...], tasks: tuple[str, ...]) -> Floats:
    """Return what each judgement adds to the wins of row over column (judgements, t, t)."""
    index = {task: i for i, task in enumerate(tasks)}
    outcomes = np.zeros((len(given), len(tasks), len(tasks)))
    for one, each in zip(outcomes, given, strict=True):
        a, b = index[each.a], index[each.b]
        share = {each.a: 1.0, TIE: 0.5}.get(each.more_objective, 0.0)
        one[a, b], one[b, a] = share, 1 - share
    return outcomes


def _groups(outcomes: Floats) -> NDArray[np.int64]:
    from scipy.sparse.csgraph import connected_components

    _, group = connected_components(outcomes.sum(axis=0), directed=False)
    return np.asarray(group, dtype=np.int64)


def _scores(wins: Floats) -> Floats:
    """Fit the model to the wins of row over column (t, t); return scores (t,)."""
    from sklearn import config_context
    from sklearn.linear_model import LogisticRegression

    winner, loser = np.nonzero(wins)
    design = np.zeros((len(winner), len(wins)))
    design[np.arange(len(winner)), winner] = 1
    design[np.arange(len(winner)), loser] = -1
    # Every win is a loss of the other: told both ways, there are always two classes.
    weights = np.tile(wins[winner, loser] / 2, 2)
    model = LogisticRegression(
        C=PRIOR_DEVIATION**2, fit_intercept=False, solver="newton-cholesky", tol=1e-9
    )
    with config_context(assume_finite=True, skip_parameter_validation=True):
        model.fit(np.concatenate([design, -design]), np.repeat([1, 0], len(design)), weights)
    scores: Floats = model.coef_[0]
    return scores


def _draws(
    rng: np.random.Generator,
    given: tuple[Judgement, ...],
    drawn: Literal["judges", "judgements"],
    replicates: int,
) -> Floats:
    """Return how often each judgement counts in each replicate (replicates, judgements)."""
    names = [each.judge for each in given] if drawn == "judges" else range(len(given))
    unit = np.unique(list(names), return_inverse=True)[1]
    n = unit.max() + 1
    counts: Floats = rng.multinomial(n, np.full(n, 1 / n), size=replicates).astype(np.float64)
    return counts[:, unit]


def _ranks(scores: Floats, groups: NDArray[np.int64]) -> Floats:
    """Rank each row of `scores` (r, t) within the groups, the highest score first."""
    from scipy.stats import rankdata

    ranks = np.empty_like(scores)
    for group in range(groups.max() + 1):
        own = groups == group
        ranks[:, own] = rankdata(-scores[:, own].round(_DECIMALS), axis=1)
    return ranks
