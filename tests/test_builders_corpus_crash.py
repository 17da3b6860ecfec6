"""A corpus whose writing ends early: killed at any step, on a full disk, in a read-only folder.

Run as a program, this file is the process that the tests kill: it forks a copy of itself for each
line that it reads, and that copy writes a corpus and ends itself before its n-th change of a file.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet
import pytest
import yaml

from builders.composition import Composition, Order, compose
from builders.corpus import check_folder, read_corpus, read_records, write_corpus
from builders.llms.recording import Recording
from builders.tasks import load_task
from understudy.cli import main as understudy

TASK = load_task("reddit_emotion")
OLD, NEW = 11, 13
"""Texts a label of the corpora that replace one another."""


def composed(per_label: int) -> Composition:
    """Compose a corpus of so many texts a label."""
    return compose(TASK, Order("zero_shot", per_label), Recording())


def end_before_step(step: int, folder: str) -> None:
    """End this process with SIGKILL just before its `step`-th change of a file in `folder`.

    Changes of what only its working folder holds do not count: nobody else sees them.
    """
    steps = [0]
    changes = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree")

    def seen(event: str, arguments: tuple[object, ...]) -> bool:
        writes = event == "open" and int(str(arguments[2])) & (os.O_CREAT | os.O_WRONLY | os.O_RDWR)
        places = [str(each) for each in arguments[:2] if str(each).startswith(folder)]
        return bool(writes or event in changes) and any("/.building/" not in p for p in places)

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if (event == "open" or event in changes) and seen(event, arguments):
            steps[0] += 1
            if steps[0] == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def serve() -> None:
    """Read [step, texts a label, folder] and answer with how the copy of this process ended."""
    import datasets

    from builders.synthetic_corpus import SyntheticCorpus

    assert datasets.__name__ and SyntheticCorpus.__name__  # loaded once, for all copies
    compositions = {n: composed(n) for n in (OLD, NEW)}
    for line in sys.stdin:
        step, texts, folder = json.loads(line)
        child = os.fork()
        if not child:
            end_before_step(step, folder)
            write_corpus(compositions[texts], Path(folder))
            os._exit(0)
        sys.stdout.write(f"{os.waitpid(child, 0)[1]}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
    sys.exit()


class Writer:
    """A process that writes corpora and dies on the way."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def write(self, texts: int, folder: Path, step: int) -> bool:
        """Write a corpus; say whether the process was killed before its `step`-th change."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([step, texts, str(folder)]) + "\n")
        self._process.stdin.flush()
        ended = int(self._process.stdout.readline())
        assert ended in (0, signal.SIGKILL)
        return ended == signal.SIGKILL

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@pytest.fixture(scope="module")
def writer() -> Iterator[Writer]:
    """Start the process that is to be killed; it loads its libraries once."""
    process = Writer()
    yield process
    process.close()


def loaded(folder: Path) -> int:
    """Return the texts a label that the card leads to, as `load_dataset` finds them."""
    card = (folder / "README.md").read_text(encoding="utf-8")
    (config,) = yaml.safe_load(card.split("---\n")[1])["configs"]
    (path,) = folder.glob(config["data_files"][0]["path"])
    labels: list[int] = pyarrow.parquet.read_table(path).column("label").to_pylist()
    assert labels.count(0) == labels.count(1)
    assert f"Asked for: {labels.count(0)} accepted texts" in card
    return labels.count(0)


def left_over(folder: Path) -> set[str]:
    """Return the files that belong to no corpus."""
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    record = read_records(folder)[0]
    whole = {
        "README.md",
        "zero_shot/corpus.json",
        f"zero_shot/{record.files}-00000-of-00001.parquet",
    }
    assert whole <= names
    return names - whole - {".lock"}


def test_a_kill_at_any_step_leaves_the_old_corpus_or_the_new_one(
    writer: Writer, tmp_path: Path
) -> None:
    """Before every single change of a file: card and texts belong together and are whole."""
    folder = tmp_path / "out"
    write_corpus(composed(OLD), folder)
    there, step = OLD, 0
    outcomes = set()
    while True:
        step += 1
        other = NEW if there == OLD else OLD
        killed = writer.write(other, folder, step)
        after = loaded(folder)
        assert after in (OLD, NEW)
        check_folder(folder, TASK, "zero_shot")
        outcomes.add(after == other)
        there = after
        if not killed:
            break

    assert step > 6
    assert outcomes == {True, False}
    assert left_over(folder) == set()
    assert len(read_corpus(folder, "zero_shot", TASK.label_names)) == 2 * there


def test_a_first_build_that_was_killed_is_mended_by_the_next(
    writer: Writer, tmp_path: Path
) -> None:
    """Whatever it left is no obstacle, and is gone afterwards."""
    step = 0
    killed = True
    while killed:
        step += 1
        folder = tmp_path / str(step)
        killed = writer.write(OLD, folder, step)

        check_folder(folder, TASK, "zero_shot")
        assert not writer.write(NEW, folder, 0)

        assert loaded(folder) == NEW
        assert left_over(folder) == set()
    assert step > 6


# ---- Disks that are full or may not be written ----------------------------------------------


@contextmanager
def mounted(place: Path, size: str) -> Iterator[None]:
    """Mount a small disk in memory; skip where this user may not."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    if (
        not shutil.which("mount")
        or subprocess.run(command, capture_output=True, check=False).returncode
    ):
        pytest.skip("needs the right to mount a file system in memory")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


BUILD = ["build", "reddit_emotion", "--per-label", "20"]


def test_a_full_disk_is_one_line_and_leaves_the_old_corpus(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every byte that is free is taken first; exit code 2, and nothing half-written."""
    disk = tmp_path / "disk"
    with mounted(disk, "400k"):
        write_corpus(composed(OLD), disk / "out")
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        (disk / "filler").write_bytes(bytes(free - 8192))
        before = {path: path.read_bytes() for path in (disk / "out").rglob("*") if path.is_file()}

        code = understudy([*BUILD, "--out", str(disk / "out")])

        after = {path: path.read_bytes() for path in (disk / "out").rglob("*") if path.is_file()}
    error = capsys.readouterr().err
    assert code == 2
    assert error.count("\n") == 1
    assert str(disk / "out") in error
    assert "the disk is full" in error
    assert after == before


def test_a_full_disk_leaves_no_new_folder_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder of a first build that could not be written is gone again, with its parents."""
    disk = tmp_path / "disk"
    with mounted(disk, "24k"):
        code = understudy([*BUILD, "--per-label", "200", "--out", str(disk / "a" / "b")])

        assert code == 2
        assert list(disk.iterdir()) == []
    assert "the disk is full" in capsys.readouterr().err


def test_a_file_that_may_not_grow_is_one_line(tmp_path: Path) -> None:
    """A limit on the size of files ends a build like a full disk does, without a traceback."""
    code = (
        "import resource, sys; from understudy.cli import main;"
        "from builders.synthetic_corpus import SyntheticCorpus;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000));"
        f"sys.exit(main({[*BUILD, '--out', str(tmp_path / 'out')]!r}))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"{tmp_path / 'out'}: the file may not grow further" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_may_not_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A read-only disk is named with the remedy; what is there stays."""
    disk = tmp_path / "disk"
    with mounted(disk, "400k"):
        write_corpus(composed(OLD), disk / "out")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)

        code = understudy([*BUILD, "--out", str(disk / "out")])

        assert loaded(disk / "out") == OLD
    error = capsys.readouterr().err
    assert code == 2
    assert error.count("\n") == 1
    assert "name a folder that can be written" in error


def test_a_folder_without_the_right_to_write_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder of someone else is named with the remedy."""
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o555)

    assert understudy([*BUILD, "--out", str(tmp_path / "out")]) == 2
    assert "name a folder that can be written" in capsys.readouterr().err
