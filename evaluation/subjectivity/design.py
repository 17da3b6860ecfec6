"""The plan of a survey: which judge compares which tasks, with what a judge has to read.

As in Li et al. (2023), section 4.2, where 54 workers made 10 judgements each.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from builders.data import LabelledTexts
from builders.errors import UserError
from builders.tasks.base import Task
from evaluation.subjectivity.judgements import COLUMNS, TIE, Judgement, csv_text

QUESTION = (
    "Which of the two tasks is the more objective? A task is the more objective, the more the "
    "label of a text follows from what plainly stands in it, such as words or phrases, so that "
    "people with other opinions, feelings or beliefs would give the same one. Write a or b into "
    f"the column more_objective, or {TIE} where you cannot say."
)

_PARTS = ("question", "labels", "examples")
PLAN_COLUMNS = (
    *COLUMNS[:3],
    "instruction",
    *(f"{side}_{part}" for side in "ab" for part in _PARTS),
    COLUMNS[3],
)


@dataclass(frozen=True)
class SurveyPlan:
    """Judgements to be made.

    Attributes:
        rows: Judge, two tasks, and no answer yet.
        pairs: Number of pairs of tasks.
        least: Judgements of the pair that has the fewest.
        most: Judgements of the pair that has the most.
    """

    rows: tuple[Judgement, ...]
    pairs: int
    least: int
    most: int


def plan_survey(tasks: Sequence[str], judges: int, judgements: int, seed: int = 0) -> SurveyPlan:
    """Deal pairs of tasks to judges.

    All pairs are shuffled and dealt out like cards, then shuffled again: every pair is judged as
    often as every other, give or take two, no judge sees a pair twice, and which task of a pair is
    shown first is drawn anew each time.

    Args:
        tasks: Names of the tasks.
        judges: How many judges.
        judgements: Pairs for each judge.
        seed: Draws order and sides.

    Raises:
        UserError: There is one task, or there are fewer pairs than a judge is to see.
    """
    pairs = list(combinations(sorted(set(tasks)), 2))
    if not pairs:
        raise UserError("--tasks: one task makes no pair; name two or more")
    if judgements > len(pairs):
        raise UserError(
            f"--judgements {judgements}: {len(set(tasks))} tasks make {len(pairs)} pairs; ask for "
            f"{len(pairs)} or fewer, or name more tasks"
        )
    rng = random.Random(seed)
    deck: list[tuple[str, str]] = []
    dealt = dict.fromkeys(pairs, 0)
    rows = []
    for number in range(1, judges + 1):
        hand: list[tuple[str, str]] = []
        while len(hand) < judgements:
            # A pair that the judge has already waits in the deck for the next judge.
            place = next((i for i, pair in enumerate(deck) if pair not in hand), None)
            if place is None:
                deck += rng.sample(pairs, len(pairs))
            else:
                hand.append(deck.pop(place))
        for pair in hand:
            dealt[pair] += 1
            a, b = rng.sample(pair, 2)
            rows.append(Judgement(f"judge{number:0{len(str(judges))}}", a, b, ""))
    return SurveyPlan(tuple(rows), len(pairs), min(dealt.values()), max(dealt.values()))


def plan_text(
    plan: SurveyPlan,
    tasks: Mapping[str, Task],
    examples: Mapping[str, LabelledTexts],
    *,
    per_label: int = 2,
    seed: int = 0,
) -> str:
    """Return the plan as the text of a CSV file that judges fill in.

    Each row shows, of both tasks, the question, the meaning of each label and example texts. A
    cell of examples starts with a label's name, never with a text, which a spreadsheet might take
    for a formula.

    Args:
        plan: The plan.
        tasks: Name -> task, of all that the plan names.
        examples: Name -> texts to draw examples from; a task that is missing is shown without.
        per_label: Examples of each label.
        seed: Draws the examples, anew for each row.
    """
    rows = []
    for number, each in enumerate(plan.rows):
        row = {"judge": each.judge, "a": each.a, "b": each.b, "instruction": QUESTION}
        for side, name in (("a", each.a), ("b", each.b)):
            task = tasks[name]
            shown = ""
            if name in examples:
                shown = _examples(examples[name], per_label, f"{seed}/{number}/{name}")
            labels = "\n".join(f"{label}: {meaning}" for label, meaning in task.labels.items())
            row |= {f"{side}_question": task.description, f"{side}_labels": labels}
            row[f"{side}_examples"] = shown
        rows.append({**row, "more_objective": ""})
    return csv_text(PLAN_COLUMNS, rows)


def _examples(texts: LabelledTexts, per_label: int, seed: str) -> str:
    lines = []
    for index, label in enumerate(texts.label_names):
        own = [text for la, text in texts.pairs() if la == index]
        drawn = random.Random(f"{seed}/{label}").sample(own, min(per_label, len(own)))
        lines += [f"{label}: {text}" for text in drawn]
    return "\n".join(lines)
