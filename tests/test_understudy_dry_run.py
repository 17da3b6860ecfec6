"""A dry run: what a study would do and take is said; nothing is sent and nothing is written."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from chat_server import Answer, running_chat_server, written

from builders.data import LabelledTexts
from evaluation.records import RunRecord
from understudy.cli import main
from understudy.pace import ForeseenRun, training_time
from understudy.settings import StudySettings


def study(world: Path, out: Path, *more: str) -> list[str]:
    """Return a study of one task, two arms, two seeds."""
    data = ["--tasks", str(world / "own.yaml"), "--real", str(world / "real"), "--per-label", "8"]
    return ["study", *data, "--arms", "real,zero_shot", "--seeds", "2", "--out", str(out), *more]


def recorded(world: Path, out: Path, *more: str) -> list[str]:
    """Return such a study of recorded texts."""
    return study(world, out, "--llm", f"recording:{world / 'recording'}", *more)


def files(folder: Path) -> dict[str, bytes]:
    """Return the content of all files."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def table(printed: str) -> dict[str, list[str]]:
    """Return task and arm -> the cells of the table of runs."""
    rows = [line.split() for line in printed.splitlines() if line.startswith("own ")]
    return {row[1]: row[2:] for row in rows if len(row) > 3 and row[2].isdigit()}


def test_runs_are_counted_and_nothing_is_written(
    little_world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Per arm: the texts it is trained on, its runs, and those that are there."""
    assert main(recorded(little_world, tmp_path / "out", "--dry-run")) == 0

    printed = capsys.readouterr().out
    # Two labels of 8 texts; two seeds.
    assert table(printed) == {"real": ["16", "2", "0"], "zero_shot": ["16", "2", "0"]}
    assert "4 runs, of which 0 are there already" in printed
    assert "sends nothing and costs nothing" in printed
    assert "for 4 runs, estimated from 24 texts that were just embedded" in printed
    assert list(tmp_path.iterdir()) == []


def test_runs_that_are_there_are_found(
    little_world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two of four after a study of one seed, all after both; the folder stays as it is."""
    out = tmp_path / "out"
    assert main(recorded(little_world, out, "--seeds", "1")) == 0
    before = files(tmp_path)
    capsys.readouterr()

    assert main(recorded(little_world, out, "--dry-run")) == 0

    printed = capsys.readouterr().out
    assert table(printed) == {"real": ["16", "2", "1"], "zero_shot": ["16", "2", "1"]}
    assert "for 2 runs, estimated from 2 finished runs" in printed
    assert files(tmp_path) == before
    assert main(recorded(little_world, out, "--dry-run", "--seeds", "1")) == 0
    assert "time to train minilm: none, as all runs are there" in capsys.readouterr().out


def test_runs_on_texts_that_have_changed_are_not_there(
    little_world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A test text more: both are to be done again, as the study itself would."""
    out, real = tmp_path / "out", tmp_path / "real"
    real.mkdir()
    for path in (little_world / "real").iterdir():
        (real / path.name).write_bytes(path.read_bytes())
    words = recorded(little_world, out, "--seeds", "1", "--real", str(real))
    assert main(words) == 0
    with (real / "own.test.csv").open("a", newline="") as file:
        csv.writer(file).writerow(["Somebody left a mug on the bus.", "tea/coffee"])
    capsys.readouterr()

    assert main([*words, "--dry-run"]) == 0

    assert "2 runs, of which 0 are there already" in capsys.readouterr().out


def test_another_study_is_refused_as_the_study_would_be(
    little_world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What could not be run is not foreseen."""
    out = tmp_path / "out"
    assert main(recorded(little_world, out, "--seeds", "1")) == 0

    assert main(recorded(little_world, out, "--dry-run", "--per-label", "5")) == 2

    assert "per-label is 8 there and 5 here" in capsys.readouterr().err


def test_requests_of_a_live_llm_are_counted_without_a_key(
    little_world: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Written texts, and labels of training and of test texts; no key, no ledger, nothing sent."""
    monkeypatch.chdir(tmp_path)
    live = ["--llm", "openai:gpt-4o-mini", "--texts-per-request", "2", "--dry-run"]
    arms = ["--arms", "main,llm_labelled,llm", "--labelled", "30", "--classified", "10"]

    assert main(study(little_world, tmp_path / "out", *live, *arms)) == 0

    printed = capsys.readouterr().out
    # 8 texts of each of two labels, two a request; labels: 25 texts a request.
    assert "own zero_shot: 8 requests, of which 0 are in the ledger already; about " in printed
    assert "own few_shot: 8 requests" in printed
    assert "own labels of train texts: 2 requests" in printed
    assert "own labels of test texts: 1 requests" in printed
    assert "requests: 19, of which 0 are in the ledger already" in printed
    assert "money: about 0.00" in printed
    assert table(printed)["llm_labelled"] == ["30", "2", "0"]
    assert "own llm " in printed
    # Four main arms and llm_labelled with two seeds, and the LLM itself once.
    assert "11 runs, of which 0 are there already" in printed
    assert list(tmp_path.iterdir()) == []


def test_what_a_ledger_holds_is_not_counted_again(
    little_world: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After the study, its requests are in the ledger and its runs are there."""
    monkeypatch.chdir(tmp_path)
    with running_chat_server() as server:
        server.answer = lambda body: Answer(written(body, 2))
        live = ["--llm", "openai:gardener", "--base-url", server.url, "--texts-per-request", "2"]
        words = study(little_world, tmp_path / "out", *live, "--seeds", "1")
        assert main(words) == 0
        asked, before = len(server.bodies), files(tmp_path / "out")
        capsys.readouterr()

        assert main([*words, "--dry-run"]) == 0

    printed = capsys.readouterr().out
    assert len(server.bodies) == asked == 8
    assert "own zero_shot: 8 requests, of which 8 are in the ledger already" in printed
    assert "2 runs, of which 2 are there already" in printed
    assert files(tmp_path / "out") == before


def test_what_is_not_at_hand_is_left_out_and_named(
    little_world: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The Hub is asked by the study alone, for real texts and for encoders."""
    monkeypatch.delenv("UNDERSTUDY_DATA", raising=False)
    words = recorded(little_world, tmp_path / "out", "--dry-run", "--real", "hub")

    assert main(words) == 0

    printed = capsys.readouterr().out
    assert "skipped: own real: --real hub: its real texts are on the Hub" in printed
    assert "real texts of own are not at hand: the study asks the Hub for them" in printed
    assert "0 runs, of which 0 are there already" in printed

    assert main(recorded(little_world, tmp_path / "out", "--dry-run", "--encoder", "a/b,c/d")) == 0

    printed = capsys.readouterr().out
    assert "8 runs, of which 0 are there already" in printed
    assert "time to train a/b: not estimated (--encoder a/b: is not on this machine" in printed
    assert "time to train c/d: not estimated" in printed
    assert list(tmp_path.iterdir()) == []


# Time

NAMES = ("no", "yes")


def texts(n: int, letters: int) -> LabelledTexts:
    """Return `n` texts of so many letters."""
    return LabelledTexts(("x" * letters,) * n, tuple(i % 2 for i in range(n)), NAMES, ("",) * n)


def foreseen(n: int, seconds: float | None = None) -> ForeseenRun:
    """Return a run on `n` texts, finished in so many seconds or not yet."""
    record = None
    if seconds is not None:
        record = RunRecord("k", "done", "own", "real", "minilm", "finetune", 0, seconds=seconds)
    return ForeseenRun("own", "real", texts(n, 10), texts(10, 10), record)


def test_the_time_of_fine_tuning_grows_with_the_letters() -> None:
    """Usual settings: 5 epochs of three passes, and one pass over the test texts.

    A finished run: 15 * 200 letters + 100 = 3,100 in 31 s. To come: 15 * 1,000 + 100 = 15,100
    letters in 151 s, twice in 302 s, shared by two processes.
    """
    settings = StudySettings(trainer="finetune")
    runs = [foreseen(20, 31.0), foreseen(100), foreseen(100)]

    found = training_time(settings, runs, processes=2)

    assert found == "about 2.5 minutes for 2 runs in 2 processes, estimated from 1 finished run"


def test_a_curve_costs_passes_over_the_test_texts() -> None:
    """Of 100 texts in batches of 32, five epochs are 20 steps: looks after 6, 12 and 18.

    The finished run had 5 steps and no look: 3,100 letters in 31 s. To come: 15,100 letters and
    three times 100, in 154 s.
    """
    settings = StudySettings(trainer="finetune", curve_steps=6)
    runs = [foreseen(20, 31.0), foreseen(100)]

    found = training_time(settings, runs, processes=1)

    assert found == "about 2.6 minutes for 1 run, estimated from 1 finished run"


def test_letters_that_are_cut_cost_nothing() -> None:
    """256 tokens of 4 letters: a text of 5,000 letters costs 1,024."""
    run = replace(foreseen(2), train=texts(2, 5000), predicted=texts(0, 1))
    done = replace(foreseen(2, 1024.0), train=texts(1, 1024), predicted=texts(0, 1))

    found = training_time(StudySettings(trainer="finetune"), [done, run], processes=1)

    assert found.startswith("about 34.1 minutes")  # twice 1,024 s


def test_where_there_are_several_gpus_nothing_is_trained_for_an_estimate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A study gives each process one; this process would see both, and be refused."""
    monkeypatch.setattr("understudy.pace.gpus", lambda: 2)

    found = training_time(StudySettings(trainer="finetune"), [foreseen(20)], processes=2)

    assert found == "not estimated (a training takes one GPU; set CUDA_VISIBLE_DEVICES=0 for it)"


@pytest.mark.slow
def test_without_a_finished_run_fine_tuning_is_measured(
    little_world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """8 and 24 texts are trained on; the estimate is said to be one."""
    words = recorded(little_world, tmp_path / "out", "--dry-run", "--trainer", "finetune")

    assert main(words) == 0

    found = capsys.readouterr().out
    assert "for 4 runs, estimated from 32 texts that were just trained on" in found
    assert list(tmp_path.iterdir()) == []
