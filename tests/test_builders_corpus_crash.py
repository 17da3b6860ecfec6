"""A corpus whose writing ends early: killed at any step, on a full disk, in a read-only folder.

Run as a program, this file is the process that the tests kill: it forks a copy of itself for each
line that it reads, and that copy writes a corpus and ends itself before its n-th change of a file.
"""

import contextlib
import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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


def files(folder: Path) -> dict[str, bytes]:
    """Return the content of every file below a folder."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def building(out: Path, *options: str) -> tuple[int, str]:
    """Run `understudy build`; return its exit code and what it wrote to standard error."""
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        code = understudy(["build", TASK.name, "--out", str(out), *options])
    return code, errors.getvalue()


def fill_disks(place: Path) -> Iterator[tuple[str, Any]]:
    """Build on disks that are full, full from the start, read-only, and with small files only."""
    for name, size in (("full", "400k"), ("tiny", "24k"), ("read-only", "400k")):
        disk = place / name
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "x", str(disk)], check=True)
        if name == "tiny":
            code, error = building(disk / "a" / "b")
            yield name, [code, error, not list(disk.iterdir())]
            continue
        write_corpus(composed(OLD), disk / "out")
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        (disk / "filler").write_bytes(bytes(free - 8192))
        before = files(disk / "out")
        if name == "read-only":
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        code, error = building(disk / "out")
        yield name, [code, error, files(disk / "out") == before]


def limit_files(place: Path) -> Iterator[tuple[str, Any]]:
    """Build where no file may be longer than 3,000 bytes."""
    from builders.synthetic_corpus import SyntheticCorpus

    assert SyntheticCorpus.__name__  # loaded before: byte code that is written now would be cut
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, hard))
    code, error = building(place / "limited")
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    yield "limited", [code, error, not (place / "limited").exists()]


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve"]:
            serve()
        case ["limit", folder]:
            sys.stdout.write(json.dumps(dict(limit_files(Path(folder)))))
        case ["disks", folder]:
            outcomes = dict([*fill_disks(Path(folder)), *limit_files(Path(folder))])
            sys.stdout.write(json.dumps(outcomes))
    sys.exit()


PROGRAM = (sys.executable, __file__)
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}


class Writer:
    """A process that writes corpora and dies on the way."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [*PROGRAM, "serve"],
            env=ENVIRONMENT,
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


@pytest.fixture(scope="module")
def disks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Build on small disks in memory, which only a process of its own can see.

    Where this user may not mount any, only the limit on files is tried.
    """
    place = str(tmp_path_factory.mktemp("disks"))
    mode, prefix = "limit", list[str]()
    for unshare in (["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"]):
        if not shutil.which("unshare"):
            break
        mounting = [*unshare, "mount", "-t", "tmpfs", "x", place]
        if not subprocess.run(mounting, capture_output=True, check=False).returncode:
            mode, prefix = "disks", unshare
            break
    command = [*prefix, *PROGRAM, mode, place]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    outcomes: dict[str, Any] = json.loads(done.stdout)
    return outcomes


@pytest.mark.parametrize(
    ("disk", "remedy"),
    [
        ("full", "/full/out: the disk is full"),
        ("tiny", "/tiny/a/b: the disk is full"),
        ("read-only", "/read-only/out: the file system is read-only"),
        ("limited", "/limited: the file may not grow further here"),
    ],
)
def test_a_disk_that_cannot_take_the_corpus_is_one_line(
    disk: str, remedy: str, disks: dict[str, Any]
) -> None:
    """Exit code 2, the folder and the remedy; the old corpus stays, a new folder is gone again."""
    if disk not in disks:
        pytest.skip("needs the right to mount a file system in memory")

    code, error, nothing_half_written = disks[disk]

    assert code == 2
    assert error.count("\n") == 1
    assert remedy in error
    assert nothing_half_written


def test_a_folder_without_the_right_to_write_is_one_line(tmp_path: Path) -> None:
    """A folder of someone else is named with the remedy."""
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o555)

    code, error = building(tmp_path / "out")

    assert code == 2
    assert "name a folder that can be written" in error
