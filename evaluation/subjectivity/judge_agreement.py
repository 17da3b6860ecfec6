"""Do judges of the same pairs of tasks agree?"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from evaluation.subjectivity.judgements import TIE, Judgement, Judgements
from evaluation.subjectivity.reliability import krippendorff_alpha
from evaluation.undefined import Undefined


@dataclass(frozen=True)
class JudgeAgreement:
    """How far judges agree on the pairs that they share.

    Attributes:
        share: Of all cases of two judges and a pair that both judged, the share in which they gave
            the same answer, 0 to 1.
        alpha: Krippendorff's alpha over pairs.
        between: Two judges -> pairs on which they agree, and pairs that both judged.
        first_shown: Share of the answers other than `tie` that name the task shown first. Far from
            one half, judges may have leaned on the order.
    """

    share: float | Undefined
    alpha: float | Undefined
    between: Mapping[tuple[str, str], tuple[int, int]]
    first_shown: float | Undefined


def judge_agreement(judgements: Judgements) -> JudgeAgreement:
    """Compare the judges pair by pair.

    Alpha counts each pair in both orders, `a` against `b` and `b` against `a`: which of two tasks
    comes first in the alphabet means nothing, so chance has to give each one half.
    """
    answers: dict[str, dict[tuple[str, str], str]] = {judge: {} for judge in judgements.judges}
    for each in judgements.given:
        answers[each.judge][each.pair] = each.more_objective
    between = {}
    for one, other in combinations(answers, 2):
        common = answers[one].keys() & answers[other].keys()
        if common:
            agreed = sum(answers[one][pair] == answers[other][pair] for pair in common)
            between[one, other] = (agreed, len(common))
    shared = sum(common for _, common in between.values())
    none = Undefined("no pair was judged by two judges")
    decided = [each for each in judgements.given if each.more_objective != TIE]
    first = sum(each.more_objective == each.a for each in decided)
    return JudgeAgreement(
        share=sum(agreed for agreed, _ in between.values()) / shared if shared else none,
        alpha=_alpha(judgements.given) if shared else none,
        between=between,
        first_shown=first / len(decided) if decided else Undefined("every answer is a tie"),
    )


def _alpha(given: tuple[Judgement, ...]) -> float | Undefined:
    rows: dict[tuple[str, str], list[int]] = {}
    for each in given:
        one, other = each.pair
        answers = (one, other, TIE)
        rows.setdefault(each.pair, [0, 0, 0])[answers.index(each.more_objective)] += 1
    counts = np.array(list(rows.values()))
    return krippendorff_alpha(np.concatenate([counts, counts[:, [1, 0, 2]]]))
