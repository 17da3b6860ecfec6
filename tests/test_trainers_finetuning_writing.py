"""A disk that is full: one line, wherever a file ends, and the same command goes on."""

import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from training_world import LABELS, World, made_up, make_world

from builders.data import LabelledTexts
from builders.errors import UserError
from trainers.encoders import load_encoder
from trainers.finetune import Finetune, FinetuneSettings, main
from trainers.finetuning.writing import writing
from trainers.run_folder import read_run


@contextmanager
def file_size_limit(n_bytes: int) -> Iterator[None]:
    """Let no file grow over so many bytes, as on a disk without room for more."""
    old, kept = resource.getrlimit(resource.RLIMIT_FSIZE), sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # it would be cut, and kept
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        sys.dont_write_bytecode = kept


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Make a world."""
    return make_world(tmp_path_factory.mktemp("world"))


def write_tensor(path: Path) -> None:
    """Write as a model is."""
    save_file({"weight": torch.zeros(9999)}, path)


def write_state(path: Path) -> None:
    """Write as the state of an optimiser is."""
    torch.save({"weight": torch.zeros(9999)}, path)


def write_text(path: Path) -> None:
    """Write as a log is."""
    path.write_text("a" * 39_999)


@pytest.mark.parametrize("write", [write_tensor, write_state, write_text])
@pytest.mark.parametrize("room", [0, 100, 30_000])
def test_a_file_that_does_not_fit_is_one_line(
    tmp_path: Path, write: Callable[[Path], None], room: int
) -> None:
    """Whichever library writes it, and wherever it ends."""
    with (
        pytest.raises(UserError, match=r"^\S+: cannot be written \([^\n]+\); free space"),
        file_size_limit(room),
        writing(tmp_path),
    ):
        write(tmp_path / "file")


def read_cut_state(path: Path) -> Any:
    """Read half a file."""
    write_state(path)
    path.write_bytes(path.read_bytes()[:20_000])
    return torch.load(path)


def read_cut_tensor(path: Path) -> Any:
    """Read half a file."""
    write_tensor(path)
    path.write_bytes(path.read_bytes()[:20_000])
    return load_file(path)


def reach_nothing(path: Path) -> None:
    """Be told of a network."""
    raise ConnectionResetError(104, "Connection reset by peer")


@pytest.mark.parametrize("do", [read_cut_state, read_cut_tensor, reach_nothing])
def test_what_else_fails_is_no_full_disk(tmp_path: Path, do: Callable[[Path], Any]) -> None:
    """It is raised as it is."""
    with pytest.raises(Exception, match=r"^(?!.*cannot be written)"), writing(tmp_path):
        do(tmp_path / "file")


@pytest.mark.parametrize("room", [100, 1000, 3000, 30_000])
def test_a_run_on_a_full_disk_is_one_line_and_goes_on(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], room: int
) -> None:
    """At the record of what is trained, a checkpoint's weights, or its optimiser's state."""
    words = world.options(tmp_path / "out", num_train_epochs=1)
    with file_size_limit(room):
        assert main(words) == 2
    (line,) = [e for e in capsys.readouterr().err.splitlines() if "[transformers]" not in e]
    assert line.startswith("trainers.finetune: ")
    assert "cannot be written (" in line
    assert not list(tmp_path.rglob("*.part"))

    assert main(words) == 0
    assert read_run(tmp_path / "out").settings["steps"] == 6


def test_a_model_that_does_not_fit_is_one_line(world: World, tmp_path: Path) -> None:
    """As `understudy train` saves it."""
    trainer = Finetune(load_encoder(str(world.encoder)), FinetuneSettings(epochs=1))
    texts = [text for label in LABELS for text in made_up(label, "train", 8)]
    ids = tuple(map(str, range(16)))
    train = LabelledTexts(tuple(texts), (0,) * 8 + (1,) * 8, tuple(LABELS), ids)
    with (
        pytest.raises(UserError, match=f"{tmp_path / 'out'}: cannot be written"),
        file_size_limit(3000),
    ):
        trainer.run_and_save(train, train, 0, tmp_path / "out")
