"""The command line: help, one line for each mistake, and studies that are stopped at any point.

Commands run in processes of their own. One server process loads the heavy libraries once, and forks
for each command: a signal meets a real process that runs the real command line.
"""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

import understudy.commands
from understudy.reporting import read_study
from understudy.study_folder import StudyFolder

SERVER = r"""
import json, os, resource, signal, sys
import datasets, matplotlib.pyplot, sentence_transformers, torch, transformers
import evaluation.report.figures, trainers.probe
from understudy.cli import main


def stop_at(signal_number, event, folder):
    "Send this process a signal at its `event`-th change of a file in `folder`."
    seen = 0

    def count(name, arguments):
        nonlocal seen
        if name not in ("open", "os.rename", "os.mkdir", "os.remove"):
            return
        if name == "open" and not set(arguments[1] or "") & set("wax+"):
            return
        if str(arguments[0]).startswith(folder):
            seen += 1
            if seen == event:
                os.kill(os.getpid(), signal_number)

    sys.addaudithook(count)


def child(order):
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(order["cwd"])
    os.environ.pop("UNDERSTUDY_DATA", None)
    os.environ.update(order["env"])
    if order["file_size"] is not None:
        sys.dont_write_bytecode = True  # it would be cut, and kept
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["file_size"],) * 2)
    if order["stop_at"]:
        stop_at(*order["stop_at"])
    try:
        code = main(order["args"])
    except SystemExit as left:
        code = left.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


for line in sys.stdin:
    pid = os.fork()
    if not pid:
        child(json.loads(line))
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@dataclass(frozen=True)
class Done:
    """What a command gave.

    Attributes:
        code: Its exit code; minus the number of the signal that killed it.
        out: Standard output.
        err: Standard error.
    """

    code: int
    out: str
    err: str


class Commands:
    """Runs commands, each in a process of its own.

    Args:
        folder: For what they print.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = subprocess.Popen(
            [sys.executable, "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"},
        )

    def run(
        self,
        *args: str | Path,
        cwd: Path,
        env: dict[str, str] | None = None,
        file_size: int | None = None,
        stop_at: tuple[int, int, Path] | None = None,
    ) -> Done:
        """Run a command in the folder `cwd`.

        Args:
            args: Its arguments.
            cwd: Its working folder.
            env: Further variables of its environment.
            file_size: Most bytes of a file that it writes.
            stop_at: Signal to send at the n-th change of a file in a folder.
        """
        out, err = self._folder / "out", self._folder / "err"
        order = {
            "args": [str(each) for each in args],
            "cwd": str(cwd),
            "env": env or {},
            "file_size": file_size,
            "stop_at": stop_at and (*stop_at[:2], str(stop_at[2])),
            "out": str(out),
            "err": str(err),
        }
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        code = int(self._server.stdout.readline())
        return Done(code, out.read_text(), err.read_text())

    def close(self) -> None:
        """End the server."""
        pipes: list[IO[str] | None] = [self._server.stdin, self._server.stdout]
        for pipe in pipes:
            if pipe is not None:
                pipe.close()
        self._server.wait(timeout=100)


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """Return what runs commands."""
    own = Commands(tmp_path_factory.mktemp("printed"))
    yield own
    own.close()


def study(world: Path, out: Path, *more: str, tasks: str = "own.yaml") -> list[str | Path]:
    """Return the arguments of a small study: two arms, one seed, 8 texts a label."""
    chosen = ",".join(str(world / name) for name in tasks.split(","))
    arguments = ["study", "--tasks", chosen, "--arms", "real,zero_shot", "--seeds", "1"]
    source = ["--llm", f"recording:{world / 'recording'}", "--real", str(world / "real")]
    return [*arguments, *source, "--per-label", "8", "--out", out, *more]


def rows(out: Path) -> list[dict[str, object]]:
    """Return the lines of `runs.jsonl` without their seconds."""
    lines = (out / "runs.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


@pytest.fixture(scope="module")
def finished(
    commands: Commands, little_world: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Done]:
    """Return the folder of a finished study, and what its command printed."""
    folder = tmp_path_factory.mktemp("study")
    result = commands.run(*study(little_world, folder / "out"), cwd=folder)
    assert (result.code, result.err) == (0, "")
    return folder / "out", result


def test_a_study_ends_with_the_table_and_the_report(finished: tuple[Path, Done]) -> None:
    """The table, the counts and the path of the report are the last lines."""
    out, result = finished

    last = result.out.splitlines()[-2:]
    assert last[0].startswith("2 runs done, 0 were there; ")
    assert last[1] == f"report: {out / 'report' / 'report.html'}"
    assert (out / "report" / "report.html").is_file()
    assert "gap zero" in " ".join(result.out.split())


def test_the_report_command_writes_the_same_report(
    commands: Commands, finished: tuple[Path, Done], tmp_path: Path
) -> None:
    """`understudy report OUT` needs nothing but the folder."""
    out = Path(shutil.copytree(finished[0], tmp_path / "out"))
    before = (out / "report" / "report.md").read_text()
    shutil.rmtree(out / "report")

    result = commands.run("report", out, cwd=tmp_path)

    assert (result.code, result.err) == (0, "")
    assert (out / "report" / "report.md").read_text() == before
    assert result.out.splitlines()[-1] == f"report: {out / 'report' / 'report.html'}"


def cut_short(path: Path) -> None:
    """Keep half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    "name",
    ["study.json", "predictions/{key}.npz", "runs.jsonl"],
    ids=["plan", "predictions", "runs"],
)
def test_the_report_of_a_damaged_study_is_one_line(
    commands: Commands, finished: tuple[Path, Done], tmp_path: Path, name: str
) -> None:
    """The line names the file that is damaged."""
    out = Path(shutil.copytree(finished[0], tmp_path / "out"))
    damaged = out / name.format(key=rows(out)[0]["key"])
    if name == "runs.jsonl":
        damaged.write_text("{}\n" + damaged.read_text())
    else:
        cut_short(damaged)

    assert str(damaged) in refused(commands, tmp_path, "report", out)


def test_the_report_of_an_unfinished_study_names_what_is_missing(
    commands: Commands, finished: tuple[Path, Done], tmp_path: Path
) -> None:
    """A study that was stopped has a report of what is finished; exit 0."""
    out = Path(shutil.copytree(finished[0], tmp_path / "out"))
    cut_short(out / "runs.jsonl")

    result = commands.run("report", out, cwd=tmp_path)

    assert (result.code, result.err) == (0, "")
    assert "zero_shot: not run yet (seed 0)" in result.out


# Help


@pytest.mark.parametrize("name", [command.NAME for command in understudy.commands.COMMANDS])
def test_every_command_has_help(commands: Commands, tmp_path: Path, name: str) -> None:
    """`--help` works and says what the command does, in the words of the list of commands."""
    result = commands.run(name, "--help", cwd=tmp_path)

    assert (result.code, result.err) == (0, "")
    (command,) = [each for each in understudy.commands.COMMANDS if name == each.NAME]
    assert " ".join(command.HELP.split()) in " ".join(result.out.split())
    assert "None" not in result.out
    assert "False" not in result.out


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("study", "(default: all)"),
        ("study", "(default: 3)"),
        ("study", "(default: minilm)"),
        ("study", "(default: runs/study)"),
        ("study", "(default: probe)"),
        ("build", "(default: zero_shot)"),
        ("build", "(default: corpora/TASK)"),
        ("build", "(default: recording)"),
        ("demo", "(default: understudy-demo)"),
    ],
)
def test_help_prints_defaults(commands: Commands, tmp_path: Path, name: str, default: str) -> None:
    """What an option is when it is left out stands beside it."""
    result = commands.run(name, "--help", cwd=tmp_path)

    assert default in " ".join(result.out.split())


def test_help_loads_no_heavy_library() -> None:
    """Help of every command is answered before torch, transformers or datasets are loaded."""
    code = (
        "import contextlib, sys\n"
        "from understudy.cli import main\n"
        "from understudy.commands import COMMANDS\n"
        "for args in ([], *([c.NAME] for c in COMMANDS)):\n"
        "    with contextlib.suppress(SystemExit): main([*args, '--help'])\n"
        "heavy = 'torch transformers datasets evaluate sentence_transformers pandas sklearn "
        "matplotlib numpy yaml'\n"
        "print([name for name in heavy.split() if name in sys.modules], file=sys.stderr)"
    )

    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert result.stderr.strip() == "[]"


def test_the_version_is_printed(commands: Commands, tmp_path: Path) -> None:
    """`--version` names the installed version."""
    from importlib.metadata import version

    result = commands.run("--version", cwd=tmp_path)

    assert result.out == f"understudy {version('understudy')}\n"


def test_tasks_are_listed(commands: Commands, tmp_path: Path) -> None:
    """`understudy tasks` names each shipped task with its labels."""
    result = commands.run("tasks", cwd=tmp_path)

    assert result.code == 0
    assert "sms_spam" in result.out
    assert "ham, spam" in result.out


def test_a_right_task_file_is_called_right(
    commands: Commands, little_world: Path, tmp_path: Path
) -> None:
    """`tasks check` names the task and its labels."""
    result = commands.run("tasks", "check", little_world / "own.yaml", cwd=tmp_path)

    assert (result.code, result.err) == (0, "")
    assert "task own with the labels tea/coffee, long walk" in result.out


def test_every_mistake_of_a_task_file_is_printed(
    commands: Commands, little_world: Path, tmp_path: Path
) -> None:
    """`tasks check` reports all mistakes at once and exits with 2."""
    text = (little_world / "own.yaml").read_text()
    wrong = text.replace("title: Own own\n", "").replace("[5, 40]", "[40, 5]")
    (tmp_path / "wrong.yaml").write_text(wrong)

    result = commands.run("tasks", "check", "wrong.yaml", cwd=tmp_path)

    assert result.code == 2
    assert "title" in result.out
    assert "length_words" in result.out
    assert result.out.splitlines()[-1] == "2 mistakes"


# Mistakes


def refused(commands: Commands, tmp_path: Path, *args: str | Path, **how: object) -> str:
    """Run a command in an empty folder; return its one line on standard error.

    Holds that it exits with 2, prints one line and no traceback, and leaves nothing behind.
    """
    cwd = tmp_path / "empty"
    cwd.mkdir()
    result = commands.run(*args, cwd=cwd, **how)  # type: ignore[arg-type] # passed on as they are
    assert "Traceback" not in result.err
    assert (result.code, len(result.err.splitlines())) == (2, 1), result
    assert list(cwd.iterdir()) == []
    return result.err


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("", "understudy: the following arguments are required: COMMAND"),
        ("trian", "invalid choice: 'trian'"),
        ("study --what", "unrecognized arguments: --what"),
        ("study --tasks sms_spma", "unknown task 'sms_spma': did you mean sms_spam?"),
        ("study --tasks sms_spam,sms_spam", "--tasks: 'sms_spam' stands twice"),
        ("study --tasks none.yaml", "none.yaml"),
        ("study --arms real,zeroshot", "unknown arm 'zeroshot'; did you mean zero_shot? use real,"),
        ("study --seeds 0", "--seeds 0: give how many (3) or which (0,4,7)"),
        ("study --seeds -2", "--seeds -2: give how many (3) or which (0,4,7)"),
        ("study --seeds 1,b", "--seeds 1,b: give how many (3) or which (0,4,7)"),
        ("study --trainer prob", "argument --trainer: invalid choice: 'prob'"),
        ("study --pooling max", "argument --pooling: invalid choice: 'max'"),
        ("study --trainer finetune --pooling first", "--pooling first: is of the probe"),
        ("study --per-label 0", "argument --per-label: '0' is not a whole number of at least 1"),
        ("study --per-label many", "'many' is not a whole number"),
        ("study --corpus-seed -1", "'-1' is not a whole number of at least 0"),
        ("study --tasks sms_spam --per-label 999", "has 200 answers for 'ham'"),
        ("study --tasks sms_spam --texts-per-request 7", "--texts-per-request 7"),
        ("study --tasks sms_spam --llm gpt", "--llm gpt: unknown"),
        ("study --tasks sms_spam --llm recording:nowhere", "no recording at nowhere"),
        ("study --tasks sms_spam --real nowhere", "--real nowhere: no such file or folder"),
        ("study --tasks sms_spam --encoder no/where", "--encoder no/where: no such folder"),
        ("study --tasks sms_spam --arms real", "nothing to run: "),
        ("build sms_spam --strategy few", "few"),
        ("build sms_spma", "unknown task 'sms_spma': did you mean sms_spam?"),
        ("build sms_spam --per-label 999", "has 200 answers for 'ham'"),
        ("build sms_spam --llm recording:nowhere", "no recording at nowhere"),
        ("report nowhere", "nowhere: holds no study"),
        ("demo --real a --hub", "--real and --hub exclude each other"),
        ("demo --real nowhere", "--real nowhere: no such file or folder"),
        ("demo --real .", "--real .: no data for sms_spam"),
        ("demo --hub", "HF_HUB_OFFLINE"),
    ],
)
def test_a_mistake_in_an_option_is_one_line(
    commands: Commands, tmp_path: Path, arguments: str, line: str
) -> None:
    """Exit 2, one line that names the option and what to do, nothing written."""
    assert line in refused(commands, tmp_path, *arguments.split())


def test_a_line_break_in_an_argument_stays_one_line(commands: Commands, tmp_path: Path) -> None:
    """What a user typed is quoted on one line, whatever is in it."""
    assert "--b c" in refused(commands, tmp_path, "study", "--b\nc")


@pytest.mark.parametrize(
    ("text", "said"),
    [("name: [own\n", "own.yaml"), ("- 1\n", "own.yaml"), ("", "own.yaml"), ("\x00", "own.yaml")],
)
def test_a_task_file_that_does_not_parse_is_one_line(
    commands: Commands, tmp_path: Path, text: str, said: str
) -> None:
    """The line names the file."""
    (tmp_path / "own.yaml").write_text(text)

    assert said in refused(commands, tmp_path, "study", "--tasks", tmp_path / "own.yaml")


@pytest.mark.parametrize(
    ("column", "name", "said"),
    [
        (0, "sentence", "no column 'text'; it has 'sentence', 'label': rename"),
        (1, "class", "no column 'label'; it has 'text', 'class': rename"),
    ],
)
def test_real_data_without_the_column_is_one_line(
    commands: Commands, little_world: Path, tmp_path: Path, column: int, name: str, said: str
) -> None:
    """The line names the column, those there are, and the file's folder."""
    world = Path(shutil.copytree(little_world, tmp_path / "world"))
    path = world / "real" / "own.train.csv"
    head, rest = path.read_text().split("\n", 1)
    names = head.strip().split(",")
    names[column] = name
    path.write_text(",".join(names) + "\n" + rest)

    assert said in refused(commands, tmp_path, *study(world, Path("out")))


def test_real_data_with_other_labels_is_one_line(
    commands: Commands, little_world: Path, tmp_path: Path
) -> None:
    """The line names the labels that the task does not have, and those that it has."""
    world = Path(shutil.copytree(little_world, tmp_path / "world"))
    path = world / "real" / "own.test.csv"
    path.write_text(path.read_text().replace("long walk", "Long walk"))

    line = refused(commands, tmp_path, *study(world, Path("out")))

    assert "does not have: 'Long walk'" in line
    assert "it has 'tea/coffee', 'long walk'" in line


def test_wrong_data_of_the_second_task_writes_nothing_of_the_first(
    commands: Commands, little_world: Path, tmp_path: Path
) -> None:
    """All data is looked at before anything is written."""
    world = Path(shutil.copytree(little_world, tmp_path / "world"))
    (world / "real" / "other.test.csv").write_text("")

    line = refused(commands, tmp_path, *study(world, Path("out"), tasks="own.yaml,other.yaml"))

    assert "other.test.csv" in line


def test_a_broken_encoder_is_one_line(
    commands: Commands, little_world: Path, tmp_path: Path
) -> None:
    """A folder that is no encoder is refused before any work."""
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "config.json").write_text('{"model_type": "bert"}')

    line = refused(
        commands,
        tmp_path,
        *study(little_world, Path("out"), "--encoder", str(tmp_path / "encoder")),
    )

    assert "no weights in" in line


# The output folder


def snapshot(folder: Path) -> list[tuple[Path, bytes]]:
    """Return what lies in a folder, but for the lock."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return sorted((path, path.read_bytes()) for path in files)


def test_a_folder_of_another_study_is_refused(
    commands: Commands, finished: tuple[Path, Done], little_world: Path, tmp_path: Path
) -> None:
    """Another `--per-label` is another study; the one that is there stays as it is."""
    out = Path(shutil.copytree(finished[0], tmp_path / "out"))
    before = snapshot(out)

    line = refused(commands, tmp_path, *study(little_world, out, "--per-label", "5"))

    assert "holds another study (per-label is 8 there and 5 here)" in line
    assert snapshot(out) == before


def test_a_folder_of_something_else_is_refused(
    commands: Commands, little_world: Path, tmp_path: Path
) -> None:
    """A folder with files that no study wrote is left alone."""
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("Introduction")
    before = snapshot(tmp_path / "thesis")

    line = refused(commands, tmp_path, *study(little_world, tmp_path / "thesis"))

    assert "holds no study (chapter.tex)" in line
    assert snapshot(tmp_path / "thesis") == before


def test_a_file_as_folder_is_refused(
    commands: Commands, little_world: Path, tmp_path: Path
) -> None:
    """A file, or a path through a file, is named."""
    (tmp_path / "file").touch()

    assert "file: is a file" in refused(commands, tmp_path, *study(little_world, tmp_path / "file"))
    (tmp_path / "empty").rmdir()
    line = refused(commands, tmp_path, *study(little_world, tmp_path / "file" / "out"))
    assert "a part of the path is a file" in line


def test_a_second_writer_is_refused(
    commands: Commands, finished: tuple[Path, Done], little_world: Path, tmp_path: Path
) -> None:
    """While one process writes to a study, another exits with 2."""
    out = Path(shutil.copytree(finished[0], tmp_path / "out"))

    with StudyFolder(out).locked():
        line = refused(commands, tmp_path, *study(little_world, out))

    assert "another study is writing there" in line


def test_a_cache_that_cannot_be_written_is_one_line(
    commands: Commands, little_world: Path, tmp_path: Path
) -> None:
    """The line names the folder and the variable to set; the study goes on afterwards."""
    (tmp_path / "file").touch()
    out = tmp_path / "out"

    line = refused(
        commands,
        tmp_path,
        *study(little_world, out),
        env={"UNDERSTUDY_CACHE": str(tmp_path / "file" / "cache")},
    )

    assert "cannot write the embedding cache" in line
    assert "UNDERSTUDY_CACHE" in line
    assert commands.run(*study(little_world, out), cwd=tmp_path).code == 0


@pytest.mark.parametrize("room", [400, 6000])
def test_a_full_disk_is_one_line_and_the_study_goes_on_later(
    commands: Commands,
    finished: tuple[Path, Done],
    little_world: Path,
    tmp_path: Path,
    room: int,
) -> None:
    """Wherever a file does not fit, one line says so, and the same command finishes the study."""
    out = tmp_path / "out"

    refused(commands, tmp_path, *study(little_world, out), file_size=room)

    assert commands.run(*study(little_world, out), cwd=tmp_path).code == 0
    assert rows(out) == rows(finished[0])


def in_a_mount(options: str, out: Path, *args: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a process for which `out` is a small file system of its own."""
    script = 'mount -t tmpfs -o "$1" none "$2" && shift 2 && exec "$@"'
    command = ["unshare", "-rm", "sh", "-c", script, "sh", options, str(out)]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount in a name space of its own")
    return subprocess.run(
        [*command, sys.executable, "-m", "understudy", *map(str, args)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.parametrize(
    ("options", "said"), [("ro", "the file system is read-only"), ("nr_inodes=1", "disk is full")]
)
def test_a_file_system_without_room_or_right_is_one_line(
    little_world: Path, tmp_path: Path, options: str, said: str
) -> None:
    """A read-only and a full file system are named as what they are."""
    result = in_a_mount(options, tmp_path, *study(little_world, tmp_path))

    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1), result
    assert said in result.stderr
    assert str(tmp_path) in result.stderr


def test_output_that_cannot_be_written_is_one_line() -> None:
    """A full disk behind standard output is no traceback."""
    if not Path("/dev/full").exists():
        pytest.skip("needs the device that is always full")
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "understudy", "tasks"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1), result
    assert "the disk is full" in result.stderr


def test_a_reader_that_leaves_is_no_error() -> None:
    """`understudy tasks | head -0` prints nothing on standard error."""
    reader, writer = os.pipe()
    os.close(reader)
    result = subprocess.run(
        [sys.executable, "-m", "understudy", "tasks"],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)

    assert (result.returncode, result.stderr) == (1, "")


# Stopped and gone on with


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_a_stopped_study_says_how_to_go_on(
    commands: Commands,
    finished: tuple[Path, Done],
    little_world: Path,
    tmp_path: Path,
    number: signal.Signals,
    code: int,
) -> None:
    """Ctrl-C and SIGTERM end with a line and the shell's exit code; the same command goes on."""
    out = tmp_path / "out"

    stopped = commands.run(
        *study(little_world, out), cwd=tmp_path, stop_at=(number, 6, out / "predictions")
    )

    assert stopped.code == code
    assert stopped.err.strip().splitlines() == [
        "understudy study: stopped; what is finished is kept, the same command goes on from there"
    ]
    assert rows(out) == rows(finished[0])[:1]
    assert commands.run(*study(little_world, out), cwd=tmp_path).code == 0
    assert rows(out) == rows(finished[0])


@pytest.mark.slow
def test_a_study_that_is_killed_again_and_again_ends_the_same(
    commands: Commands, finished: tuple[Path, Done], little_world: Path, tmp_path: Path
) -> None:
    """Killed at its first, second, third, ... change of a file, a study loses and doubles nothing.

    After each kill a report can be made of what is there, or there is no study yet.
    """
    out = tmp_path / "out"
    event, kills = 1, 0
    while True:
        result = commands.run(
            *study(little_world, out), cwd=tmp_path, stop_at=(signal.SIGKILL, event, out)
        )
        if result.code == 0:
            break
        assert result.code == -signal.SIGKILL, result
        kills += 1
        if (out / "study.json").exists():
            records = read_study(out)
            assert len(records.runs) + len(records.missing) == 2
        event += 1 + event // 3

    assert kills > 8
    assert rows(out) == rows(finished[0])
    assert {path.name for path in out.iterdir()} == {path.name for path in finished[0].iterdir()}


@pytest.mark.parametrize("event", [2, 7])
def test_a_kill_while_corpora_are_written_is_gone_on_with(
    commands: Commands,
    finished: tuple[Path, Done],
    little_world: Path,
    tmp_path: Path,
    event: int,
) -> None:
    """A folder that holds no more than the plan and a part of a corpus is still this study's."""
    out = tmp_path / "out"
    killed = commands.run(
        *study(little_world, out), cwd=tmp_path, stop_at=(signal.SIGKILL, event, out / "corpora")
    )
    assert killed.code == -signal.SIGKILL
    assert not (out / "runs.jsonl").exists()

    assert commands.run(*study(little_world, out), cwd=tmp_path).code == 0

    assert rows(out) == rows(finished[0])
    assert snapshot(out / "corpora") == [
        (out / path.relative_to(finished[0]), content)
        for path, content in snapshot(finished[0] / "corpora")
    ]


def test_changed_real_data_is_done_again(
    commands: Commands, little_world: Path, tmp_path: Path
) -> None:
    """Another test file under the same name: all runs are new, and the report shows only these."""
    world = Path(shutil.copytree(little_world, tmp_path / "world"))
    out = tmp_path / "out"
    arguments = study(world, out, "--arms", "zero_shot")
    assert commands.run(*arguments, cwd=tmp_path).code == 0
    with (world / "real" / "own.test.csv").open("a", newline="") as file:
        csv.writer(file).writerow(["Someone sold a kettle by the third harbour.", "tea/coffee"])

    result = commands.run(*arguments, cwd=tmp_path)

    assert "1 run done, 0 were there" in result.out
    assert len(rows(out)) == 2
    assert [run.n_test for run in read_study(out).runs] == [25]


def test_what_is_skipped_is_named_at_the_start(
    commands: Commands, little_world: Path, tmp_path: Path
) -> None:
    """A (task, arm) without data is named first, in `runs.jsonl` and in the report; exit 0."""
    out = tmp_path / "out"

    result = commands.run(
        *study(
            little_world,
            out,
            "--arms",
            "few_shot",
            tasks="own.yaml,other.yaml",
        ),
        cwd=tmp_path,
    )

    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("skipped: other few_shot: ")
    assert [row["status"] for row in rows(out)] == ["skipped", "done"]
    report = (out / "report" / "report.md").read_text()
    assert "other" in report
    assert "has no answers for it" in report
