"""The plan of a survey: which judge compares which tasks, with what a judge has to read.

As in Li et al. (2023), section 4.2, where 54 workers made 10 judgements each.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from builders.data import LabelledTexts
from builders.errors import UserError
from builders.tasks.base import Task
from evaluation.subjectivity.judgements import COLUMNS, TIE, Judgement, csv_text

CRITERION = (
    "A task is the more objective, the more the label of a text follows from what plainly stands "
    "in it, such as words or phrases, so that people with other opinions, feelings or beliefs "
    "would give the same one."
)
INSTRUCTION = (
    f"Which of the two tasks is the more objective? {CRITERION} Write a or b into the column "
    f"more_objective, or {TIE} where you cannot say."
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


@dataclass(frozen=True)
class TaskSheet:
    """What a judge sees of a task.

    Attributes:
        question: The question that a label answers.
        labels: Each label with its meaning.
        examples: Labels with example texts.
    """

    question: str
    labels: tuple[tuple[str, str], ...]
    examples: tuple[tuple[str, str], ...]


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


def task_sheets(
    plan: SurveyPlan,
    tasks: Mapping[str, Task],
    examples: Mapping[str, LabelledTexts],
    *,
    per_label: int = 2,
    seed: int = 0,
) -> list[tuple[TaskSheet, TaskSheet]]:
    """Return what each row of the plan shows of its two tasks.

    Args:
        plan: The plan.
        tasks: Name -> task, of all that the plan names.
        examples: Name -> texts to draw examples from; a task that is missing is shown without.
        per_label: Examples of each label.
        seed: Draws the examples, anew for each row.
    """

    def sheet(number: int, name: str) -> TaskSheet:
        task, texts = tasks[name], examples.get(name)
        drawn = _examples(texts, per_label, f"{seed}/{number}/{name}") if texts else ()
        return TaskSheet(task.description, tuple(task.labels.items()), drawn)

    return [(sheet(i, row.a), sheet(i, row.b)) for i, row in enumerate(plan.rows)]


def plan_text(plan: SurveyPlan, sheets: Sequence[tuple[TaskSheet, TaskSheet]]) -> str:
    """Return the plan, with what each row shows, as the text of a CSV file that judges fill in.

    A cell of examples starts with a label's name, never with a text, which a spreadsheet might take
    for a formula.
    """
    rows = []
    for each, pair in zip(plan.rows, sheets, strict=True):
        row = {"judge": each.judge, "a": each.a, "b": each.b, "instruction": INSTRUCTION}
        for side, sheet in zip("ab", pair, strict=True):
            row[f"{side}_question"] = sheet.question
            row[f"{side}_labels"] = _lines(sheet.labels)
            row[f"{side}_examples"] = _lines(sheet.examples)
        rows.append({**row, "more_objective": ""})
    return csv_text(PLAN_COLUMNS, rows)


def _lines(pairs: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"{label}: {text}" for label, text in pairs)


def _examples(texts: LabelledTexts, per_label: int, seed: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for index, label in enumerate(texts.label_names):
        own = [text for la, text in texts.pairs() if la == index]
        drawn = random.Random(f"{seed}/{label}").sample(own, min(per_label, len(own)))
        found += [(label, text) for text in drawn]
    return tuple(found)
