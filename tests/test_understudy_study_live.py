"""A study whose corpora a live LLM writes: what is asked, skipped, stopped and gone on with."""

import csv
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from chat_server import Answer, ChatServer, running_chat_server, written

from understudy.cli import main

TASK = """\
name: plants
title: Plants
description: Where does this plant grow?
labels: {in/door: inside a house, out door: in the open}
prompt: {context: You are a gardener., generate: "Write {count} notes on {label}."}
length_words: [3, 20]
"""


@pytest.fixture
def server() -> Iterator[ChatServer]:
    """Run a server that answers with two texts."""
    with running_chat_server() as running:
        running.answer = lambda body: Answer(written(body, 2))
        yield running


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in a folder with a task and real texts of it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNDERSTUDY_DATA", raising=False)
    (tmp_path / "plants.yaml").write_text(TASK, encoding="utf-8")
    rng = random.Random(0)
    for split, n in (("train", 40), ("test", 20)):
        path = tmp_path / "real" / f"plants.{split}.csv"
        path.parent.mkdir(exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["text", "label"])
            for i in range(n):
                label, place = (("in/door", "kitchen"), ("out door", "meadow"))[i % 2]
                words = written({"n": rng.random()}, 1, 6)[0]
                rows.writerow([f"{place} {words}", label])
    return tmp_path


def study(server: ChatServer, *more: str) -> int:
    """Run the study."""
    return main(
        [
            *("study", "--tasks", "plants.yaml", "--seeds", "1", "--out", "runs/one"),
            *("--llm", "openai:gardener", "--base-url", server.url, "--per-label", "6"),
            *("--texts-per-request", "2", "--arms", "real,zero_shot,few_shot", *more),
        ]
    )


def test_a_live_llm_writes_the_corpora_of_a_study(
    server: ChatServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both strategies, once: the second call asks nothing and runs nothing."""
    assert study(server, "--real", "real") == 0
    # Two labels, two strategies, three requests of two texts each.
    assert len(server.bodies) == 12
    assert (folder / "ledger.sqlite").is_file()
    assert "3 runs done, 0 were there" in capsys.readouterr().out

    assert study(server, "--real", "real") == 0

    assert len(server.bodies) == 12
    assert "0 runs done, 3 were there" in capsys.readouterr().out


def test_nothing_is_asked_where_there_is_nothing_to_test_on(
    server: ChatServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Texts that no run can use are not paid for."""
    (folder / "empty").mkdir()

    assert study(server, "--real", "empty") == 2

    assert server.bodies == []
    assert "nothing to run: --real empty: no data for plants" in capsys.readouterr().err


def test_nothing_is_asked_where_one_corpus_would_be_left_alone(
    server: ChatServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without real texts a corpus is scored on another, and few_shot cannot be written."""
    assert study(server, "--real", "none", "--arms", "zero_shot,few_shot") == 2

    assert server.bodies == []
    told = capsys.readouterr().err
    assert "nothing to run: " in told
    assert "a corpus could be scored on another, and there are not two" in told


def test_what_a_build_was_answered_a_study_does_not_ask_again(
    server: ChatServer, folder: Path
) -> None:
    """All commands of a folder share one ledger."""
    asked = ("--llm", "openai:gardener", "--base-url", server.url, "--texts-per-request", "2")
    assert main(["build", "plants.yaml", *asked, "--per-label", "6"]) == 0
    assert len(server.bodies) == 6

    assert study(server, "--real", "real") == 0

    assert len(server.bodies) == 12


def test_a_budget_that_is_met_ends_the_study_and_the_next_call_goes_on(
    server: ChatServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was answered is in the ledger: only the rest is asked for."""
    assert study(server, "--real", "real", "--max-requests", "8") == 2
    assert "--max-requests 8 is met" in capsys.readouterr().err
    assert len(server.bodies) == 8

    assert study(server, "--real", "real") == 0

    assert len(server.bodies) == 12


def test_another_way_of_asking_is_another_study(
    server: ChatServer, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder does not mix corpora that were sampled in two ways."""
    study(server, "--real", "real")
    capsys.readouterr()

    assert study(server, "--real", "real", "--temperature", "0.2") == 2

    assert "holds another study (asked is" in capsys.readouterr().err
