"""The comparison of losses, in small: which corpora, what is dropped, what is done twice."""

import gzip
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from builders.data import LabelledTexts
from builders.real import RealData

_BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.append(str(_BENCHMARKS))

from losses import key_of, run_cell  # noqa: E402
from losses_cells import Cell, append_cell, read_cells  # noqa: E402
from losses_corpora import LEFT_OUT, Corpus, corpus_names, load_corpus  # noqa: E402
from losses_methods import Asked  # noqa: E402
from losses_tables import tables  # noqa: E402
from losses_trainers import FinetuneTrainers, trainings  # noqa: E402
from training_turns import Training, Turns  # noqa: E402


def cell(method: str, predictions: Sequence[Sequence[int]], task: str = "t") -> Cell:
    """Return a cell whose test texts have the labels 0, 0, 1, 1."""
    return Cell(
        key=f"{task}/{method}",
        group="some",
        corpus=f"{task}.c",
        task=task,
        method=method,
        n_labels=2,
        n_train=8,
        left_out=0.0,
        references=np.array([0, 0, 1, 1]),
        predictions=np.array(predictions),
        dropped={"duplicate": 3},
        seconds=0.1,
    )


def test_a_cell_is_read_back_from_its_line(tmp_path: Path) -> None:
    """Labels and predictions too; a line that a kill cut short counts for nothing."""
    one = cell("imp", [[0, 1, 1, 0], [0, 0, 1, 1]])
    path = tmp_path / "cells.jsonl"
    path.write_text(one.as_json() + "\n" + one.as_json().replace("t/imp", "t/x")[:50])

    (read,) = read_cells(path).values()

    np.testing.assert_array_equal(read.predictions, one.predictions)
    np.testing.assert_array_equal(read.references, one.references)
    assert (read.key, read.dropped, read.n_train) == ("t/imp", {"duplicate": 3}, 8)


def test_a_cell_after_one_that_a_kill_cut_short_has_a_line_of_its_own(tmp_path: Path) -> None:
    """What was cut short is taken away; what stood before it stays."""
    first, second = cell("imp", [[0, 1, 1, 0]]), cell("dimp", [[0, 0, 1, 1]])
    path = tmp_path / "cells.jsonl"
    path.write_text(first.as_json() + "\n" + second.as_json()[:40])

    append_cell(path, second)
    append_cell(tmp_path / "new" / "cells.jsonl", first)

    assert list(read_cells(path)) == ["t/imp", "t/dimp"]
    assert list(read_cells(tmp_path / "new" / "cells.jsonl")) == ["t/imp"]


def test_a_training_that_fails_ends_the_turns() -> None:
    """The others go on to their ends, and its error is raised; nobody waits for it."""
    turns, went = Turns(), []

    def fails() -> None:
        raise ValueError("no more")

    def ends() -> None:
        turns.wait(1)
        went.append("on")

    with pytest.raises(ValueError, match="no more"):
        turns.run([Training(fails, lambda: None), Training(ends, lambda: None)])
    assert went == ["on"]


def test_tables_hold_each_method_against_cross_entropy() -> None:
    """Cross-entropy with two of four right: F1 1/2 and 1/2. IMP with all right: 100, +50 points.

    Of one label two texts are right and two wrong either way: macro-F1 is 50 for predictions
    0, 1, 1, 0 against 0, 0, 1, 1.
    """
    cells = [cell("cross_entropy", [[0, 1, 1, 0]]), cell("imp", [[0, 0, 1, 1]])]

    lines = tables(cells, ["cross_entropy", "imp"]).splitlines()

    assert "| cross_entropy | 1 | 50.0 |  |  |  |  |" in lines
    assert any(line.startswith("| imp | 1 | 100.0 | +50.0 |") for line in lines)
    assert "| t.c | 3 duplicate |" in lines


def test_a_mean_over_tasks_has_an_interval_and_one_over_a_single_task_has_none() -> None:
    """Gains of 50 and 0 points on two tasks: 25, between the two; of one task no interval."""
    cells = [
        cell("cross_entropy", [[0, 1, 1, 0]], "t"),
        cell("imp", [[0, 0, 1, 1]], "t"),
        cell("cross_entropy", [[0, 1, 1, 0]], "u"),
        cell("imp", [[0, 1, 1, 0]], "u"),
    ]

    both = tables(cells, ["cross_entropy", "imp"])
    one = tables(cells[:2], ["cross_entropy", "imp"])

    assert "| imp | 2 | 75.0 | +25.0 (+0.0 to +50.0) |" in both
    assert "| imp | 1 | 100.0 | +50.0 |" in one


def test_a_corpus_without_cross_entropy_is_left_out() -> None:
    """There is nothing to hold its methods against. What is dropped of it is told."""
    lines = tables([cell("imp", [[0, 0, 1, 1]])], ["cross_entropy", "imp"]).splitlines()

    assert lines == ["| corpus | rows not used |", "| --- | --- |", "| t.c | 3 duplicate |"]


def numbered(of_each: int, name: str) -> LabelledTexts:
    """Return as many texts of each of two labels."""
    names = tuple(f"{name} {i}" for i in range(2 * of_each))
    return LabelledTexts(names, (0, 1) * of_each, ("a", "b"), names)


SMALL = Corpus(
    name="t.c",
    group="some",
    task="t",
    texts=numbered(9, "synthetic"),
    real=RealData(numbered(10, "real"), numbered(5, "test"), None, "made up"),
    dropped={},
)
FEW = Asked("finetune", (0,), per_label=3, max_test=8, epochs=1, most_per_label=6)


@pytest.mark.parametrize(
    ("method", "n"),
    [
        ("cross_entropy", [(12, 8, 0)]),
        ("cross_entropy + real", [(18, 8, 0)]),
        ("real alone", [(6, 8, 0)]),
        # P' learns from 6 real texts in 100 steps at least, Q from 12 of the corpus; both judge
        # the 12.
        ("imp", [(6, 12, 100), (12, 12, 0), (12, 8, 0)]),
        ("imp + real", [(6, 18, 100), (18, 18, 0), (18, 8, 0)]),
        # Of 5 folds two have 3 of 12 texts, three have 2.
        ("confident", [(9, 3, 0), (9, 3, 0), (10, 2, 0), (10, 2, 0), (10, 2, 0), (12, 8, 0)]),
    ],
)
def test_what_a_run_learns_from(method: str, n: list[tuple[int, int, int]]) -> None:
    """6 of each label of a corpus, 3 real ones of each, at most 8 of the test texts."""
    assert trainings(SMALL, method, FEW) == n
    assert len(FEW.train(SMALL, method, 0)) == n[-1][0]


@pytest.mark.slow
def test_a_cell_of_fine_tuning() -> None:
    """Every test text is predicted; the time it takes can be told before."""
    trainers = FinetuneTrainers()

    made = run_cell(SMALL, "cross_entropy + real", trainers, FEW)

    assert (made.n_train, made.predictions.shape) == (18, (1, 8))
    assert made.key == key_of(SMALL, "cross_entropy + real", trainers, FEW)
    assert trainers.seconds([(SMALL, "dimp")], FEW) > 0


def test_whatever_decides_a_cell_is_in_its_key() -> None:
    """Another text, another number of test texts, another precision: another cell."""
    trainers = FinetuneTrainers()
    another = replace(SMALL, texts=replace(SMALL.texts, texts=("new", *SMALL.texts.texts[1:])))

    keys = {
        key_of(SMALL, "imp", trainers, FEW),
        key_of(SMALL, "dimp", trainers, FEW),
        key_of(another, "imp", trainers, FEW),
        key_of(SMALL, "imp", trainers, replace(FEW, max_test=6)),
        key_of(SMALL, "imp", trainers, replace(FEW, precision="bf16")),
        key_of(SMALL, "imp", trainers, replace(FEW, seeds=(1,))),
    }

    assert len(keys) == 6
    assert key_of(SMALL, "imp", FinetuneTrainers(), FEW) in keys


def test_every_file_of_other_people_has_its_task(data_dir: Path) -> None:
    """Each file is in the table or left out for a reason, and maps onto labels of its task."""
    files = {p.name.removesuffix(".jsonl.gz") for p in (data_dir / "llm").glob("*.jsonl.gz")}

    names = {name for group, name in corpus_names(data_dir) if group.startswith("other")}

    assert names | set(LEFT_OUT) == files
    assert not names & set(LEFT_OUT)


@pytest.mark.slow
def test_what_is_dropped_of_a_corpus_is_counted(data_dir: Path, tmp_path: Path) -> None:
    """Of seven made-up headlines one is left; each of the others is dropped for its own reason."""
    with gzip.open(data_dir / "real" / "sarcasm_news.test.jsonl.gz", "rt") as file:
        tested = json.loads(next(file))["text"]
    rows = [
        {"text": "Council Votes To Keep Voting On The Same Bridge", "label": "sarcastic"},
        {"text": "council votes to keep voting on the same bridge!", "label": "sarcastic"},
        {"text": "  ", "label": "sarcastic"},
        {"text": "Bakery opens", "label": "neutral"},
        {"text": "Library Opens Late", "label": "not_sarcastic", "seed_text": "library opens late"},
        {"text": "A made-up rewrite", "label": "sarcastic", "seed_text": tested},
        {"text": tested, "label": "not_sarcastic"},
    ]
    (tmp_path / "llm").mkdir()
    name = "someone-model.sarcasm_headlines.fewshot"
    with gzip.open(tmp_path / "llm" / f"{name}.jsonl.gz", "wt") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)

    corpus = load_corpus("other LLMs", name, tmp_path)

    assert corpus.texts.texts == ("Council Votes To Keep Voting On The Same Bridge",)
    assert corpus.texts.counts() == {"sincere": 0, "sarcastic": 1}
    assert corpus.dropped == {
        "duplicate": 1,
        "blank": 1,
        "label 'neutral'": 1,
        "the real text it was made from, unchanged": 1,
        "made from a real test text": 1,
        "copy of a real test text": 1,
    }


@pytest.mark.slow
def test_a_finished_cell_is_not_done_again(data_dir: Path, tmp_path: Path) -> None:
    """A second call with one method more does that one alone, and says how long it may take."""
    cells = tmp_path / "cells.jsonl"
    command = [sys.executable, str(_BENCHMARKS / "losses.py"), "--cells", str(cells)]
    command += ["--only", "reddit_emotion.zero_shot", "--seeds", "2", "--max-test", "40"]

    def said(*methods: str) -> list[str]:
        done = subprocess.run(
            [*command, "--methods", *methods], capture_output=True, text=True, check=True
        )
        return done.stderr.splitlines()

    first = said("cross_entropy")
    before = cells.read_bytes()
    second = said("cross_entropy", "real alone")

    assert first[0].startswith("1 cells, about ") and second[0].startswith("1 cells, about ")
    assert cells.read_bytes().startswith(before)
    assert [c.method for c in read_cells(cells).values()] == ["cross_entropy", "real alone"]
    assert {c.predictions.shape for c in read_cells(cells).values()} == {(2, 40)}
