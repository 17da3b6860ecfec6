"""Judgements of pairs of tasks: files, agreement between judges, the plan of a survey."""

import csv
import io
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.data import LabelledTexts
from builders.errors import UserError
from builders.tasks import load_task
from evaluation.subjectivity.design import plan_survey, plan_text, task_sheets
from evaluation.subjectivity.judge_agreement import judge_agreement
from evaluation.subjectivity.judgements import (
    Judgement,
    Judgements,
    read_judgements,
    recorded_judgements,
    write_judgements,
)
from evaluation.undefined import Undefined


def _judgements(text: str) -> Judgements:
    """Read `judge a b answer` from lines."""
    return Judgements(tuple(Judgement(*line.split()) for line in text.splitlines() if line.strip()))


def test_the_recorded_judges_judged_every_pair() -> None:
    """Three judges, the 45 pairs of ten tasks, each answered."""
    recorded = recorded_judgements()

    assert len(recorded.given) == 3 * 45
    assert Counter(each.pair for each in recorded.given).most_common()[-1][1] == 3
    assert (len(recorded.tasks), len(recorded.judges), recorded.unanswered) == (10, 3, 0)


@pytest.mark.parametrize("name", ["some.csv", "some.jsonl"])
def test_judgements_are_read_as_they_were_written(tmp_path: Path, name: str) -> None:
    """CSV and JSONL carry commas, quotes and letters of any script."""
    given = (
        Judgement('Ann, "A"', "imdb", "humor", "imdb"),
        Judgement("Åsa", "humor", "imdb", "tie"),
    )
    write_judgements(given, tmp_path / name)

    assert read_judgements(tmp_path / name) == Judgements(given)


def test_answers_may_be_letters_and_empty_rows_are_counted(tmp_path: Path) -> None:
    """A person writes a, b or tie; what is not answered yet is no judgement."""
    path = tmp_path / "filled.csv"
    path.write_text(
        "judge,a,b,note,more_objective\n1,x,y,sure,A\n1,y,z,,b\n1,x,z,,Tie\n2,x,y,, \n2,y,z,,y\n"
    )

    read = read_judgements(path)

    assert [each.more_objective for each in read.given] == ["x", "z", "tie", "y"]
    assert read.unanswered == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("judge,a,b\n1,x,y\n", "no column 'more_objective'"),
        ("judge,a,b,more_objective\n1,x,y,z\n", "row 1: more_objective is 'z'; give x, y or tie"),
        ("judge,a,b,more_objective\n1,x,x,x\n", "x is compared with itself"),
        ("judge,a,b,more_objective\n,x,y,x\n", "judge is empty"),
        ("judge,a,b,more_objective\n1,x,y,x\n1,y,x,x\n", "row 2: '1' judges x and y a second time"),
        ("judge,a,b,more_objective\n1,x,y,\n", "no row has an answer"),
    ],
)
def test_a_file_that_is_not_right_is_refused_by_row(
    tmp_path: Path, text: str, message: str
) -> None:
    """Each mistake names the row and the remedy."""
    path = tmp_path / "wrong.csv"
    path.write_text(text)

    with pytest.raises(UserError, match=message):
        read_judgements(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """A path without a file is a mistake."""
    with pytest.raises(UserError, match="no such file"):
        read_judgements(tmp_path / "none.csv")


def test_agreement_between_judges_by_hand() -> None:
    """Two judges share three pairs and agree on two of them; a third shares one with each."""
    found = judge_agreement(
        _judgements("""
            j x y x
            j y z y
            j x z x
            k y x x
            k z y y
            k x z z
            l x y y
        """)
    )

    assert found.between == {("j", "k"): (2, 3), ("j", "l"): (0, 1), ("k", "l"): (0, 1)}
    assert found.share == 2 / 5
    # The task shown first was named by j three times, by k never (x, y and z were shown second).
    assert found.first_shown == 3 / 7


def test_alpha_between_judges_by_hand() -> None:
    """Chance gives one half, whatever the names of the tasks."""
    # Two pairs, two judges: one agreement, one disagreement. In both orders: counts [2,0], [1,1],
    # [0,2], [1,1]; n = 8, each value 4 times. Observed (2 + 2) / 8 = 1/2, expected
    # (64 - 16 - 16) / (8 * 7) = 4/7: alpha = 1 - 7/8.
    agree = _judgements("j x y x\nk x y x\nj x z x\nk x z z")
    renamed = _judgements("j x y y\nk x y y\nj x z x\nk x z z")

    assert judge_agreement(agree).alpha == pytest.approx(1 / 8)
    assert judge_agreement(renamed).alpha == pytest.approx(1 / 8)


def test_one_judge_agrees_with_nobody() -> None:
    """Share and alpha of one judge, or of judges without a common pair, are undefined."""
    found = judge_agreement(_judgements("j x y x\nk x z z"))

    assert found.share == found.alpha == Undefined("no pair was judged by two judges")
    assert judge_agreement(_judgements("j x y tie")).first_shown == Undefined(
        "every answer is a tie"
    )


@given(
    n_tasks=st.integers(2, 8),
    judges=st.integers(1, 12),
    share=st.floats(0.01, 1),
    seed=st.integers(0, 99),
)
def test_a_plan_deals_every_pair_alike(n_tasks: int, judges: int, share: float, seed: int) -> None:
    """Each judge gets as many different pairs; no pair is dealt more than twice oftener."""
    tasks = [f"t{i}" for i in range(n_tasks)]
    pairs = n_tasks * (n_tasks - 1) // 2
    each = max(1, int(share * pairs))
    plan = plan_survey(tasks, judges, each, seed)

    by_judge = Counter(row.judge for row in plan.rows)
    assert set(by_judge.values()) == {each} and len(by_judge) == judges
    assert len({(row.judge, row.pair) for row in plan.rows}) == judges * each
    assert plan.most - plan.least <= 2
    assert plan == plan_survey(tasks, judges, each, seed)


def test_the_papers_survey_judges_every_pair_twelve_times() -> None:
    """54 judges, 10 judgements each, 45 pairs: 540 / 45."""
    plan = plan_survey([f"t{i}" for i in range(10)], 54, 10)

    assert (plan.pairs, plan.least, plan.most) == (45, 12, 12)
    # Which is shown first is drawn: of 540, half and half within four standard errors of 0.0215.
    first = sum(row.a < row.b for row in plan.rows) / 540
    assert first == pytest.approx(0.5, abs=0.086)


def test_more_judgements_than_pairs_are_refused() -> None:
    """A judge cannot be shown six pairs of three tasks."""
    with pytest.raises(UserError, match="3 tasks make 3 pairs; ask for 3 or fewer"):
        plan_survey(["x", "y", "z"], 2, 6)


def test_a_plan_can_be_filled_and_read(tmp_path: Path) -> None:
    """The CSV shows question, labels and examples of both tasks; answered, it is judgements."""
    tasks = {name: load_task(name) for name in ("sms_spam", "humor")}
    shown = LabelledTexts(("=1+1", "win now"), (0, 1), tasks["sms_spam"].label_names, ("1", "2"))
    plan = plan_survey(list(tasks), 2, 1)
    text = plan_text(plan, task_sheets(plan, tasks, {"sms_spam": shown}))

    rows = list(csv.DictReader(io.StringIO(text)))
    side = "a" if rows[0]["a"] == "sms_spam" else "b"
    other = "b" if side == "a" else "a"
    assert rows[0][f"{side}_question"] == tasks["sms_spam"].description
    assert rows[0][f"{side}_examples"].splitlines() == ["ham: =1+1", "spam: win now"]
    assert rows[0][f"{other}_examples"] == ""
    assert all(label in rows[0][f"{other}_labels"] for label in tasks["humor"].label_names)
    path = tmp_path / "plan.csv"
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerows({**row, "more_objective": "a"} for row in rows)
    path.write_text(out.getvalue(), newline="")
    assert [each.more_objective for each in read_judgements(path).given] == [r["a"] for r in rows]
