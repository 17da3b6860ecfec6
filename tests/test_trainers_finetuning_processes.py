"""Two processes: launched for real, they train what one trains, and only the first writes."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from training_world import N_TEST, World, make_world, metrics, same_weights, weights

from trainers.finetune import main
from trainers.run_folder import read_run

BIN = Path(sys.executable).parent
TORCHRUN = [str(BIN / "torchrun"), "--nproc_per_node", "2", "--standalone"]
ACCELERATE = [
    *(str(BIN / "accelerate"), "launch", "--multi_gpu", "--num_processes", "2"),
    *("--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"),
]
OPTIONS: dict[str, object] = {"validation": 0.25, "curve_steps": 8}

MOST_WRITTEN = 16_384
"""Bytes of a file of the second process at most: the state of its random numbers has 14,143."""

TRACED = """
import json, os, resource, sys
from pathlib import Path

if os.environ["RANK"] == "1":
    sys.dont_write_bytecode = True  # it would be cut, and kept
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
opened = []

def told(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and isinstance(arguments[2], int):
        if arguments[2] & (os.O_WRONLY | os.O_RDWR):
            opened.append(arguments[0])
    if event in ("os.mkdir", "os.rename"):
        opened.append(str(arguments[0]))

sys.addaudithook(told)
from trainers.finetune import main
from trainers.finetuning.processes import end
code = main(sys.argv[3:])
rank = os.environ["RANK"]
report = {"world": int(os.environ["WORLD_SIZE"]), "written": opened}
Path(sys.argv[1], rank + ".json").write_text(json.dumps(report))
end(code)
"""
"""Runs the entry, and notes every file that this process writes.

What is written past Python, as safetensors are, is not noted; so the second process may write no
larger file than it has to.
"""

KILLED = """
import os, signal, sys
from trainers.finetune import main
from trainers.finetuning.processes import end
from trainers.finetuning.weighted_trainer import WeightedTrainer

step = WeightedTrainer.training_step

def step_or_end(self, *given, **named):
    if os.environ["RANK"] == "1" and self.state.global_step == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, *given, **named)

WeightedTrainer.training_step = step_or_end
end(main(sys.argv[2:]))
"""
"""Runs the entry; the second process is killed when so many steps are done."""


@dataclass(frozen=True)
class Ran:
    """The same run in one process and in two.

    Attributes:
        one: Its folder.
        two: Its folder.
        reports: What each of the two processes noted.
        printed: What the two printed on standard output.
    """

    one: Path
    two: Path
    reports: list[dict[str, object]]
    printed: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Make a world."""
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def ran(world: World, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Train in this process, and in two that torchrun starts, each with half a batch."""
    folder = tmp_path_factory.mktemp("ran")
    one, two = folder / "one", folder / "two"
    assert main(world.options(one, **OPTIONS)) == 0
    script = folder / "traced.py"
    script.write_text(TRACED)
    words = world.options(two, **OPTIONS, processes=2)
    done = launched([*TORCHRUN, str(script), str(folder), str(MOST_WRITTEN), *words])
    assert done.returncode == 0, done.stderr
    reports = [json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1)]
    return Ran(one, two, reports, done.stdout)


def apart(first: Path, second: Path) -> float:
    """Return the largest difference of a weight, but for the biases of keys (see below)."""
    one, two = weights(first), weights(second)
    assert one.keys() == two.keys()
    return max(
        float(abs(one[name] - two[name]).max()) for name in one if not name.endswith("key.bias")
    )


def launched(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command with gloo's processes on this machine."""
    given = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(command, capture_output=True, text=True, env=given, check=False)


@pytest.mark.slow
def test_two_processes_were_two(ran: Ran) -> None:
    """As each of them says, and as the record says; the summary is printed once."""
    assert [report["world"] for report in ran.reports] == [2, 2]
    assert read_run(ran.two).settings["processes"] == 2
    assert ran.printed.count("to publish it") == 1


@pytest.mark.slow
def test_two_processes_train_what_one_trains(ran: Ran) -> None:
    """Every weight to 1e-5 after 20 steps: only the order of the same sums differs.

    But for the biases of the keys: they change no output, so that their gradient is nothing but
    rounding, and Adam scales it up. The encoder has no dropout, which each process draws by itself.
    """
    assert apart(ran.one, ran.two) < 1e-5


@pytest.mark.slow
def test_gathered_scores_are_those_of_one_process(ran: Ran) -> None:
    """Of all 203 test texts and 12 validation texts, none twice, though 203 is odd."""
    one, two = metrics(ran.one), metrics(ran.two)

    assert two["tests"][0]["n"] == N_TEST
    assert two["tests"] == one["tests"]
    assert two["curve"] == one["curve"]
    assert (two["steps"], two["best_step"]) == (one["steps"], one["best_step"])
    for name, score in one["validation"].items():
        assert two["validation"][name] == pytest.approx(score, abs=1e-5)


@pytest.mark.slow
def test_only_the_first_process_writes(ran: Ran) -> None:
    """But for the state of its own random numbers, which the second keeps in each checkpoint."""
    first, second = (report["written"] for report in ran.reports)
    assert isinstance(first, list) and isinstance(second, list)
    inside = str(ran.two)

    assert any(path.startswith(inside) for path in first)
    names = {Path(path).name for path in second if path.startswith(inside)}
    assert names <= {"rng_state_1.pth", *(f"checkpoint-{step}" for step in (5, 10, 15, 20))}
    assert (ran.two / "model.safetensors").stat().st_size > MOST_WRITTEN


@pytest.mark.slow
def test_two_processes_that_were_killed_end_as_if_nothing_had_been(
    world: World, ran: Ran, tmp_path: Path
) -> None:
    """The second is killed after 13 steps, and the launcher ends the first; both go on from 10.

    If the first notices before it is ended, it says so in one line.
    """
    out, script = tmp_path / "out", tmp_path / "killed.py"
    script.write_text(KILLED)
    words = world.options(out, **OPTIONS, processes=2)

    killed = launched([*TORCHRUN, str(script), "13", *words])
    assert killed.returncode != 0
    assert "by peer" not in killed.stderr
    assert killed.stderr.count("trainers.finetune: another process ended") <= 1
    assert not (out / "run.json").exists()
    again = launched([*TORCHRUN, "-m", "trainers.finetune", *words])

    assert again.returncode == 0, again.stderr
    assert again.stderr.count("goes on from step 10") == 1
    assert same_weights(out, ran.two)
    assert metrics(out) == metrics(ran.two)


@pytest.mark.slow
def test_two_processes_have_the_checkers_of_one(world: World, tmp_path: Path) -> None:
    """IMP: both checkers are trained by both processes, and weigh the texts as those of one do.

    The quality checker takes 100 steps of its own, in which rounding adds up: 1e-3, while texts
    that all weigh the same give other weights by far.
    """
    one, two, plain = tmp_path / "one", tmp_path / "two", tmp_path / "plain"
    options: dict[str, object] = {"loss": "imp", "checker_per_label": 5, "num_train_epochs": 2}
    assert main(world.options(one, **options)) == 0
    assert main(world.options(plain, num_train_epochs=2)) == 0

    words = world.options(two, **options, processes=2)
    done = launched([*TORCHRUN, "-m", "trainers.finetune", *words])

    assert done.returncode == 0, done.stderr
    assert metrics(two)["tests"] == metrics(one)["tests"]
    assert read_run(two).settings["checker_size"] == 10
    assert apart(two, one) < 1e-3
    assert apart(plain, one) > 1e-2


@pytest.mark.slow
def test_accelerate_launch_starts_two(world: World, ran: Ran, tmp_path: Path) -> None:
    """With the line of the documentation; the model is that of torchrun, bit by bit."""
    words = world.options(tmp_path / "out", **OPTIONS, processes=2)
    command = [*ACCELERATE, "-m", "trainers.finetune", *words]

    done = launched(command, ACCELERATE_USE_CPU="true")

    assert done.returncode == 0, done.stderr
    assert read_run(tmp_path / "out").settings["processes"] == 2
    for name, values in weights(ran.two).items():
        np.testing.assert_array_equal(weights(tmp_path / "out")[name], values)


@pytest.mark.slow
def test_a_launch_that_silently_starts_one_process_is_noticed(world: World, tmp_path: Path) -> None:
    """`accelerate launch --cpu --num_processes 2` does; the line says what to launch instead."""
    words = world.options(tmp_path / "out", processes=2)
    launch = [str(BIN / "accelerate"), "launch", "--cpu", "--num_processes", "2"]
    done = launched([*launch, "--num_machines", "1", "-m", "trainers.finetune", *words])

    assert done.returncode != 0
    assert "this runs as 1 process, not the 2 asked for; launch it with torchrun" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_fewer_texts_than_processes_are_refused(world: World, tmp_path: Path) -> None:
    """In one line, whatever the number of processes; nothing is left but what was started."""
    few = {"train": ["real:1-per-label"], "batch_size": 1, "processes": 2}
    words = world.options(tmp_path / "out", **few)

    done = launched([*TORCHRUN, "-m", "trainers.finetune", *words])

    assert done.returncode != 0
    assert done.stderr.count("trainers.finetune: batch_size: 1 is less than the 2 processes") == 1
    assert not (tmp_path / "out" / "run.json").exists()


@pytest.mark.slow
def test_what_the_system_refuses_the_first_process_is_said_once(
    world: World, tmp_path: Path
) -> None:
    """In one line that names the file; the other process does not wait for it in vain."""
    (tmp_path / "out" / "recipe.yaml").mkdir(parents=True)
    words = world.options(tmp_path / "out", processes=2)

    done = launched([*TORCHRUN, "-m", "trainers.finetune", *words])

    assert done.returncode != 0
    assert done.stderr.count("trainers.finetune: ") == 1, done.stderr
    assert "out/recipe.yaml: Is a directory; see to it and start again" in done.stderr
    assert "gloo" not in done.stderr


@pytest.mark.parametrize(
    ("processes", "said", "code"),
    [
        (2, "[../gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:1", 2),
        (2, "[../gloo/transport/tcp/pair.cc:542] Read error: Connection reset by peer", 2),
        (2, "ncclRemoteError: remote process exited or there was a network error", 2),
        (2, "CUDA error: out of memory", None),
        (1, "[../gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:1", None),
    ],
)
def test_a_process_that_is_waited_for_in_vain_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    processes: int,
    said: str,
    code: int | None,
) -> None:
    """What gloo and NCCL say of it; all else is raised as it is."""

    def lost(*given: object) -> None:
        raise RuntimeError(said)

    monkeypatch.setenv("WORLD_SIZE", str(processes))
    monkeypatch.setattr("trainers.finetuning.run.run", lost)
    words = ["--task=sms_spam", "--output_dir=out"]
    if code is None:
        with pytest.raises(RuntimeError):
            main(words)
        return

    assert main(words) == code
    assert capsys.readouterr().err == (
        "trainers.finetune: another process ended; the same command goes on from its last "
        "checkpoint\n"
    )


ENDING = """
import atexit, sys, threading, time
from trainers.finetuning.processes import end

class Held:
    def __del__(self):
        print("taken down")

held = Held()
atexit.register(print, "registered")
threading.Thread(target=lambda: (time.sleep(0.2), print("thread"))).start()
end(3)
"""


@pytest.mark.parametrize(
    ("processes", "printed"),
    [(1, ["thread", "registered", "taken down"]), (2, ["thread", "registered"])],
)
def test_one_of_several_processes_ends_before_python_is_taken_down(
    processes: int, printed: list[str]
) -> None:
    """Threads of gloo would abort it; other threads and what is registered are waited for."""
    env = {**os.environ, "WORLD_SIZE": str(processes)}

    done = subprocess.run(
        [sys.executable, "-c", ENDING], capture_output=True, text=True, env=env, check=False
    )

    assert (done.returncode, done.stdout.split("\n")[:-1]) == (3, printed)
    assert done.stderr == ""
