"""A run that was killed: the same command goes on, and ends as if nothing had been."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from tiny_encoder import save_tiny_encoder
from training_world import World, make_world, metrics, same_weights

from builders.errors import UserError
from trainers.finetune import main
from trainers.finetuning.checkpoints import open_checkpoints, remove_checkpoints
from trainers.finetuning.out_folder import check_out
from trainers.finetuning.precision import meant_here

KILLED = """
import os, signal, sys
from trainers.finetune import main
from trainers.finetuning.weighted_trainer import WeightedTrainer

step, at = WeightedTrainer.training_step, int(sys.argv[1])

def step_or_end(self, *given, **named):
    if self.state.global_step == at:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, *given, **named)

WeightedTrainer.training_step = step_or_end
sys.exit(main(sys.argv[2:]))
"""
"""Runs the entry, and is killed when so many steps are done."""

MADE_OF = {"learning_rate": 0.1, "task": "outings"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Make a world."""
    return make_world(tmp_path_factory.mktemp("world"))


def killed(words: list[str], at: int) -> None:
    """Run the entry in a process that is killed when `at` steps are done."""
    command = [sys.executable, "-c", KILLED, str(at), *words]
    done = subprocess.run(
        command, capture_output=True, text=True, env=dict(os.environ), check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.slow
def test_a_killed_run_ends_as_an_unbroken_one(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Killed in the middle of the third epoch, between two checkpoints, with dropout and patience.

    The weights are the same bit by bit, and so are all scores, the learning curve among them.
    """
    encoder = save_tiny_encoder(tmp_path / "encoder", dropout=0.2)
    options = {"encoder": encoder, "validation": 0.25, "patience": 8, "curve_steps": 4}
    options |= {
        "eval_strategy": "steps",
        "eval_steps": 3,
        "train": ["synthetic", "real:6-per-label"],
    }
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert main(world.options(whole, **options)) == 0
    killed(world.options(broken, **options), 14)
    assert not (broken / "run.json").exists()
    assert (broken / "recipe.yaml").exists()
    capsys.readouterr()

    assert main(world.options(broken, **options)) == 0

    assert "goes on from step 12" in capsys.readouterr().err
    assert same_weights(whole, broken)
    assert metrics(whole) == metrics(broken)
    assert len(metrics(whole)["curve"]) >= 4


def killed_at_the_scoring(words: list[str]) -> None:
    """Run the entry in a process that is killed when training is over."""
    code = KILLED.replace("WeightedTrainer.training_step = step_or_end", ENDS_AT_THE_SCORING)
    command = [sys.executable, "-c", code, "0", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("patience", [2, None])
def test_a_run_that_is_over_keeps_its_best_model(
    world: World, tmp_path: Path, patience: int | None
) -> None:
    """Stopped early or not, killed before it is scored, and moved: only the writing is left.

    With this learning rate an early model is the best one; the checkpoints say where it was.
    """
    options: dict[str, object] = {"learning_rate": 0.3, "num_train_epochs": 6, "validation": 0.25}
    options["patience"] = patience
    whole, broken, moved = (tmp_path / name for name in ("whole", "broken", "moved"))
    assert main(world.options(whole, **options)) == 0
    killed_at_the_scoring(world.options(broken, **options))
    broken.rename(moved)

    assert main(world.options(moved, **options)) == 0

    assert metrics(moved) == metrics(whole)
    assert metrics(moved)["best_step"] < metrics(moved)["steps"]
    assert same_weights(whole, moved)


@pytest.mark.slow
def test_a_run_that_ended_within_an_epoch_takes_no_step_more(world: World, tmp_path: Path) -> None:
    """After 10 steps of 6 an epoch, at a learning rate that does not fall to 0."""
    options = {"max_steps": 10, "lr_scheduler_type": "constant"}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert main(world.options(whole, **options)) == 0
    killed_at_the_scoring(world.options(broken, **options))

    assert main(world.options(broken, **options)) == 0

    assert metrics(broken) == metrics(whole)
    assert metrics(broken)["steps"] == 10
    assert same_weights(whole, broken)


def test_a_best_checkpoint_that_is_gone_is_missed(tmp_path: Path) -> None:
    """The last model is not kept in its stead; one that was moved with the folder is found.

    Of the best one, its model is all that is needed.
    """
    last = checkpoint(tmp_path, 10, best=checkpoint(Path("elsewhere"), 5, write=False))
    half = checkpoint(tmp_path, 15)
    (half / "scheduler.pt").unlink()

    def refused(how: str) -> None:
        with pytest.raises(UserError, match=f"checkpoint-5 is the best model so far and {how}"):
            open_checkpoints(tmp_path, MADE_OF, 1)
        assert last.is_dir() and half.is_dir()

    refused("is missing")
    place = checkpoint(tmp_path, 5)
    model = (place / "model.safetensors").read_bytes()
    (place / "model.safetensors").write_bytes(model[:-1])
    refused("its model is damaged or missing")
    (place / "model.safetensors").unlink()
    refused("its model is damaged or missing")

    (place / "model.safetensors").write_bytes(model)
    (place / "optimizer.pt").unlink()
    found = open_checkpoints(tmp_path, MADE_OF, 1)
    assert found is not None and found.step == 10
    assert place.is_dir() and not half.exists()
    state = json.loads((tmp_path / "checkpoints/checkpoint-10/trainer_state.json").read_text())
    assert state["best_model_checkpoint"] == str(place)


ENDS_AT_THE_SCORING = """
import trainers.finetuning.run as run
run.test_texts = lambda *given: os.kill(os.getpid(), signal.SIGKILL)
"""


def test_checkpoints_of_another_recipe_are_refused(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names what differs, and leaves the checkpoints alone."""
    out = tmp_path / "out"
    code = main(world.options(out, learning_rate=1e30, warmup_steps=0, save_strategy="steps"))
    assert code == 2
    checkpoint(out, 1)
    before = sorted(out.rglob("*"))
    capsys.readouterr()

    assert main(world.options(out, learning_rate=0.02)) == 2

    printed = capsys.readouterr().err
    assert "holds the checkpoints of another run: " in printed
    assert sorted(out.rglob("*")) == before


@pytest.mark.slow
def test_a_learning_curve_is_of_one_test_set(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its points are not joined with those of a test set that has changed meanwhile."""
    killed(world.options(tmp_path / "out", curve_steps=4), 14)
    real = tmp_path / "real"
    shutil.copytree(world.real, real)
    with (real / "outings.test.csv").open("a", newline="") as file:
        csv.writer(file).writerow(["A cup of lemonade and nothing else", "drinks"])

    assert main(world.options(tmp_path / "out", curve_steps=4, real=real)) == 2

    told = capsys.readouterr().err
    assert "holds the checkpoints of another run: the curve's test texts" in told


def test_auto_counts_as_the_precision_that_it_comes_to(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that began with `auto` goes on with its name, and not with the other one."""
    out, same = tmp_path / "out", meant_here("auto")
    other = "fp32" if same == "bf16" else "bf16"
    breaks = {"learning_rate": 1e30, "warmup_steps": 0, "save_strategy": "steps"}

    def said(precision: str) -> str:
        assert main(world.options(out, **breaks, precision=precision)) == 2
        return capsys.readouterr().err

    assert "the loss is" in said("auto")
    record = json.loads((out / "checkpoints" / "made_of.json").read_text())
    assert "the loss is" in said(same)
    assert json.loads((out / "checkpoints" / "made_of.json").read_text()) == record
    checkpoint(out, 1)
    assert f"precision is {same!r} there and {other!r} here" in said(other)


def test_checkpoints_of_another_task_are_refused(tmp_path: Path) -> None:
    """Or of other texts, or of another number of processes: whatever the result depends on.

    Only where there is a checkpoint: an option that was mended before is no other run.
    """
    open_checkpoints(tmp_path, MADE_OF, 1)
    assert open_checkpoints(tmp_path, {**MADE_OF, "task": "outngs"}, 1) is None
    assert open_checkpoints(tmp_path, {**MADE_OF, "processes": 2}, 2) is None
    checkpoint(tmp_path, 5, processes=2)

    with pytest.raises(UserError, match="task is 'outings' there and 'plants' here"):
        open_checkpoints(tmp_path, {**MADE_OF, "task": "plants", "processes": 2}, 2)
    with pytest.raises(UserError, match="processes is 2 there and 1 here"):
        open_checkpoints(tmp_path, {**MADE_OF, "processes": 1}, 1)
    found = open_checkpoints(tmp_path, {**MADE_OF, "processes": 2}, 2)
    assert found is not None and found.step == 5


def checkpoint(
    folder: Path, step: int, *, processes: int = 1, best: Path | None = None, write: bool = True
) -> Path:
    """Write what of a checkpoint is looked at, of a run of 20 steps; return its place."""
    import torch
    from safetensors.torch import save_file

    place = folder / "checkpoints" / f"checkpoint-{step}"
    if not write:
        return place
    place.mkdir(parents=True)
    record = place.parent / "made_of.json"
    if not record.exists():
        record.write_text(json.dumps(MADE_OF))
    state = {"stateful_callbacks": {}, "global_step": step, "max_steps": 20, "log_history": []}
    state |= {"best_model_checkpoint": str(best) if best else None}
    (place / "trainer_state.json").write_text(json.dumps(state))
    (place / "config.json").write_text("{}")
    save_file({"weight": torch.zeros(9)}, place / "model.safetensors")
    names = [f"rng_state_{i}.pth" for i in range(processes)] if processes > 1 else ["rng_state.pth"]
    for name in (*names, "optimizer.pt", "scheduler.pt"):
        torch.save({"of": torch.zeros(99)}, place / name)
    return place


FILES = [
    "config.json",
    "model.safetensors",
    "optimizer.pt",
    "rng_state.pth",
    "scheduler.pt",
    "trainer_state.json",
]


@pytest.mark.parametrize("broken", FILES)
@pytest.mark.parametrize("left", [0.0, 0.5, None])
def test_a_checkpoint_that_was_half_written_counts_for_nothing(
    tmp_path: Path, broken: str, left: float | None
) -> None:
    """Whatever file it ends in: the one before is gone on from, and the broken one is removed.

    So it is where a file is gone; the `Trainer` would go on with a new optimiser.
    """
    whole, half = checkpoint(tmp_path, 9), checkpoint(tmp_path, 10)
    content = (half / broken).read_bytes()
    (half / broken).unlink()
    if left is not None:
        (half / broken).write_bytes(content[: int(left * len(content))])

    found = open_checkpoints(tmp_path, MADE_OF, 1)

    assert found is not None
    assert (found.checkpoint, found.step, found.done) == (whole, 9, None)
    assert not half.exists()


@pytest.mark.parametrize(
    "state",
    [
        "{}",
        "[]",
        "null",
        '{"global_step": 10}',
        '{"global_step": 7, "max_steps": 20, "log_history": [], "stateful_callbacks": {}}',
    ],
)
def test_a_state_that_says_no_step_counts_for_nothing(tmp_path: Path, state: str) -> None:
    """Or that of another one than the folder is named after."""
    half = checkpoint(tmp_path, 10)
    (half / "trainer_state.json").write_text(state)

    assert open_checkpoints(tmp_path, MADE_OF, 1) is None
    assert not half.exists()


@pytest.mark.parametrize("content", ["", "[]", '{"task": "out', None])
def test_a_damaged_record_of_what_was_trained(tmp_path: Path, content: str | None) -> None:
    """Without a checkpoint it is written again; with one, nobody knows of which run it is."""
    record = tmp_path / "checkpoints" / "made_of.json"
    record.parent.mkdir()
    if content is not None:
        record.write_text(content)
    assert open_checkpoints(tmp_path, MADE_OF, 1) is None
    assert json.loads(record.read_text()) == MADE_OF

    place = checkpoint(tmp_path, 5)
    record.unlink()
    if content is not None:
        record.write_text(content)
    with pytest.raises(UserError, match="is damaged or missing, so that nothing"):
        open_checkpoints(tmp_path, MADE_OF, 1)
    assert place.is_dir()


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ("checkpoints/notes/mine.txt", "is of no run, as it holds no made_of.json"),
        ("checkpoints/checkpoint-10/mine.txt", "is of no run, as it holds no made_of.json"),
        ("checkpoints", "is a file; name another folder"),
    ],
)
def test_somebodys_own_folder_of_checkpoints_is_left_alone(
    tmp_path: Path, there: str, said: str
) -> None:
    """Whatever stands in it; so is a folder that is called as one in a run's."""
    path = tmp_path / there
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    with pytest.raises(UserError, match=said):
        check_out(tmp_path)
    assert path.read_text() == "mine"

    out = tmp_path / "out"
    checkpoint(out, 5)
    check_out(out)
    (out / "checkpoints" / "checkpoint-best").mkdir()
    with pytest.raises(UserError, match="checkpoint-best is no checkpoint of a run"):
        check_out(out)


def test_what_a_run_did_not_write_outlives_it(tmp_path: Path) -> None:
    """A report's file among the checkpoints; an empty folder of checkpoints is as good as none."""
    out = tmp_path / "out"
    (out / "checkpoints").mkdir(parents=True)
    check_out(out)
    checkpoint(out, 5)
    (out / "checkpoints" / "emissions.csv").write_text("mine")

    remove_checkpoints(out)

    assert [path.name for path in out.rglob("*")] == ["checkpoints", "emissions.csv"]
    (out / "checkpoints" / "emissions.csv").unlink()
    remove_checkpoints(out)
    assert list(out.iterdir()) == []


def test_a_command_that_was_mended_begins(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing was trained before: the loss was no number at the first step."""
    assert main(world.options(tmp_path, learning_rate=1e30, warmup_steps=0)) == 2
    assert "the loss is" in capsys.readouterr().err

    assert main(world.options(tmp_path, num_train_epochs=1)) == 0


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("trainers.finetuning.run.load_task", "the same command goes on from its last checkpoint"),
        ("trainers.finetune.leave", "holds the finished model"),
    ],
)
def test_a_run_that_is_stopped_says_what_is_left(
    world: World,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    at: str,
    said: str,
) -> None:
    """By Ctrl-C, before the training or when all is written."""
    monkeypatch.setattr(at, lambda *given: os.kill(os.getpid(), signal.SIGINT))

    assert main(world.options(tmp_path / "out", num_train_epochs=1)) == 130

    assert capsys.readouterr().err.endswith(f"{said}\n")


def test_what_decides_nothing_of_the_result_may_be_other(world: World, tmp_path: Path) -> None:
    """What is told, handed on or kept, and where."""
    breaks = {"learning_rate": 1e30, "warmup_steps": 0}
    other = {"ddp_timeout": 99, "project": "x", "logging_steps": 3}
    other |= {"dataloader_prefetch_factor": 4, "dataloader_num_workers": 1, "processes": 1}
    other |= {"dataloader_persistent_workers": True}
    records = []
    for options in ({}, other, {"learning_rate": 2e30}):
        assert main(world.options(tmp_path, **{**breaks, **options})) == 2
        records.append((tmp_path / "checkpoints" / "made_of.json").read_text())

    assert records[0] == records[1] != records[2]


def test_a_checkpoint_needs_the_state_of_every_process(tmp_path: Path) -> None:
    """The second process was killed before it had written its own."""
    place = checkpoint(tmp_path, 5, processes=2)
    (place / "rng_state_1.pth").unlink()

    assert open_checkpoints(tmp_path, MADE_OF, 2) is None


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ("run.json", "holds a finished model; name another folder"),
        ("notes.txt", "is not empty, and no run that could be gone on with"),
        ("checkpoints/checkpoint-best", "is of no run"),
    ],
)
def test_a_folder_of_something_else_is_left_alone(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], there: str, said: str
) -> None:
    """What is in it stays."""
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).write_text("mine")

    assert main(world.options(tmp_path)) == 2
    assert said in capsys.readouterr().err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / there]


def test_a_folder_in_use_is_refused(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """While another run holds it; afterwards it is free."""
    with FileLock(tmp_path / ".lock"):
        assert main(world.options(tmp_path)) == 2
    assert "another run is training there" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "checkpoints", ignore_errors=True)
    assert main(world.options(tmp_path, num_train_epochs=1)) == 0
