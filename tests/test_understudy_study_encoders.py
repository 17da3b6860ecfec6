"""Studies with several encoders, a recipe and curves: end to end, killed, and on many processes."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from tiny_encoder import save_tiny_encoder

from evaluation.records import RunRecord
from understudy.cli import main
from understudy.encoder_folders import encoder_folders
from understudy.reporting import read_study
from understudy.workers import environment

ARMS = ("real", "real_full", "zero_shot", "few_shot")
ENCODERS = ("tiny-bert", "tiny-roberta")
BIN = Path(sys.executable).parent
LAUNCHERS = {
    "torchrun": ["torchrun", "--nproc_per_node", "2", "--standalone"],
    "accelerate": [
        *("accelerate", "launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"),
        *("--mixed_precision", "no", "--dynamo_backend", "no"),
    ],
}

KILLED = """
import os, signal, sys

number, folder, seen = int(sys.argv[1]), sys.argv[2], 0

def count(event, arguments):
    global seen
    if event == "os.rename" and str(arguments[1]).startswith(folder):
        seen += 1
        if seen == 2:
            os.kill(os.getpid(), number)

sys.addaudithook(count)
if __name__ == "__main__":
    from understudy.cli import main
    sys.exit(main(sys.argv[3:]))
"""
"""Runs a command that a signal strikes when it has written its second file in a folder."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two tiny encoders and a recipe for them."""
    folder = tmp_path_factory.mktemp("home")
    for name in ENCODERS:
        save_tiny_encoder(folder / name, name.removeprefix("tiny-"))
    options = {"num_train_epochs": 2, "batch_size": 8, "learning_rate": 0.02}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(options))
    return folder


def study(world: Path, home: Path, out: Path, *more: str) -> list[str]:
    """Return a study of fine-tuning with both encoders, all main arms, one seed, and curves."""
    chosen = ",".join(str(home / name) for name in ENCODERS)
    data = ["--tasks", str(world / "own.yaml"), "--real", str(world / "real"), "--per-label", "8"]
    how = ["--preset", "paper", "--recipe", str(home / "recipe.yaml"), "--curve-steps", "3"]
    source = ["--llm", f"recording:{world / 'recording'}"]
    words = ["study", *data, *how, *source, "--encoder", chosen, "--seeds", "1"]
    return [*words, "--out", str(out), *more]


@pytest.fixture(scope="module")
def finished(little_world: Path, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished study."""
    out = tmp_path_factory.mktemp("finished") / "out"
    assert main(study(little_world, home, out)) == 0
    return out


def done(folder: Path) -> list[RunRecord]:
    """Return the finished runs of one encoder's study."""
    return [run for run in read_study(folder).runs if run.status == "done"]


def rows(folder: Path) -> list[dict[str, object]]:
    """Return the lines of `runs.jsonl` without their seconds, sorted by what was run."""
    lines = [json.loads(line) for line in (folder / "runs.jsonl").read_text().splitlines()]
    without = [{k: v for k, v in line.items() if k != "seconds"} for line in lines]
    return sorted(without, key=lambda line: str(line["arm"]))


def launched(command: Sequence[str], **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in processes of its own."""
    given = {**os.environ, "OMP_NUM_THREADS": "1", **more}
    path = str(Path(__file__).parents[1])
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**given, "PYTHONPATH": path},
        timeout=800,
        check=False,
    )


@pytest.mark.slow
def test_each_encoder_has_a_study_of_its_own(finished: Path) -> None:
    """A folder each: every arm once, no run of another encoder, and a report."""
    assert encoder_folders(finished) == tuple(finished / name for name in ENCODERS)
    for name in ENCODERS:
        folder = finished / name
        assert [run.arm for run in done(folder)] == list(ARMS)
        assert {Path(run.encoder).name for run in done(folder)} == {name}
        assert (folder / "report" / "report.html").is_file()
    keys = [{run.key for run in done(finished / name)} for name in ENCODERS]
    assert not keys[0] & keys[1]


@pytest.mark.slow
def test_encoders_are_trained_on_the_same_texts(finished: Path) -> None:
    """So that what differs between them is the encoder."""
    one, two = (done(finished / name) for name in ENCODERS)

    assert [(r.train_hash, r.test_hash) for r in one] == [(r.train_hash, r.test_hash) for r in two]


@pytest.mark.slow
def test_a_recipe_is_in_the_plan_and_in_each_record(finished: Path) -> None:
    """In full: what it says, and what it leaves open."""
    plan = json.loads((finished / ENCODERS[0] / "study.json").read_text())["settings"]
    own = {"epochs": 2, "batch_size": 8, "learning_rate": 0.02, "weight_decay": 0.01}

    assert {name: plan[name] for name in own} == own
    for run in done(finished / ENCODERS[0]):
        assert {name: run.settings[name] for name in own} == own


@pytest.mark.slow
def test_a_page_sets_the_encoders_side_by_side(finished: Path) -> None:
    """Columns of each, none mixed; the numbers are those of its own report."""
    page = (finished / "report" / "report.md").read_text()

    for name in ENCODERS:
        assert f"{name}/report/report.html (4 finished runs)" in page
        assert f"{name}: " in page
        run = next(each for each in done(finished / name) if each.arm == "zero_shot")
        assert run.macro_f1 is not None
        assert f"{100 * run.macro_f1:.1f}" in page
    assert "cannot be compared" not in page
    assert (finished / "report" / "report.html").read_text().count("<table") >= 3


@pytest.mark.slow
def test_every_run_has_a_training_curve(finished: Path) -> None:
    """Macro-F1 every three steps and after the last one, where it is that of the run."""
    for name in ENCODERS:
        for run in done(finished / name):
            steps = [step for step, _ in run.curve]
            # Two passes of 16 texts (real_full: 40) in batches of 8.
            last = 10 if run.arm == "real_full" else 4
            assert steps == sorted({*range(3, last + 1, 3), last})
            assert run.curve[-1][1] == run.macro_f1
        page = (finished / name / "report" / "report.md").read_text()
        assert "every 3 steps and at the end" in page
        assert (finished / name / "report" / "figures" / "training.svg").is_file()


@pytest.mark.slow
def test_a_finished_study_is_found(
    finished: Path, little_world: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same command does nothing; its dry run says so; its report can be written again."""
    assert main(study(little_world, home, finished)) == 0
    assert "0 runs done, 8 were there" in capsys.readouterr().out

    assert main(study(little_world, home, finished, "--dry-run")) == 0
    assert "8 runs, of which 8 are there already" in capsys.readouterr().out

    assert main(["report", str(finished)]) == 0
    printed = capsys.readouterr().out
    assert printed.index("tiny-bert") < printed.index("tiny-roberta")


@pytest.mark.slow
def test_an_encoder_more_joins_the_others(
    finished: Path,
    little_world: Path,
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By itself, too: it gets a folder beside them, and they stay as they are."""
    out, more = tmp_path / "out", tmp_path / "third"
    shutil.copytree(finished, out)
    shutil.copytree(home / "tiny-bert", more)
    before = rows(out / "tiny-bert")

    assert main(study(little_world, home, out, "--encoder", str(more), "--arms", "real")) == 0

    assert [run.arm for run in done(out / "third")] == ["real"]
    assert rows(out / "tiny-bert") == before
    assert "third/report/report.html (1 finished run)" in (out / "report/report.md").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--curve-steps", "4"], "curve-steps is 3 there and 4 here"),
        (["--trainer", "probe", "--preset", "paper"], "--recipe"),
    ],
)
def test_other_settings_are_refused_before_any_work(
    finished: Path,
    little_world: Path,
    home: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    said: str,
) -> None:
    """In one line; nothing is added."""
    before = rows(finished / "tiny-bert")

    assert main(study(little_world, home, finished, *more)) == 2

    assert said in capsys.readouterr().err
    assert rows(finished / "tiny-bert") == before


def test_a_folder_of_one_encoder_takes_no_other(
    little_world: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor a folder of something else: nothing is written there."""
    one = ["--preset", "paper", "--encoder", "minilm", "--trainer", "probe", "--arms", "real"]
    data = ["--tasks", str(little_world / "own.yaml"), "--real", str(little_world / "real")]
    llm = ["--llm", f"recording:{little_world / 'recording'}", "--per-label", "8"]
    words = ["study", *data, *llm, *one, "--seeds", "1", "--out", str(tmp_path / "one")]
    assert main(words) == 0

    assert main([*words, "--encoder", f"minilm,{home / 'tiny-bert'}"]) == 2
    assert "holds the study of one encoder (minilm)" in capsys.readouterr().err

    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    other = ["--encoder", f"minilm,{home / 'tiny-bert'}", "--out", str(tmp_path / "other")]
    assert main([*words, *other]) == 2
    assert "holds something else beside studies (notes.txt)" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["notes.txt"]


@pytest.mark.slow
def test_a_study_that_is_killed_goes_on(
    finished: Path, little_world: Path, home: Path, tmp_path: Path
) -> None:
    """Killed in the middle of the second encoder: the first stays, and all ends the same."""
    out = tmp_path / "out"
    place = str(out / "tiny-roberta" / "predictions")
    words = study(little_world, home, out)

    killed = launched([sys.executable, "-c", KILLED, str(int(signal.SIGKILL)), place, *words])

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(done(out / "tiny-bert")) == 4
    there = len(rows(out / "tiny-roberta"))
    assert there < 4
    assert main(words) == 0
    for name in ENCODERS:
        assert rows(out / name) == rows(finished / name)
    page = Path("report/report.md")
    assert (out / page).read_text() == (finished / page).read_text()


# Several processes


@pytest.mark.slow
def test_two_processes_give_what_one_gives(
    finished: Path, little_world: Path, home: Path, tmp_path: Path
) -> None:
    """Each run is trained by one of them: scores, curves and keys are the same, bit by bit."""
    out, name = tmp_path / "out", ENCODERS[1]
    words = study(little_world, home, out, "--processes", "2", "--encoder", str(home / name))

    ran = launched([sys.executable, "-m", "understudy", *words])

    assert (ran.returncode, ran.stderr) == (0, "")
    assert rows(out) == rows(finished / name)


@pytest.mark.slow
def test_two_processes_that_cannot_train_say_why(
    little_world: Path, home: Path, tmp_path: Path
) -> None:
    """What a run meets in another process is one line, as in this one; the others are ended."""
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("learning_rate: 1.0e+30\nnum_train_epochs: 3\n")
    more = ["--processes", "2", "--recipe", str(recipe)]

    ran = launched(
        [sys.executable, "-m", "understudy", *study(little_world, home, tmp_path / "out", *more)]
    )

    assert ran.returncode == 2
    (line,) = ran.stderr.strip().splitlines()
    assert line.startswith("understudy: ")
    assert "loss" in line


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)]
)
def test_no_process_outlives_the_first(
    little_world: Path, home: Path, tmp_path: Path, number: int, code: int
) -> None:
    """Killed or stopped while two train: what was finished is there, and nobody trains on."""
    out, mark = tmp_path / "out", uuid.uuid4().hex
    words = study(little_world, home, out, "--processes", "2", "--encoder", str(home / ENCODERS[0]))
    strike = [str(int(number)), str(out / "predictions"), *words]

    struck = launched([sys.executable, "-c", KILLED, *strike], MARKED_BY_A_TEST=mark)

    assert struck.returncode == code, struck.stderr
    assert len(rows(out)) < 4
    deadline = time.monotonic() + 300
    while marked(mark) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert marked(mark) == []


def marked(mark: str) -> list[str]:
    """Return the processes that have a mark in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark.encode() in path.read_bytes():
                found.append(path.parent.name)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_launcher_is_refused_in_one_line(
    launcher: str, little_world: Path, home: Path, tmp_path: Path
) -> None:
    """Two processes of gloo: one of them says what to do instead, and nothing is written."""
    program, *options = LAUNCHERS[launcher]
    words = study(little_world, home, tmp_path / "out")

    ran = launched(
        [str(BIN / program), *options, "-m", "understudy", *words], ACCELERATE_USE_CPU="true"
    )

    assert ran.returncode != 0
    lines = [line for line in ran.stderr.splitlines() if line.startswith("understudy: ")]
    assert len(lines) == 1
    assert "this is one of 2 processes: start a study as one" in lines[0]
    assert "--processes N shares its runs among N" in lines[0]
    assert not (tmp_path / "out").exists()


def test_each_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its number, or by the name that this process was given it under; more take turns."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert [environment(i, 3, 2)["CUDA_VISIBLE_DEVICES"] for i in range(3)] == ["0", "1", "0"]

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b")
    assert [environment(i, 2, 2)["CUDA_VISIBLE_DEVICES"] for i in range(2)] == ["GPU-a", "GPU-b"]

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "CUDA_VISIBLE_DEVICES" not in environment(0, 2, 0)


def test_processes_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has at least one thread; what the user says of threads stands."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    cores = len(os.sched_getaffinity(0))
    assert environment(0, 1, 0)["OMP_NUM_THREADS"] == str(cores)
    assert environment(0, 1000, 0)["OMP_NUM_THREADS"] == "1"

    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert environment(0, 2, 0)["OMP_NUM_THREADS"] == "3"
