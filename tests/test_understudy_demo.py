"""The demo: without a network, a key or real texts; and with real texts of one's own."""

import contextlib
import csv
import io
import os
import random
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from builders.errors import NotAtHand, UserError
from builders.tasks import load_task
from evaluation.records import RunRecord
from understudy.cli import main, make_parser
from understudy.commands.demo import TASKS, without_real
from understudy.reporting import read_study

GUARD = """
import os, sys

def guard(event, arguments):
    if event == "socket.getaddrinfo" or (event == "socket.connect" and type(arguments[1]) is tuple):
        with open(os.environ["ATTEMPTS"], "a") as file:
            file.write(f"{event} {arguments[1:]}\\n")

sys.addaudithook(guard)
"""

WORDS = [
    "river",
    "clock",
    "paper",
    "stone",
    "music",
    "window",
    "bread",
    "letter",
    "garden",
    "winter",
    "metal",
    "cloud",
]


def write_real(folder: Path, tasks: Sequence[str] = TASKS, n_test: int = 20) -> Path:
    """Write made-up real texts: 6 training texts of each label, `n_test` test texts in all.

    A fifth of the test texts has the last label; the others share the rest.
    """
    folder.mkdir(parents=True)
    for name in tasks:
        labels = load_task(name).label_names
        test = [labels[-1]] * (n_test // 5)
        test += [labels[i % (len(labels) - 1)] for i in range(n_test - len(test))]
        train = [label for label in labels for _ in range(6)]
        for split, given in (("train", train), ("test", test)):
            draw = random.Random(f"{name}/{split}")
            with (folder / f"{name}.{split}.csv").open("w", newline="") as file:
                rows = csv.writer(file)
                rows.writerow(["text", "label"])
                for label in given:
                    said = " ".join(draw.sample(WORDS, 6))
                    rows.writerow([f"{said} {label} {draw.randrange(10**6)}", label])
    return folder


@dataclass(frozen=True)
class Demo:
    """A demo that ended.

    Attributes:
        out: Its folder.
        code: Its exit code.
        printed: What it printed on standard output.
        errors: What it printed on standard error.
    """

    out: Path
    code: int
    printed: str
    errors: str

    @property
    def runs(self) -> tuple[RunRecord, ...]:
        """The runs of its report."""
        return read_study(self.out).runs

    @property
    def report(self) -> str:
        """Its report in Markdown."""
        return (self.out / "report" / "report.md").read_text()


def run_here(*arguments: str | Path) -> Demo:
    """Run the demo in this process, in which no connection leaves the machine."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["demo", *map(str, arguments)])
    folder = Path(arguments[list(arguments).index("--out") + 1])
    return Demo(folder, code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Demo, Path]:
    """Run the demo as a newcomer does, with neither network nor caches; return its empty home too.

    The network is cut off where the system allows that; every attempt to reach it is written down.
    """
    home = tmp_path_factory.mktemp("home")
    (home / "site").mkdir()
    (home / "site" / "sitecustomize.py").write_text(GUARD)
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HF_", "UNDERSTUDY", "XDG", "OPENAI", "TOKENIZERS"))
    }
    environment = {
        **plain,
        "HOME": str(home),
        "HF_HOME": str(home / "huggingface"),
        "ATTEMPTS": str(home / "attempts"),
        "PYTHONPATH": str(home / "site"),
        "UNDERSTUDY_CACHE": os.environ["UNDERSTUDY_CACHE"],  # shared with the demo on real texts
    }
    cut = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*cut, "true"], check=False).returncode:
        cut = []
    result = subprocess.run(
        [*cut, sys.executable, "-m", "understudy", "demo"],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    demo = Demo(home / "understudy-demo", result.returncode, result.stdout, result.stderr)
    return demo, home


@pytest.fixture(scope="module")
def on_real(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """Run the demo on made-up real texts, of which one task has 1,200 test texts."""
    folder = tmp_path_factory.mktemp("real")
    real = write_real(folder / "texts", TASKS[1:])
    for path in write_real(folder / "many", TASKS[:1], n_test=1200).iterdir():
        path.rename(real / path.name)
    return run_here("--real", real, "--out", folder / "out")


@pytest.mark.slow
def test_the_demo_needs_nothing(alone: tuple[Demo, Path]) -> None:
    """Without network, key, cache or real texts it ends well, and quietly."""
    demo, _ = alone

    assert (demo.code, demo.errors) == (0, "")


@pytest.mark.slow
def test_the_demo_never_reaches_for_the_network(alone: tuple[Demo, Path]) -> None:
    """Unasked, no connection is tried, and nothing is put into the cache of the Hub."""
    _, home = alone

    assert not (home / "attempts").exists()
    assert not (home / "huggingface").exists()
    assert not (home / ".cache" / "huggingface").exists()


@pytest.mark.slow
def test_the_demo_trains_on_one_strategy_and_tests_on_the_other(alone: tuple[Demo, Path]) -> None:
    """Three tasks, two strategies, three seeds; nothing is scored as if on real texts."""
    runs = alone[0].runs

    assert len(runs) == 18
    assert {(run.arm, run.evaluated_on) for run in runs} == {
        ("zero_shot", "few_shot"),
        ("few_shot", "zero_shot"),
    }
    assert {run.status for run in runs} == {"done"}


@pytest.mark.slow
def test_scores_without_real_texts_are_called_agreement(alone: tuple[Demo, Path]) -> None:
    """Terminal and report head the scores `agreement between corpora` and know no gap."""
    demo, _ = alone
    page = (demo.out / "report" / "report.html").read_text()

    for text in (demo.printed, demo.report, page):
        assert "agreement between corpora" in text.lower()
        assert "gap" not in text.lower().split()
        assert "verdict" not in text.lower()


@pytest.mark.slow
def test_scores_without_real_texts_are_no_test_and_this_is_said(alone: tuple[Demo, Path]) -> None:
    """In plain words, before the scores, in the terminal and in the report."""
    demo, _ = alone

    assert "NO TEST ON REAL DATA" in demo.printed
    assert demo.printed.index("NO TEST ON REAL DATA") < demo.printed.index("macro-F1")
    assert demo.report.index("This is no test on real data") < demo.report.index("## Scores")


@pytest.mark.slow
def test_the_demo_ends_with_the_report_and_three_commands(alone: tuple[Demo, Path]) -> None:
    """The report is there, and each of the three commands is one that the command line takes."""
    demo, home = alone

    lines = demo.printed.splitlines()
    assert lines[-6] == "report: understudy-demo/report/report.html"
    assert (home / lines[-6].removeprefix("report: ")).is_file()
    assert lines[-4] == "Go on with:"
    for line in lines[-3:]:
        program, *arguments = shlex.split(line.split("   ")[0])
        assert program == "understudy"
        assert make_parser().parse_args(arguments).run


@pytest.mark.slow
def test_a_second_demo_finds_everything_done(
    alone: tuple[Demo, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the same folder nothing is trained or embedded again, and the report is the same."""
    monkeypatch.delenv("UNDERSTUDY_DATA", raising=False)
    before = alone[0].report

    again = run_here("--out", alone[0].out)

    assert again.code == 0
    assert "0 runs done, 18 were there; 0 texts embedded" in again.printed
    assert again.report == before


@pytest.mark.slow
def test_a_demo_on_real_texts_wants_a_folder_of_its_own(
    alone: tuple[Demo, Path], tmp_path: Path
) -> None:
    """What a newcomer does next, the same with real texts, says in plain words what to do."""
    demo, _ = alone
    before = demo.report

    result = run_here("--real", write_real(tmp_path / "real"), "--out", demo.out)

    assert result.code == 2
    assert result.errors == (
        f"understudy: --out {demo.out}: holds a demo or study on other texts; give this one a "
        f"folder of its own (--out {demo.out}-2) or delete that one first\n"
    )
    assert demo.report == before


@pytest.mark.slow
def test_a_demo_on_real_texts_is_a_test(on_real: Demo) -> None:
    """With real texts three arms are scored on them, and the table has gaps."""
    assert (on_real.code, on_real.errors) == (0, "")
    assert {run.arm for run in on_real.runs} == {"real", "zero_shot", "few_shot"}
    assert {run.evaluated_on for run in on_real.runs} == {"real"}
    assert "gap zero_shot" in " ".join(on_real.printed.split())
    assert "NO TEST" not in on_real.printed
    assert "agreement" not in on_real.printed


@pytest.mark.slow
def test_a_demo_tests_on_at_most_1000_texts(on_real: Demo) -> None:
    """Of 1,200 test texts 1,000 are taken, of 20 all."""
    sizes = {run.task: run.n_test for run in on_real.runs}

    assert sizes == {"sms_spam": 1000, "tweet_emotion": 20, "humor": 20}


@pytest.mark.slow
def test_the_capped_test_keeps_the_shares_of_the_labels(on_real: Demo) -> None:
    """A fifth of the 1,200 texts is spam, and so is a fifth of the 1,000: 200."""
    import numpy as np

    run = next(run for run in on_real.runs if run.task == "sms_spam")
    with np.load(on_real.out / run.predictions) as stored:
        labels = stored["labels"]

    assert np.bincount(labels).tolist() == [800, 200]


def test_the_demo_names_the_tasks_without_real_texts(tmp_path: Path) -> None:
    """Of a folder with one task's texts the two other tasks are lacking."""
    real = write_real(tmp_path / "real", TASKS[:1])

    lacking = without_real(tuple(load_task(name) for name in TASKS), str(real))

    assert lacking == ["tweet_emotion", "humor"]


def test_the_demo_finds_real_texts_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`UNDERSTUDY_DATA` gives real texts unasked; without it there are none, and no error."""
    own = tuple(load_task(name) for name in TASKS)
    write_real(tmp_path / "real")
    monkeypatch.setenv("UNDERSTUDY_DATA", str(tmp_path))
    assert without_real(own, None) == []

    monkeypatch.delenv("UNDERSTUDY_DATA")

    assert without_real(own, None) == list(TASKS)


def test_a_folder_that_is_named_has_to_hold_something(tmp_path: Path) -> None:
    """A folder without any of the tasks' texts is refused with the names of the files."""
    own = tuple(load_task(name) for name in TASKS)

    with pytest.raises(NotAtHand, match=r"sms_spam\.train\.csv"):
        without_real(own, str(tmp_path))


def test_wrong_real_texts_are_an_error_and_no_reason_to_go_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts that are there but wrong are never passed over in silence."""
    own = tuple(load_task(name) for name in TASKS)
    real = write_real(tmp_path / "real")
    (real / "humor.test.csv").write_text("text,label\nA joke.,hilarious\n")
    monkeypatch.setenv("UNDERSTUDY_DATA", str(tmp_path))

    with pytest.raises(UserError, match="hilarious"):
        without_real(own, None)
