"""Studies with labels of an LLM, votes of annotators, mixtures, losses, and what is found out."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from builders.data import LabelledTexts
from builders.errors import UserError
from builders.llms import create_llm
from builders.real import RealData, load_real
from builders.tasks import Task, load_task
from evaluation.records import RunRecord, StudyRecords
from understudy.gathering import gather
from understudy.materials import Materials
from understudy.reporting import read_study
from understudy.settings import Grid, StudySettings, parse_arms
from understudy.study import Study, StudyOutcome
from understudy.writer import Writer

LABELS = ("tea/coffee", "long walk")
PORTION = 4


@pytest.fixture
def world(little_world: Path, tmp_path: Path) -> Path:
    """Return a copy of the small world whose recording has labels of real texts of `own`."""
    world = Path(shutil.copytree(little_world, tmp_path / "world"))
    task, real = task_and_real(world)
    record_labels(world, "train", real.train, lambda i: real.train.labels[i])
    record_labels(world, "test", real.test.select(range(8)), lambda i: real.test.labels[i])
    del task
    return world


def task_and_real(world: Path) -> tuple[Task, RealData]:
    """Return the task `own` and its real texts."""
    task = load_task(world / "own.yaml")
    return task, load_real(task, str(world / "real"))


def record_labels(
    world: Path, split: str, texts: LabelledTexts, label: Callable[[int], int | None]
) -> None:
    """Record answers that give each text a label; None stands for a label the task lacks."""
    lines = []
    for number, start in enumerate(range(0, len(texts), PORTION), 1):
        places = range(start, min(start + PORTION, len(texts)))
        given = [label(i) for i in places]
        named = ["nothing" if index is None else LABELS[index] for index in given]
        message = {"role": "assistant", "content": json.dumps({"labels": named})}
        body = {"model": "made-up-1", "choices": [{"message": message, "finish_reason": "stop"}]}
        line = {
            "custom_id": f"own/annotate/{split}/t{number}",
            "ids": [texts.ids[i] for i in places],
            "response": {"status_code": 200, "body": body},
        }
        lines.append(json.dumps(line) + "\n")
    path = world / "recording" / "annotate" / f"own.{split}.responses.jsonl"
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(lines))


def settings_of(world: Path, **changed: object) -> StudySettings:
    """Return the settings of a study on that world."""
    settings = StudySettings(llm=f"recording:{world / 'recording'}", real=str(world / "real"))
    return replace(settings, **changed)  # type: ignore[arg-type] # any field


def materials_of(world: Path, arms: str, **changed: object) -> Materials:
    """Return the data of the task `own`."""
    settings = settings_of(world, **changed)
    task, _ = task_and_real(world)
    return gather(task, parse_arms(arms), settings, Writer(create_llm(settings.llm)), print)


def run(world: Path, out: Path, arms: str, seeds: int = 2, **changed: object) -> StudyOutcome:
    """Run a study of the task `own`."""
    task, _ = task_and_real(world)
    grid = Grid((task,), parse_arms(arms), tuple(range(seeds)))
    return Study(grid, settings_of(world, **changed), out, print).run()


def records(out: Path, arm: str) -> list[RunRecord]:
    """Return the finished runs of an arm."""
    return [r for r in read_study(out).runs if r.status == "done" and r.arm == arm]


# Labels of an LLM


def test_labelled_texts_bear_the_labels_that_the_llm_gave(world: Path) -> None:
    """Of 40 texts the first is labelled otherwise; `gold_labelled` has the same texts, truly."""
    _, real = task_and_real(world)
    record_labels(world, "train", real.train, lambda i: real.train.labels[i] ^ (i == 0))

    found = materials_of(world, "llm_labelled,gold_labelled")

    said, gold = found.train("llm_labelled", 0), found.train("gold_labelled", 5)
    assert said.texts == gold.texts == real.train.texts
    assert gold.labels == real.train.labels
    assert [i for i, (a, b) in enumerate(zip(said.labels, gold.labels, strict=True)) if a != b] == [
        0
    ]


def test_written_texts_are_compared_at_the_number_and_the_cost_of_labelled_ones(
    world: Path,
) -> None:
    """40 labelled texts are 20 of each label, more than the corpora have; fewer cost as much."""
    found = materials_of(world, "alternatives")

    sized = [arm for arm in found.arms if "@" in arm]
    assert {"llm_labelled", "gold_labelled", "llm"} <= set(found.arms)
    assert sized
    assert all(int(arm.split("@")[1]) < 16 for arm in sized)


def test_an_llm_that_names_one_label_only_trains_nothing(world: Path) -> None:
    """A classifier needs texts of every label; the reason names the one that is missing."""
    _, real = task_and_real(world)
    record_labels(world, "train", real.train, lambda i: 0)

    found = materials_of(world, "llm_labelled,gold_labelled,real")

    assert "that the LLM labelled is 'long walk'" in found.absent["llm_labelled"]
    assert "gold_labelled" not in found.absent


def test_a_recording_without_labels_skips_the_arms_by_name(little_world: Path) -> None:
    """The main arms run; what needs labels says that there are none."""
    found = materials_of(little_world, "main,alternatives")

    assert set(found.absent) == {"llm_labelled", "gold_labelled", "llm"}
    assert all("has no labels of own" in why for why in found.absent.values())


def test_the_llm_is_scored_on_the_texts_that_it_was_asked_about(
    world: Path, tmp_path: Path
) -> None:
    """8 of 24 test texts, one answered wrongly and one not at all: neither is right."""
    _, real = task_and_real(world)
    asked = real.test.select(range(8))
    wrong = {2: asked.labels[2] ^ 1, 5: None}
    record_labels(world, "test", asked, lambda i: wrong.get(i, asked.labels[i]))
    out = tmp_path / "out"

    run(world, out, "llm,real")

    (record,) = records(out, "llm")
    assert (record.n_test, record.trainer, record.encoder) == (8, "llm", "a recording (recording)")
    assert record.accuracy == pytest.approx(6 / 8)
    assert record.settings["unanswered"] == 1
    with np.load(out / record.predictions) as stored:
        assert stored["rows"].tolist() == list(range(8))
        assert stored["predictions"][5] == -1


def test_what_the_llm_said_is_not_written_down_twice(world: Path, tmp_path: Path) -> None:
    """The second call finds every run; another answer is another run."""
    first = run(world, tmp_path / "out", "alternatives", seeds=1)
    again = run(world, tmp_path / "out", "alternatives", seeds=1)
    assert (again.done, again.known) == (0, first.done)

    _, real = task_and_real(world)
    record_labels(world, "test", real.test.select(range(8)), lambda i: 1)
    changed = run(world, tmp_path / "out", "alternatives", seeds=1)

    assert (changed.done, changed.known) == (1, first.done - 1)


# Mixtures and curves


def test_a_mixture_has_the_corpus_and_the_real_texts_of_the_arm_alone(world: Path) -> None:
    """With a seed, the real texts beside a corpus are those of the real arm of that size."""
    found = materials_of(world, "few_shot+real@5,real@5,few_shot")

    mixed, real = found.train("few_shot+real@5", 1), found.train("real@5", 1)
    assert len(mixed) == 24 + 10
    assert mixed.texts[24:] == real.texts
    assert mixed.texts[:24] == found.train("few_shot", 1).texts


def test_a_size_that_is_not_there_is_skipped_with_the_number_that_is(world: Path) -> None:
    """20 real and 16 written texts of each label: neither is stretched."""
    found = materials_of(world, "real@21,zero_shot@17,real@20")

    assert found.absent == {
        "real@21": "there are 20 real training texts of 'tea/coffee'",
        "zero_shot@17": "there are 16 texts in the corpus zero_shot of 'tea/coffee'",
    }


# Votes


@pytest.fixture
def votes(world: Path) -> Path:
    """Return a description of votes on three new texts and a training text of `own`."""
    _, real = task_and_real(world)
    rows = [
        {"text": "Someone filled the kettle.", "votes": ["tea/coffee"] * 3},
        {"text": "Someone climbed the ridge.", "votes": ["long walk", "long walk", "tea/coffee"]},
        {"text": "Someone went for a mug on the trail.", "votes": ["long walk", "tea/coffee"]},
        {"text": real.train.texts[0].upper(), "votes": ["tea/coffee", "tea/coffee"]},
    ]
    (world / "votes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = world / "three.yaml"
    path.write_text(f"task: {world / 'own.yaml'}\nfile: votes.jsonl\nvotes: {{list: votes}}\n")
    return path


def test_runs_are_scored_on_texts_with_votes_too(world: Path, votes: Path, tmp_path: Path) -> None:
    """The tie and the training text are left out, and counted; the test scores stay apart."""
    out = tmp_path / "out"

    run(world, out, "real", seeds=1, votes=str(votes))

    study = read_study(out)
    (facts,) = study.tasks[0].voted
    assert (facts.name, facts.n) == ("three", 2)
    assert facts.left_out == {
        "texts without a majority (a tie)": 1,
        "texts of the training set": 1,
    }
    (record,) = records(out, "real")
    with np.load(out / record.predictions) as stored, np.load(out / facts.path) as known:
        assert len(stored["predictions"]) == record.n_test == 24
        assert len(stored["voted/three"]) == 2
        assert known["agreement"].tolist() == pytest.approx([1.0, 2 / 3])
        assert known["labels"].tolist() == [0, 1]


def test_votes_on_a_task_that_is_not_studied_are_refused(
    world: Path, votes: Path, tmp_path: Path
) -> None:
    """The line names the votes and their task; nothing is written."""
    grid = Grid((load_task(world / "other.yaml"),), ("real",), (0,))
    study = Study(grid, settings_of(world, votes=str(votes)), tmp_path / "out", print)

    with pytest.raises(UserError, match="--votes three: its votes are on own, which is not among"):
        study.run()

    assert not (tmp_path / "out").exists()


# Losses


def test_a_loss_with_a_checker_takes_real_texts_of_the_run(world: Path, tmp_path: Path) -> None:
    """Loss and checker stand in each run's settings; another loss is another study."""
    out = tmp_path / "out"
    run(world, out, "zero_shot", seeds=1, loss="imp", checker_per_label=5)

    (record,) = records(out, "zero_shot")
    assert (record.settings["loss"], record.settings["checker_size"]) == ("imp", 10)
    with pytest.raises(UserError, match="holds another study"):
        run(world, out, "zero_shot", seeds=1)


# Findings


def kinds(study: StudyRecords) -> set[tuple[str, str]]:
    """Return kind and arm of each finding."""
    return {(each.kind, each.arm) for each in study.findings}


def test_each_synthetic_arm_is_looked_into(world: Path, tmp_path: Path) -> None:
    """Failures need the arm real to compare with; the other findings are of the texts."""
    run(world, tmp_path / "out", "real,zero_shot,few_shot", seeds=1)

    found = kinds(read_study(tmp_path / "out"))
    every = {"failures", "coverage", "words", "label_noise", "word_pieces"}
    own = {(kind, arm) for kind in every for arm in ("zero_shot", "few_shot")}
    assert found == own | {("word_pieces", "real")}


def test_failures_need_the_arm_real(world: Path, tmp_path: Path) -> None:
    """Without it there is nothing that the synthetic arm misses against."""
    run(world, tmp_path / "out", "zero_shot", seeds=1)

    assert {kind for kind, _ in kinds(read_study(tmp_path / "out"))} == {
        "coverage",
        "words",
        "label_noise",
        "word_pieces",
    }


def test_findings_are_made_again_only_where_the_runs_are_others(
    world: Path, tmp_path: Path
) -> None:
    """A further seed changes what is missed, and not which words are overused."""
    out = tmp_path / "out"
    run(world, out, "real,zero_shot", seeds=1)
    first = {(f.kind, f.key) for f in read_study(out).findings}

    run(world, out, "real,zero_shot", seeds=1)
    assert len((out / "findings.jsonl").read_text().splitlines()) == 6
    run(world, out, "real,zero_shot", seeds=2)

    second = {(f.kind, f.key) for f in read_study(out).findings}
    assert {kind for kind, _ in first ^ second} == {"failures"}


def test_findings_quote_texts_that_are_there(world: Path, tmp_path: Path) -> None:
    """Uncovered texts are real test texts, the nearest ones texts of the corpus."""
    out = tmp_path / "out"
    run(world, out, "real,zero_shot", seeds=1)
    _, real = task_and_real(world)
    corpus = materials_of(world, "zero_shot").corpora["zero_shot"]

    (coverage,) = (f for f in read_study(out).findings if f.kind == "coverage")

    for each in coverage.values["texts"]:
        assert each["text"] in real.test.texts
        assert each["nearest"] in corpus.texts
    distances = [each["distance"] for each in coverage.values["texts"]]
    assert distances == sorted(distances, reverse=True)
