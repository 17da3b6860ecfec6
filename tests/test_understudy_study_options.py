"""The options of a study: what is given, then the preset, then what is usual; and recipes."""

import argparse
import json
from datetime import date
from pathlib import Path

import pytest
import yaml

from builders.errors import UserError
from trainers.finetuning.settings import FinetuneSettings
from trainers.finetuning.study_recipe import PAPER, read_study_recipe
from understudy.cli import main
from understudy.commands.study_options import Asked, add_study_options, read_study_options
from understudy.encoder_folders import parse_encoders


def asked(*words: str) -> Asked:
    """Return what a command line comes to."""
    parser = argparse.ArgumentParser()
    add_study_options(parser)
    return read_study_options(parser.parse_args(words), None)


def recipe(folder: Path, **options: object) -> Path:
    """Write a recipe."""
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(options))
    return path


def test_without_a_word_a_study_is_the_usual_one() -> None:
    """The probe on MiniLM, all arms, three seeds; fine-tuning is for the main arms."""
    usual = asked()

    assert (usual.settings.trainer, usual.encoders, usual.grid.seeds) == (
        "probe",
        ("minilm",),
        (0, 1, 2),
    )
    assert usual.grid.arms == ("main", "curve", "mixed", "alternatives")
    assert usual.settings.finetuning is None
    assert asked("--trainer", "finetune").grid.arms == ("main",)


def test_the_paper_is_its_recipe_with_two_encoders() -> None:
    """Learning rate and batch are those of the recipe that ships; there is no second source."""
    paper = asked("--preset", "paper")
    shipped = yaml.safe_load(PAPER.read_text())

    assert paper.encoders == ("bert-base-uncased", "roberta-base")
    assert (paper.settings.trainer, paper.settings.per_label) == ("finetune", 3000)
    assert (paper.grid.arms, paper.grid.seeds) == (("main",), (0, 1, 2))
    how = paper.settings.finetuning
    assert how is not None
    assert (how.learning_rate, how.batch_size) == (5e-5, 64)
    assert (how.learning_rate, how.batch_size) == (shipped["learning_rate"], shipped["batch_size"])
    assert how.class_weights == "none"


def test_what_is_given_wins_over_the_preset(tmp_path: Path) -> None:
    """Each option by itself; a recipe in the place of the paper's, too."""
    own = recipe(tmp_path, learning_rate=0.5)
    words = ["--encoder", "minilm", "--per-label", "7", "--seeds", "4,", "--arms", "real"]

    found = asked("--preset", "paper", *words, "--recipe", str(own))

    assert (found.encoders, found.settings.per_label) == (("minilm",), 7)
    assert (found.grid.arms, found.grid.seeds) == (("real",), (4,))
    assert found.settings.finetuning == FinetuneSettings(learning_rate=0.5)


def test_the_paper_with_a_probe_leaves_its_recipe_out() -> None:
    """A recipe says how to fine-tune."""
    found = asked("--preset", "paper", "--trainer", "probe")

    assert (found.settings.trainer, found.settings.finetuning) == ("probe", None)
    assert found.encoders == ("bert-base-uncased", "roberta-base")


def test_a_recipe_may_name_the_encoder(tmp_path: Path) -> None:
    """Its own wins over the usual one, and the option over it."""
    path = str(recipe(tmp_path, encoder="roberta-base"))

    assert asked("--trainer", "finetune", "--recipe", path).encoders == ("roberta-base",)
    words = ["--trainer", "finetune", "--recipe", path, "--encoder", "minilm"]
    assert asked(*words).encoders == ("minilm",)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--preset", "papers"], "--preset papers: unknown preset; use one of paper"),
        (["--recipe", "r.yaml"], "--recipe r.yaml: is of fine-tuning"),
        (["--processes", "2"], "--processes 2: is of fine-tuning"),
        (["--trainer", "finetune", "--pooling", "first"], "--pooling first: is of the probe"),
        (["--trainer", "finetune", "--recipe", "none.yaml"], "none.yaml: cannot be read"),
        (["--labelled", "30"], "--labelled 30: is of a live LLM"),
        (["--classified", "10"], "--classified 10: is of a live LLM"),
        (["--encoder", ","], "--encoder: names no encoder"),
        (["--encoder", "a/b,minilm,a/b"], "'a/b' stands twice"),
        (["--encoder", "a/b,c/b"], "'a/b' and 'c/b' end alike"),
    ],
)
def test_options_that_do_not_fit_are_refused(words: list[str], said: str) -> None:
    """In one line that names the option and the remedy."""
    with pytest.raises(UserError) as refused:
        asked(*words)
    assert said in str(refused.value)


def test_encoders_stand_in_the_order_given() -> None:
    """Blanks around commas do not count."""
    assert parse_encoders(" b , a/c/") == ("b", "a/c/")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"lerning_rate": 1}, "did you mean learning_rate?"),
        ({"output_dir": "models"}, "output_dir is for trainers.finetune alone"),
        ({"seed": 3}, "seed is for trainers.finetune alone"),
        ({"loss": "imp"}, "loss is for trainers.finetune alone"),
        ({"validation": "0.1"}, "a run of a study trains on all its texts"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"batch_size": 0}, "batch_size 0: give at least 1"),
        ({"num_train_epochs": 0}, "num_train_epochs 0: give a number above 0"),
        ({"learning_rate": float("nan")}, "learning_rate nan: give a number of at least 0"),
        ({"per_device_train_batch_size": 0}, "per_device_train_batch_size 0: give at least 1"),
        ({"epochs": 2, "num_train_epochs": 3}, "num_train_epochs stands there twice"),
        ({"batch_size": [8, 16]}, "batch_size: takes one value and has a list of 2"),
        ({"batch_size": [8, 16], "max_length": [8, 9]}, "batch_size: takes one value"),
        ({"learning_rate": None}, "learning_rate: has no value"),
        ({"per_device_train_batch_size": True}, "invalid int value: 'true'"),
        ({"encoder": 5}, "encoder 5: name minilm, a folder or a repository"),
        ({"encoder": True}, "encoder True: name minilm"),
        ({"encoder": {"a": 1}}, "encoder {'a': 1}: name minilm"),
        ({"encoder": date(2020, 1, 1)}, "encoder datetime.date(2020, 1, 1): name minilm"),
        ({"encoder": ["a", "b"]}, "encoder: takes one value and has a list of 2"),
        ({"encoder": ""}, "encoder '': name minilm"),
    ],
)
def test_a_recipe_that_no_run_can_follow_is_refused(
    tmp_path: Path, options: dict[str, object], said: str
) -> None:
    """With the file's name, and what is wrong with which key."""
    path = recipe(tmp_path, **options)

    with pytest.raises(UserError) as refused:
        read_study_recipe(path)

    assert str(refused.value).startswith(f"{path}: ")
    assert said in str(refused.value)


def test_what_a_recipe_leaves_open_is_as_without_one(tmp_path: Path) -> None:
    """Names that records have count as the options'; the size of a pass is beside them.

    A number in quotes is one.
    """
    path = recipe(tmp_path, epochs=2, per_device_train_batch_size="4")

    found = read_study_recipe(path)

    assert found.settings == FinetuneSettings(epochs=2)
    assert (found.encoder, found.pass_size) == (None, 4)


def test_settings_are_written_down_in_full(tmp_path: Path) -> None:
    """A study of fine-tuning says how, with a recipe or without; the size of a pass if given."""
    path = str(recipe(tmp_path, epochs=2))

    own = asked("--trainer", "finetune", "--recipe", path).settings.as_dict()
    usual = asked("--trainer", "finetune").settings.as_dict()

    assert {name for name in own if own[name] != usual[name]} == {"epochs"}
    assert (own["epochs"], own["learning_rate"]) == (2, 1e-4)
    assert "pass_size" not in own
    few = str(recipe(tmp_path, per_device_train_batch_size=4))
    assert asked("--trainer", "finetune", "--recipe", few).settings.as_dict()["pass_size"] == 4
    assert json.loads(json.dumps(own)) == own


def test_the_paper_needs_more_than_the_recording_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line says what to give instead."""
    words = ["study", "--preset", "paper", "--tasks", "sms_spam", "--out", str(tmp_path / "out")]

    assert main(words) == 2

    said = capsys.readouterr().err
    assert "--per-label 3000: the recording of sms_spam" in said
    assert "use --per-label 200 or less, or a live LLM" in said
    assert list(tmp_path.iterdir()) == []
