"""`understudy train`: what is trained on, what is written, what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from builders.errors import UserError
from builders.llms import create_llm
from builders.tasks import load_task
from evaluation.uncertainty.scores import accuracy_interval, macro_f1_interval
from trainers.embeddings import Embeddings
from trainers.encoders import EMBEDDED, load_encoder
from trainers.probe import Probe
from trainers.run_folder import TrainedRun, read_run
from trainers.scoring import public_source
from understudy.cli import Parser
from understudy.commands import train
from understudy.gathering import gather
from understudy.settings import StudySettings
from understudy.writer import Writer


def run(world: Path, out: Path, *options: str) -> TrainedRun:
    """Train on the small world and return what was written."""
    parser = Parser(prog="train")
    train.add_arguments(parser)
    given = [str(world / "own.yaml"), "--llm", f"recording:{world / 'recording'}"]
    assert train.run(parser.parse_args([*given, "--out", str(out), *options])) == 0
    return read_run(out)


@pytest.fixture(scope="module")
def trained(little_world: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a probe on the few-shot corpus; return its folder."""
    out = tmp_path_factory.mktemp("trained") / "models" / "one"
    run(little_world, out, "--arm", "few_shot", "--real", str(little_world / "real"), "--seed", "2")
    return out


def test_a_synthetic_arm_is_trained_on_all_of_its_corpus(trained: Path) -> None:
    """12 texts of each label, and the record of the corpus, without a place on this machine."""
    record = read_run(trained)

    assert record.n_per_label == {"tea/coffee": 12, "long walk": 12}
    assert record.corpus is not None
    assert record.corpus.kept == record.n_per_label
    assert record.corpus.path == ""
    assert record.train_source == ""
    assert (record.arm, record.seed, record.trainer) == ("few_shot", 2, "probe")
    assert record.settings["pooling"] == "first"


def test_scores_are_those_of_the_study(trained: Path, little_world: Path) -> None:
    """The same texts, seed and probe give the same scores, with their bootstrap intervals."""
    settings = StudySettings(
        llm=f"recording:{little_world / 'recording'}", real=str(little_world / "real")
    )
    task = load_task(little_world / "own.yaml")
    materials = gather(task, ("few_shot",), settings, Writer(create_llm(settings.llm)), print)
    encoder = load_encoder(EMBEDDED)
    probe = Probe(encoder, Embeddings(encoder, "first"))
    assert materials.test is not None
    given = probe.run(materials.train("few_shot", 2), materials.test, 2).predictions[np.newaxis]

    (scores,) = read_run(trained).tests

    labels = np.array(materials.test.labels)
    assert scores.n == 24
    assert scores.macro_f1 == macro_f1_interval(labels, given, 2)
    assert scores.accuracy == accuracy_interval(labels, given, 2)
    assert scores.content_hash == materials.test.content_hash


def test_a_record_names_no_folder_of_this_machine(trained: Path, little_world: Path) -> None:
    """Of real texts and recording only their own names are written."""
    text = (trained / "run.json").read_text()

    assert str(little_world) not in text
    assert read_run(trained).tests[0].source == "real"


def test_the_model_names_the_tasks_labels(trained: Path) -> None:
    """Slashes and spaces in them stay."""
    config = json.loads((trained / "config.json").read_text())

    assert config["id2label"] == {"0": "tea/coffee", "1": "long walk"}


def test_the_command_says_how_it_scores_and_where_it_is(
    little_world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scores with intervals, the folder, and how to publish it."""
    out = tmp_path / "out"
    record = run(little_world, out, "--arm", "real", "--real", str(little_world / "real"))

    printed = capsys.readouterr().out
    score = record.tests[0].macro_f1
    assert f"macro-F1 {score.value:.3f} (95% interval {score.low:.3f} to" in printed
    assert f"understudy push model {out} OWNER/NAME" in printed


def test_a_real_arm_has_no_corpus(little_world: Path, tmp_path: Path) -> None:
    """All 20 real training texts a label, said where they came from by name."""
    real = str(little_world / "real")
    record = run(little_world, tmp_path / "out", "--arm", "real", "--real", real)

    assert record.n_per_label == {"tea/coffee": 20, "long walk": 20}
    assert record.corpus is None
    assert record.train_source == "real"


def test_without_real_texts_it_is_trained_and_not_scored(
    little_world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The record has no scores, and the command says so."""
    record = run(little_world, tmp_path / "out", "--arm", "zero_shot", "--per-label", "5")

    assert record.tests == ()
    assert record.n_per_label == {"tea/coffee": 5, "long walk": 5}
    assert "not scored" in "".join(capsys.readouterr())


def test_a_mean_probe_is_refused_with_the_reason(little_world: Path, tmp_path: Path) -> None:
    """Before any work; nothing is written."""
    with pytest.raises(UserError, match="no model that takes the mean"):
        run(little_world, tmp_path / "out", "--arm", "zero_shot", "--pooling", "mean")
    assert list(tmp_path.iterdir()) == []


def test_pooling_is_not_of_fine_tuning(little_world: Path, tmp_path: Path) -> None:
    """An option without meaning is refused."""
    options = ("--arm", "zero_shot", "--trainer", "finetune", "--pooling", "first")
    with pytest.raises(UserError, match="is of the probe"):
        run(little_world, tmp_path / "out", *options)


def test_a_real_arm_without_real_texts_is_refused(little_world: Path, tmp_path: Path) -> None:
    """Nothing is left behind, not even a working folder."""
    with pytest.raises(UserError, match="nothing to train on"):
        run(little_world, tmp_path / "out", "--arm", "real")
    assert list(tmp_path.iterdir()) == []


def test_a_loss_with_a_checker_on_real_texts(
    little_world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two of the real training texts of each label are drawn for the checker, and it is said."""
    options = ("--arm", "few_shot", "--real", str(little_world / "real"), "--loss", "imp")

    record = run(little_world, tmp_path / "out", *options, "--checker-per-label", "2")

    assert record.settings["loss"] == "imp"
    assert record.settings["checker_size"] == 4
    assert "its checker trained on 4 real texts" in capsys.readouterr().out


def test_a_loss_that_leaves_texts_out_counts_them(
    little_world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With real labels turned round in a third of the texts, some are left out and counted."""
    rows = (little_world / "real" / "own.train.csv").read_text().splitlines()
    names = {"tea/coffee": "long walk", "long walk": "tea/coffee"}
    turned = [
        row.rpartition(",")[0] + "," + names[row.rpartition(",")[2]] if i % 3 == 1 else row
        for i, row in enumerate(rows)
    ]
    (tmp_path / "own.train.csv").write_text("\n".join(turned) + "\n")
    test = (little_world / "real" / "own.test.csv").read_text()
    (tmp_path / "own.test.csv").write_text(test)
    options = ("--arm", "real", "--real", str(tmp_path), "--loss", "confident")

    record = run(little_world, tmp_path / "out", *options)

    left_out = record.settings["left_out"]
    assert isinstance(left_out, int) and left_out > 0
    assert f"{left_out} of them left out by the loss confident" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--loss", "imp"), "--loss imp: its quality checker is trained on real texts"),
        (("--loss", "focal"), "--loss focal: unknown loss"),
        (("--loss", "confident", "--checker-per-label", "9"), "or use one of imp, dimp"),
        (("--loss", "dimp", "--trainer", "finetune"), "--loss dimp: its quality checker"),
    ],
)
def test_a_loss_that_cannot_be_had_is_refused(
    little_world: Path, tmp_path: Path, options: tuple[str, ...], line: str
) -> None:
    """Without real texts for a checker, by a wrong name, or with an option without meaning."""
    with pytest.raises(UserError, match=line):
        run(little_world, tmp_path / "out", "--arm", "zero_shot", *options)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_arm_is_refused(little_world: Path, tmp_path: Path) -> None:
    """With the arms that there are."""
    with pytest.raises(UserError, match="real, real_full, zero_shot, few_shot"):
        run(little_world, tmp_path / "out", "--arm", "synthetic")


def test_a_folder_that_is_not_empty_is_left_alone(little_world: Path, tmp_path: Path) -> None:
    """What is in it stays."""
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(UserError, match="is not empty"):
        run(little_world, tmp_path, "--arm", "zero_shot")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_training_that_fails_leaves_nothing(little_world: Path, tmp_path: Path) -> None:
    """An encoder that is no BERT is refused; neither the folder nor a part of it is there."""
    encoder = tmp_path / "encoder"
    encoder.mkdir()
    for path in load_encoder(EMBEDDED).path.iterdir():
        if path.is_file() and path.name != "config.json":
            (encoder / path.name).symlink_to(path)
    config = json.loads((load_encoder(EMBEDDED).path / "config.json").read_text())
    (encoder / "config.json").write_text(json.dumps(config | {"model_type": "electra"}))

    with pytest.raises(UserError, match="is of type electra, not bert"):
        run(little_world, tmp_path / "out", "--arm", "zero_shot", "--encoder", str(encoder))
    assert [path.name for path in tmp_path.iterdir()] == ["encoder"]


def test_sources_are_named_for_others(tmp_path: Path) -> None:
    """A path here is its last part; what is no path stays."""
    (tmp_path / "mine.csv").write_text("")

    assert public_source(str(tmp_path / "mine.csv")) == "mine.csv"
    assert public_source("org/drinks@abc") == "org/drinks@abc"
    assert public_source("$UNDERSTUDY_DATA/real/own") == "$UNDERSTUDY_DATA/real/own"
