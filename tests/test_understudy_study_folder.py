"""A study on disk: whole lines, one writer, no folder of something else."""

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builders.errors import UserError
from evaluation.records import MeasureRecord, RunRecord
from understudy.settings import StudySettings
from understudy.study_folder import StudyFolder

RUN = RunRecord(
    key="k1",
    status="done",
    task="own",
    arm="real",
    encoder="minilm",
    trainer="probe",
    seed=0,
    n_per_label={"grün/blau": 3},
    macro_f1=0.5,
    versions={"torch": "2"},
    settings={"epochs": 3, "pooling": "mean"},
)
MEASURE = MeasureRecord("m1", "own", "real", "chamfer", 0.25, 20)


def plan(**settings: Any) -> dict[str, Any]:
    """Return the plan of a study of one task with one run."""
    lists: dict[str, list[Any]] = {k: [] for k in ("corpora", "labellings", "measures", "findings")}
    task = {"facts": {"task": "own"}, "runs": [["real", 0, "k1"]], **lists}
    return {
        "settings": {**StudySettings().as_dict(), **settings},
        "tasks": {"own": task},
    }


def refusal(folder: Path, **settings: Any) -> str:
    """Return the line with which a folder is refused for a study with these settings."""
    with pytest.raises(UserError) as refused:
        StudyFolder(folder).check({**StudySettings().as_dict(), **settings})
    line = str(refused.value)
    assert "\n" not in line
    return line


@contextmanager
def file_size_limit(n_bytes: int) -> Iterator[None]:
    """Let no file grow beyond `n_bytes`, as a full disk would not."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)  # it would be cut, and kept
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, old[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, old)


# Records


def test_a_run_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """Every field survives, letters of any script included."""
    folder = StudyFolder(tmp_path)
    folder.add_run(RUN)

    assert folder.runs() == {"k1": RUN}


def test_a_measure_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """Measures have a file of their own."""
    folder = StudyFolder(tmp_path)
    folder.add_measure(MEASURE)

    assert folder.measures() == {"m1": MEASURE}
    assert folder.runs() == {}


def test_each_run_is_one_json_line(tmp_path: Path) -> None:
    """Anything that reads JSON lines reads the runs."""
    folder = StudyFolder(tmp_path)
    folder.add_run(RUN)
    folder.add_run(replace(RUN, key="k2", reason="two\nlines\u2028and more"))

    lines = (tmp_path / "runs.jsonl").read_bytes().split(b"\n")
    assert [json.loads(line)["key"] for line in lines[:-1]] == ["k1", "k2"]
    assert lines[-1] == b""


def test_of_two_lines_with_one_key_the_later_counts(tmp_path: Path) -> None:
    """A skipped run whose reason changed is written again; the newest holds."""
    folder = StudyFolder(tmp_path)
    folder.add_run(replace(RUN, reason="first"))
    folder.add_run(replace(RUN, reason="second"))

    assert folder.runs()["k1"].reason == "second"


def test_a_torn_last_line_is_not_read(tmp_path: Path) -> None:
    """Half a line at the end is as good as none; a report can be made of the rest."""
    folder = StudyFolder(tmp_path)
    folder.add_run(RUN)
    with (tmp_path / "runs.jsonl").open("a") as file:
        file.write('{"key": "k2", "sta')

    assert list(folder.runs()) == ["k1"]


def test_mending_drops_a_torn_last_line_and_nothing_else(tmp_path: Path) -> None:
    """What a kill tore is gone from both files; the next record begins on a line of its own."""
    folder = StudyFolder(tmp_path)
    folder.add_run(RUN)
    folder.add_measure(MEASURE)
    whole = (tmp_path / "runs.jsonl").read_bytes()
    for name in ("runs.jsonl", "measures.jsonl"):
        with (tmp_path / name).open("a") as file:
            file.write('{"key": "gr\u00fc')

    folder.mend()
    folder.add_run(replace(RUN, key="k2"))

    assert (tmp_path / "runs.jsonl").read_bytes().startswith(whole)
    assert list(folder.runs()) == ["k1", "k2"]
    assert list(folder.measures()) == ["m1"]


def test_mending_a_file_of_nothing_but_a_torn_line_empties_it(tmp_path: Path) -> None:
    """The first line may be the torn one."""
    (tmp_path / "runs.jsonl").write_text('{"key"')

    StudyFolder(tmp_path).mend()

    assert (tmp_path / "runs.jsonl").read_bytes() == b""


@pytest.mark.parametrize("line", [b"{", b"null", b"[]", b'{"key": "k2"}', b"\xff\xfe", b""])
def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path, line: bytes) -> None:
    """No kill leaves a damaged line before others: the error names file, line and remedy."""
    folder = StudyFolder(tmp_path)
    folder.add_run(RUN)
    with (tmp_path / "runs.jsonl").open("ab") as file:
        file.write(line + b"\n")
    folder.add_run(replace(RUN, key="k3"))

    with pytest.raises(UserError, match=r"runs\.jsonl, line 2: .*remove the line") as refused:
        folder.runs()

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("room", [0, 1, 100])
def test_a_full_disk_leaves_no_half_line(tmp_path: Path, room: int) -> None:
    """A line that does not fit is an error and is not there in part."""
    folder = StudyFolder(tmp_path)
    folder.add_run(RUN)
    before = (tmp_path / "runs.jsonl").read_bytes()

    with file_size_limit(len(before) + room), pytest.raises(OSError, match="File too large"):
        folder.add_run(replace(RUN, key="k2"))

    assert (tmp_path / "runs.jsonl").read_bytes() == before


# Predictions and the plan


def test_predictions_are_read_back(tmp_path: Path) -> None:
    """The returned place is relative to the study and holds both arrays."""
    labels, predictions = np.array([0, 1, 2]), np.array([2, 1, 0])

    place = StudyFolder(tmp_path).write_predictions("k1", labels, predictions)

    with np.load(tmp_path / place) as stored:
        np.testing.assert_array_equal(stored["labels"], labels)
        np.testing.assert_array_equal(stored["predictions"], predictions)


def test_a_full_disk_keeps_the_plan_that_was_there(tmp_path: Path) -> None:
    """A plan is replaced whole or not at all, and no temporary file stays."""
    folder = StudyFolder(tmp_path)
    folder.write_plan(plan())

    with file_size_limit(10), pytest.raises(OSError, match="File too large"):
        folder.write_plan(plan(per_label=5))

    assert folder.plan() == plan()
    assert [path.name for path in tmp_path.iterdir()] == ["study.json"]


def test_a_folder_without_a_plan_has_none(tmp_path: Path) -> None:
    """A folder that is empty, or not there, has no plan."""
    assert StudyFolder(tmp_path).plan() is None
    assert StudyFolder(tmp_path / "none").plan() is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"settings": {}}',
        '{"settings": [], "tasks": {}}',
        '{"settings": {}, "tasks": {"own": {}}}',
        json.dumps(plan()).replace('["real", 0, "k1"]', "[1, 2]"),
        json.dumps(plan()).replace('["real", 0, "k1"]', '["real", "0", "k1"]'),
        json.dumps(plan()).replace('"measures"', '"measured"'),
        "\udcff",
    ],
)
def test_a_damaged_plan_is_one_line(tmp_path: Path, content: str) -> None:
    """The line names the file and what to do."""
    (tmp_path / "study.json").write_text(content, errors="surrogateescape")

    assert f"{tmp_path / 'study.json'}: is no plan of a study" in refusal(tmp_path)


# Whose folder


def test_a_new_and_an_empty_folder_are_fine(tmp_path: Path) -> None:
    """Neither is refused; hidden files do not count; nothing is written by the check."""
    StudyFolder(tmp_path / "new").check(StudySettings().as_dict())
    (tmp_path / ".hidden").touch()
    StudyFolder(tmp_path).check(StudySettings().as_dict())

    assert [path.name for path in tmp_path.iterdir()] == [".hidden"]


def test_a_file_is_refused(tmp_path: Path) -> None:
    """A study is a folder."""
    (tmp_path / "file").touch()

    assert refusal(tmp_path / "file") == f"--out {tmp_path / 'file'}: is a file; name a folder"


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    """The line names one thing that lies there."""
    (tmp_path / "thesis.tex").touch()

    assert "is not empty and holds no study (thesis.tex)" in refusal(tmp_path)


def test_a_folder_of_the_same_study_is_taken(tmp_path: Path) -> None:
    """Equal settings are the same study; tasks, arms and seeds may differ."""
    folder = StudyFolder(tmp_path)
    folder.write_plan(plan(per_label=20))

    folder.check(StudySettings(per_label=20).as_dict())


@pytest.mark.parametrize(
    ("setting", "here", "said"),
    [
        ("per_label", 10, "per-label is not given there and 10 here"),
        ("encoder", "other/model", "encoder is 'minilm' there and 'other/model' here"),
        ("trainer", "finetune", "trainer is 'probe' there and 'finetune' here"),
        ("pooling", "first", "pooling is 'mean' there and 'first' here"),
        ("corpus_seed", 1, "corpus-seed is 0 there and 1 here"),
        ("llm", "recording:x", "llm is 'recording' there and 'recording:x' here"),
        ("real", "data", "real is not given there and 'data' here"),
    ],
)
def test_a_folder_of_another_study_is_refused(
    tmp_path: Path, setting: str, here: str | int, said: str
) -> None:
    """The line names the first setting that differs, with both values."""
    StudyFolder(tmp_path).write_plan(plan())

    assert f"holds another study ({said})" in refusal(tmp_path, **{setting: here})


def test_a_setting_that_is_left_out_has_its_default(tmp_path: Path) -> None:
    """A plan from before there was a setting is taken with its default alone, and none is lost."""
    folder = StudyFolder(tmp_path)
    old = StudySettings(trainer="finetune").as_dict()
    for name in ("votes", "loss", "max_length", "curve_steps"):
        del old[name]
    folder.write_plan({**plan(), "settings": old})

    folder.check(StudySettings(trainer="finetune").as_dict())

    given = {**old, "pass_size": 4}
    folder.write_plan({**plan(), "settings": given})
    with pytest.raises(UserError, match="pass-size is 4 there and not given here"):
        folder.check(StudySettings(trainer="finetune").as_dict())
    folder.write_plan({**plan(), "settings": old})
    with pytest.raises(UserError, match="loss is 'cross_entropy' there and 'imp' here"):
        folder.check(StudySettings(trainer="finetune", loss="imp").as_dict())


def test_what_a_recording_was_not_asked_decides_nothing(tmp_path: Path) -> None:
    """An older plan names numbers that were ignored; those of a live LLM count."""
    folder = StudyFolder(tmp_path)
    folder.write_plan(plan(labelled=30, classified=200))
    folder.check(StudySettings().as_dict())

    live = StudySettings(llm="openai:m").as_dict()
    assert (live["labelled"], live["classified"]) == (400, 200)
    folder.write_plan(plan(**live))
    with pytest.raises(UserError, match="labelled is 400 there and 30 here"):
        folder.check(StudySettings(llm="openai:m", labelled=30).as_dict())


# One writer


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    """While one holds the folder, another is told to wait or to go elsewhere."""
    with (
        StudyFolder(tmp_path).locked(),
        pytest.raises(UserError, match="another study is writing there") as refused,
        StudyFolder(tmp_path).locked(),
    ):
        pass

    assert str(tmp_path) in str(refused.value)


def test_a_lock_is_given_back(tmp_path: Path) -> None:
    """After one writer the next one may write, after an error too."""
    folder = StudyFolder(tmp_path)
    with pytest.raises(RuntimeError), folder.locked():
        folder.add_run(RUN)
        raise RuntimeError
    with folder.locked():
        folder.add_run(replace(RUN, key="k2"))

    assert len(folder.runs()) == 2


def test_a_lock_goes_with_a_killed_process(tmp_path: Path) -> None:
    """What a process held that was killed is free at once."""
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from understudy.study_folder import StudyFolder\n"
        "with StudyFolder(Path(sys.argv[1])).locked(): os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)

    assert done.returncode == -9
    with StudyFolder(tmp_path).locked():
        pass


def test_a_folder_that_nothing_was_written_to_is_gone(tmp_path: Path) -> None:
    """A study that is refused after the lock leaves no trace, parents included."""
    with pytest.raises(UserError), StudyFolder(tmp_path / "a" / "b").locked():
        raise UserError("wrong data")

    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_of_the_user_stays(tmp_path: Path) -> None:
    """Only folders that were made here go; the lock file goes with them."""
    with pytest.raises(UserError), StudyFolder(tmp_path).locked():
        raise UserError("wrong data")

    assert list(tmp_path.iterdir()) == []


def test_a_folder_below_a_file_makes_nothing(tmp_path: Path) -> None:
    """A path that cannot be made is the system's error, and no part of it stays."""
    (tmp_path / "file").touch()

    with pytest.raises(NotADirectoryError), StudyFolder(tmp_path / "file" / "out").locked():
        pass

    assert [path.name for path in tmp_path.iterdir()] == ["file"]
