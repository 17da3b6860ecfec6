"""`understudy subjectivity`: a survey is planned, filled and ranked; votes are summarised."""

import csv
from pathlib import Path

import pytest

from understudy.cli import main

TASKS = "sms_spam,humor,relation"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run each test in a folder of its own, without real data at hand."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNDERSTUDY_DATA", raising=False)
    return tmp_path


def _subjectivity(*arguments: str) -> int:
    return main(["subjectivity", *arguments])


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_survey_is_planned_filled_and_ranked(
    own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plan says how often pairs are judged; rows without an answer are counted."""
    plan = ("plan", "--tasks", TASKS, "--judges", "4", "--judgements", "2", "--out", "plan.csv")
    assert _subjectivity(*plan) == 0
    assert "8 judgements of 4 judges, each of the 3 pairs 2 to 3 times" in capsys.readouterr().out

    path = own_folder / "plan.csv"
    rows = _rows(path)
    order = TASKS.split(",")
    for row in rows[1:]:
        row["more_objective"] = min((row["a"], row["b"]), key=order.index)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    assert _subjectivity("rank", "plan.csv") == 0

    out = capsys.readouterr().out
    assert [out.index(f"\n{task} ") for task in order] == sorted(
        out.index(f"\n{task} ") for task in order
    )
    assert "7 judgements of 4 judges" in out
    assert "rows without an answer, left out: 1" in out


def test_a_plan_shows_synthetic_texts_of_each_label(own_folder: Path) -> None:
    """Examples come from the recording, each behind its label."""
    assert (
        _subjectivity(
            *("plan", "--tasks", "humor,sms_spam", "--judges", "1"),
            *("--judgements", "1", "--examples", "1", "--out", "plan.csv"),
        )
        == 0
    )

    (row,) = _rows(own_folder / "plan.csv")
    shown = [line for side in "ab" for line in row[f"{side}_examples"].splitlines()]
    assert {line.partition(": ")[0] for line in shown} == {"ham", "spam", "serious", "humorous"}
    assert all(len(line.partition(": ")[2]) > 5 for line in shown)


def test_a_task_without_recorded_texts_is_shown_bare_and_named(
    little_world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user's own task has no example texts, and the command says so."""
    tasks = f"{little_world}/own.yaml,sms_spam"
    assert (
        _subjectivity(
            "plan", "--tasks", tasks, "--judges", "1", "--judgements", "1", "--out", "plan.csv"
        )
        == 0
    )

    assert "no example texts, since the recording has none: own" in capsys.readouterr().out


def test_the_recorded_judges_are_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a file the judgements that ship are ranked, and said to be an LLM's."""
    assert _subjectivity("rank") == 0

    out = capsys.readouterr().out
    assert out.index("relation") < out.index("tweet_irony")
    assert "135 judgements of 3 judges" in out
    assert "none is a person" in out


def test_votes_are_summarised(own_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A description of one's own, its votes beside it, and what was left out."""
    (own_folder / "own.yaml").write_text(
        "task: sms_spam\nfile: votes.csv\nvotes: {columns: [ann, bob]}\nnote: Made up.\n"
    )
    (own_folder / "votes.csv").write_text(
        "id,text,ann,bob\n1,hello,ham,ham\n2,win,spam,spam\n3,call,ham,spam\n4,hi,ham,\n"
    )
    assert _subjectivity("votes", "own.yaml") == 0

    out = capsys.readouterr().out
    assert "texts with a label, for accuracy against agreement: ham 1, spam 1" in out
    assert "left out: texts with fewer than 2 votes: 1" in out
    assert "left out: texts without a majority (a tie): 1" in out
    # Table 2: 3 texts, 2 votes each, (1 + 1 + 0.5) / 3, 2 unanimous; alpha 4/9 (n = 6, as by hand).
    (row,) = (line.split() for line in out.splitlines() if line.startswith("own "))
    assert row == ["own", "3", "2.0", "(2", "to", "2)", "0.83", "2", "0.44", "0.33"]
    assert "Made up." in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("plan", "--tasks", "humor", "--out", "x.csv"),
            "--tasks: one task makes no pair; name two or more",
        ),
        (("plan", "--tasks", TASKS, "--judgements", "4", "--out", "x.csv"), "ask for 3 or fewer"),
        (("plan", "--tasks", TASKS, "--out", "there.csv"), "is there already"),
        (("rank", "none.csv"), "none.csv: no such file"),
        (("votes", "none.yaml"), "no such description of votes"),
        (("votes", "fpb_agreement"), "its votes do not ship"),
        (("votes", "fpb_agreement", "--min-votes", "1"), "one vote agrees with itself"),
    ],
)
def test_a_mistake_is_one_line(
    own_folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
) -> None:
    """Exit code 2, one line with the remedy, and nothing written."""
    (own_folder / "there.csv").write_text("mine")

    assert _subjectivity(*arguments) == 2

    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert [path.name for path in own_folder.iterdir()] == ["there.csv"]
    assert (own_folder / "there.csv").read_text() == "mine"
