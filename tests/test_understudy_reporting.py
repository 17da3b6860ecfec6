"""From a study's folder to its report: finished, unfinished, missing, damaged."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builders.errors import UserError
from builders.facts import CorpusRecord
from evaluation.records import MeasureRecord, RunRecord, TaskFacts
from evaluation.report import text_table, write_report
from understudy.reporting import read_study
from understudy.settings import StudySettings
from understudy.study_folder import StudyFolder

LABELS = ("tea/coffee", "long walk")
FACTS = TaskFacts("own", "Own", LABELS, None, "own files", 40, 4, {"maybe": 2}, 1, "real")
CORPUS = CorpusRecord(
    task="own",
    strategy="zero_shot",
    llm="a made-up LLM",
    requested_per_label=8,
    candidates=16,
    kept=dict.fromkeys(LABELS, 8),
    surplus=dict.fromkeys(LABELS, 0),
    rejected={label: {} for label in LABELS},
    failed_requests={},
    warnings={},
    statuses={"duplicate": "checked"},
    content_hash="c" * 64,
    path="corpora/own",
    caveats=("Made up.",),
)
MEASURE = MeasureRecord("m1", "own", "zero_shot", "chamfer", 0.25, 16, encoder="minilm")
ARMS = ("few_shot", "zero_shot", "real")


def record(arm: str, seed: int) -> RunRecord:
    """Return a finished run of an arm."""
    return RunRecord(
        key=f"{arm}-{seed}",
        status="done",
        task="own",
        arm=arm,
        encoder="minilm",
        trainer="probe",
        seed=seed,
        n_train=16,
        n_per_label=dict.fromkeys(LABELS, 8),
        n_test=4,
        macro_f1=0.75,
        accuracy=0.75,
        seconds=1.0,
        test_hash="t" * 64,
        predictions=f"predictions/{arm}-{seed}.npz",
    )


def plan_of(measures: tuple[str, ...] = ("m1",)) -> dict[str, Any]:
    """Return the plan of three arms with two seeds."""
    runs = [[arm, seed, f"{arm}-{seed}"] for arm in ARMS for seed in (0, 1)]
    task = {
        "facts": asdict(FACTS),
        "runs": runs,
        "corpora": [CORPUS.as_dict()],
        "labellings": [],
        "measures": list(measures),
        "findings": [],
    }
    return {"settings": StudySettings(per_label=8).as_dict(), "tasks": {"own": task}}


def add(out: Path, *records: RunRecord) -> None:
    """Add runs to a study, with predictions of which three of four are right."""
    folder = StudyFolder(out)
    for each in records:
        folder.write_predictions(each.key, np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]))
        folder.add_run(each)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return a study of which all runs but few_shot's second are finished."""
    folder = StudyFolder(tmp_path)
    folder.write_plan(plan_of())
    add(
        tmp_path,
        *(record(arm, seed) for arm in ARMS for seed in (0, 1) if (arm, seed) != (ARMS[0], 1)),
    )
    folder.add_measure(MEASURE)
    return tmp_path


def refusal(out: Path) -> str:
    """Return the line with which a folder is refused."""
    with pytest.raises(UserError) as refused:
        read_study(out)
    line = str(refused.value)
    assert "\n" not in line
    return line


def test_a_report_is_made_of_what_the_folder_holds(out: Path) -> None:
    """Settings, facts, corpora and measures are read back as they were."""
    records = read_study(out)

    assert records.settings["per_label"] == 8
    assert records.tasks == (FACTS,)
    assert records.corpora == (CORPUS,)
    assert records.measures == (MEASURE,)


def test_arms_stand_in_the_order_of_the_tables(out: Path) -> None:
    """Whatever their order in the plan."""
    assert read_study(out).arms == ("real", "zero_shot", "few_shot")


def test_an_unfinished_study_names_what_is_missing(out: Path) -> None:
    """Planned runs without a line are missing; the finished ones count."""
    records = read_study(out)

    assert records.missing == (("own", "few_shot", 1),)
    assert len(records.runs) == 5


def test_a_finished_study_misses_nothing(out: Path) -> None:
    """With its last run the study is whole."""
    add(out, record("few_shot", 1))

    assert read_study(out).missing == ()


def test_runs_that_are_not_planned_do_not_count(out: Path) -> None:
    """Runs of older data, or of an arm whose size changed, stay out of the report."""
    add(out, replace(record("real", 0), key="older", macro_f1=0.1))

    records = read_study(out)

    assert {run.key for run in records.runs} == {f"{arm}-{s}" for arm in ARMS for s in (0, 1)} - {
        "few_shot-1"
    }


def test_skipped_runs_are_reported_with_their_reason(out: Path) -> None:
    """A skipped run is neither missing nor done."""
    add(out, replace(record("few_shot", 1), status="skipped", reason="no answers"))

    records = read_study(out)

    assert records.missing == ()
    assert [run.reason for run in records.runs if run.status == "skipped"] == ["no answers"]
    assert "no answers" in text_table(records, out)


def test_a_figure_that_is_not_there_yet_is_left_out(out: Path) -> None:
    """A study that was stopped before it measured is reported all the same."""
    (out / "measures.jsonl").unlink()

    assert read_study(out).measures == ()


def test_a_torn_last_line_is_a_missing_run(out: Path) -> None:
    """What a kill tore does not count, and does not disturb."""
    with (out / "runs.jsonl").open("a") as file:
        file.write(json.dumps(asdict(record("few_shot", 1)))[:-9])

    assert read_study(out).missing == (("own", "few_shot", 1),)


def test_a_study_without_a_finished_run_is_reported(tmp_path: Path) -> None:
    """Right after its start a study has a report that says that nothing is finished."""
    StudyFolder(tmp_path).write_plan(plan_of())

    records = read_study(tmp_path)

    assert len(records.missing) == 6
    assert "no run" in text_table(records, tmp_path).lower()
    assert write_report(records, tmp_path).html.is_file()


def test_a_folder_without_a_study_is_refused(tmp_path: Path) -> None:
    """Missing, empty, or a file: the line says how to make one."""
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "none", tmp_path / "file"):
        assert refusal(path) == (
            f"{path}: holds no study; make one with understudy study --out {path}"
        )


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("facts", {"task": "own"}),
        ("facts", {**asdict(FACTS), "more": 1}),
        ("facts", {**asdict(FACTS), "label_names": None}),
        ("corpora", [{"task": "own"}]),
        ("corpora", ["own"]),
    ],
)
def test_a_plan_of_another_version_is_one_line(out: Path, part: str, wrong: object) -> None:
    """Fields that this version does not know, or misses, are refused with the file's name."""
    plan = plan_of()
    plan["tasks"]["own"][part] = wrong
    StudyFolder(out).write_plan(plan)

    assert f"{out / 'study.json'}: is no plan of this version" in refusal(out)


def test_a_damaged_plan_is_one_line(out: Path) -> None:
    """Half a file is no plan."""
    path = out / "study.json"
    path.write_bytes(path.read_bytes()[:200])

    assert f"{path}: is no plan of a study" in refusal(out)


def test_a_damaged_run_is_one_line(out: Path) -> None:
    """The line names the file, the number of the line and what to do."""
    path = out / "runs.jsonl"
    path.write_text(path.read_text().replace('"status"', '"state"', 1))

    assert refusal(out).startswith(f"{path}, line 1: not a record of this version")


def test_predictions_that_are_gone_are_one_line(out: Path) -> None:
    """The scores come from the predictions; a lost file is named with the remedy."""
    (out / "predictions" / "real-0.npz").unlink()

    with pytest.raises(UserError, match=r"real-0\.npz: cannot read the predictions") as refused:
        text_table(read_study(out), out)

    assert "\n" not in str(refused.value)
