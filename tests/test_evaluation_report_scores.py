"""The report's figures, worked out by hand, and the input it refuses."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from builders.errors import UserError
from evaluation.records import RunRecord, StudyRecords, TaskFacts
from evaluation.report import read_results, text_table, write_report

LABELS = ("negative", "positive")


def run(out: Path, task: str, arm: str, labels: Sequence[int], own: Sequence[int]) -> RunRecord:
    """Store predictions as a study does and return the finished run."""
    path = f"{task}-{arm}.npz"
    np.savez(out / path, labels=np.array(labels), predictions=np.array(own))
    return RunRecord(
        key=path,
        status="done",
        task=task,
        arm=arm,
        encoder="mini-encoder",
        trainer="probe",
        seed=0,
        n_train=20,
        n_per_label=dict.fromkeys(LABELS, 10),
        n_test=len(labels),
        predictions=path,
    )


def study(
    out: Path, labels: Sequence[int], predictions: Mapping[tuple[str, str], Sequence[int]]
) -> StudyRecords:
    """Return a study of one seed with the given predictions by task and arm."""
    names = dict.fromkeys(task for task, _ in predictions)
    return StudyRecords(
        settings={},
        tasks=tuple(
            TaskFacts(name, f"The {name}", LABELS, None, "own", 40, len(labels), {}, 0, "real")
            for name in names
        ),
        arms=("real", "zero_shot", "few_shot", "real_full"),
        runs=tuple(run(out, task, arm, labels, own) for (task, arm), own in predictions.items()),
        missing=(),
        measures=(),
        corpora=(),
    )


def test_macro_f1_gap_and_accuracy_have_their_known_values(tmp_path: Path) -> None:
    """Macro-F1 is the mean of the labels' F1, the gap is real minus arm.

    zero_shot takes one of two negatives for a positive: F1 = 2*1/(1+2) = 0.667 and
    2*2/(3+2) = 0.8, mean 0.733; accuracy 3/4. real makes no mistake: 1. Gap 0.267.
    """
    predictions = {("films", "real"): [0, 0, 1, 1], ("films", "zero_shot"): [0, 1, 1, 1]}
    result = read_results(study(tmp_path, [0, 0, 1, 1], predictions), tmp_path).on_real[0]
    real, zero_shot = result.arms
    assert real.macro_f1.value == 1
    assert real.gap is None
    assert zero_shot.macro_f1.value == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert zero_shot.accuracy.value == 3 / 4
    assert zero_shot.gap is not None
    assert zero_shot.gap.value == pytest.approx(1 - (2 / 3 + 4 / 5) / 2)


def test_table_shows_percent_and_points(tmp_path: Path) -> None:
    """The scores above stand in Table 1 as 100.0, 73.3 and 26.7, the accuracy as 75.0."""
    predictions = {("films", "real"): [0, 0, 1, 1], ("films", "zero_shot"): [0, 1, 1, 1]}
    files = write_report(study(tmp_path, [0, 0, 1, 1], predictions), tmp_path)
    scores, accuracies = [
        [cell.split(" (")[0] for cell in line.strip("| ").split(" | ")]
        for line in files.markdown.read_text().splitlines()
        if line.startswith("| The films (films)")
    ]
    assert scores[1:4] == ["100.0", "73.3", "26.7"]
    assert accuracies[1:] == ["100.0", "75.0"]


def test_summary_counts_the_intervals_that_exclude_zero(tmp_path: Path) -> None:
    """The head gives the mean gap, the tasks with a shown loss, the worst and the best task.

    On films zero_shot equals real: gap 0. On jokes it answers the first label only, true for half:
    F1 = 2*100/(200+100) = 0.667 and 0, mean 0.333, gap 0.667. The mean gap is 0.333.
    """
    labels = [0, 1] * 100
    predictions = {
        ("films", "real"): labels,
        ("films", "zero_shot"): labels,
        ("jokes", "real"): labels,
        ("jokes", "zero_shot"): [0] * 200,
    }
    text = write_report(study(tmp_path, labels, predictions), tmp_path).markdown.read_text()
    assert "the mean gap in macro-F1 is 33.3 points for zero_shot (2 tasks)" in text
    assert "lies above 0, a loss, for zero_shot on 1 of 2 tasks" in text
    assert "worst on The jokes (gap 66.7, zero_shot) and best on The films (gap 0.0" in text


def test_gap_interval_pairs_the_arms(tmp_path: Path) -> None:
    """Two arms that answer alike have a gap of exactly 0, however uncertain their scores are."""
    labels, alike = [0, 1] * 20, [0, 0, 1, 1] * 10
    predictions = {("films", "real"): alike, ("films", "few_shot"): alike}
    few_shot = read_results(study(tmp_path, labels, predictions), tmp_path).on_real[0].arms[1]
    assert few_shot.macro_f1.low < few_shot.macro_f1.value < few_shot.macro_f1.high
    assert few_shot.gap is not None
    assert (few_shot.gap.low, few_shot.gap.value, few_shot.gap.high) == (0, 0, 0)


def test_best_arm_is_compared_with_all_real_texts(tmp_path: Path) -> None:
    """The arm with the highest macro-F1 is the one that real_full is held against."""
    labels = [0, 1] * 20
    predictions = {
        ("films", "real"): [1, 0, *labels[2:]],
        ("films", "zero_shot"): [0] * 40,
        ("films", "few_shot"): [1, *labels[1:]],
        ("films", "real_full"): labels,
    }
    result = read_results(study(tmp_path, labels, predictions), tmp_path).on_real[0]
    assert result.best is not None
    assert result.best.arm == "few_shot"
    assert result.full_gap is not None
    assert result.full_gap.value == pytest.approx(1 - result.best.macro_f1.value)


def test_agreement_is_scored_on_the_corpus_that_the_run_names(tmp_path: Path) -> None:
    """Each column names the corpus that the arm was tested on, and holds the score of that pair.

    few_shot takes one of four texts for the other label: accuracy 75 %.
    """
    records = study(
        tmp_path,
        [0, 0, 1, 1],
        {("films", "zero_shot"): [0, 0, 1, 1], ("films", "few_shot"): [0, 1, 1, 1]},
    )
    zero_shot, few_shot = records.runs
    runs = (
        replace(zero_shot, evaluated_on="few_shot"),
        replace(few_shot, evaluated_on="zero_shot"),
    )
    text = write_report(replace(records, runs=runs), tmp_path).markdown.read_text()
    table = text.partition("### Agreement between corpora: accuracy")[2].splitlines()
    assert table[2] == "| task | zero_shot, tested on few_shot | few_shot, tested on zero_shot |"
    scores = re.findall(r"(\d+\.\d) \(", table[4])
    assert scores == ["100.0", "75.0"]


def test_study_without_finished_runs_has_a_report(tmp_path: Path) -> None:
    """Before the first run ends the report says so in page, twin and terminal."""
    records = study(tmp_path, [0, 1], {("films", "real"): [0, 1]})
    records = replace(records, runs=(), missing=(("films", "real", 0),))
    files = write_report(records, tmp_path)
    for text in (files.html.read_text(), files.markdown.read_text(), text_table(records, tmp_path)):
        assert "No run of this study is finished yet." in text
        assert "not run yet (seed 0)" in text


def test_study_without_the_real_arm_has_scores_and_no_gap(tmp_path: Path) -> None:
    """Without the arm real the scores stand alone, and the verdict says what is lacking."""
    records = study(tmp_path, [0, 1] * 5, {("films", "few_shot"): [0, 1] * 5})
    text = write_report(records, tmp_path).markdown.read_text()
    assert "| The films (films) | 100.0 (" in text
    assert "Nothing to compare: no run of the arm real is finished." in text


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (None, "cannot read the predictions of films/real/seed 0"),
        (b"torn", "cannot read the predictions of films/real/seed 0"),
    ],
)
def test_unreadable_predictions_are_refused_by_name(
    tmp_path: Path, content: bytes | None, remedy: str
) -> None:
    """A missing or torn file stops the report with one line that names file, run and remedy."""
    records = study(tmp_path, [0, 1], {("films", "real"): [0, 1]})
    (tmp_path / "films-real.npz").unlink()
    if content is not None:
        (tmp_path / "films-real.npz").write_bytes(content)
    with pytest.raises(UserError, match=remedy) as caught:
        write_report(records, tmp_path)
    assert "films-real.npz" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("own", [[0, 2], [0, -1], [0], [0.0, 1.0]])
def test_predictions_that_fit_no_label_are_refused(tmp_path: Path, own: list[int]) -> None:
    """A value that is no label of the task, a wrong length or a fraction stops the report."""
    records = study(tmp_path, [0, 1], {("films", "real"): own})
    with pytest.raises(UserError, match="predictions must be 2 whole numbers from 0 to 1"):
        write_report(records, tmp_path)


def test_runs_on_different_test_texts_are_refused(tmp_path: Path) -> None:
    """Arms that were scored on different texts cannot be paired: no gap is made up from them."""
    records = study(tmp_path, [0, 1], {("films", "real"): [0, 1]})
    other = run(tmp_path, "films", "zero_shot", [1, 0], [1, 0])
    with pytest.raises(UserError, match="films/zero_shot/seed 0 were scored on different test"):
        write_report(replace(records, runs=(*records.runs, other)), tmp_path)


def test_run_on_texts_of_another_content_is_refused(tmp_path: Path) -> None:
    """Labels that happen to agree do not make two test sets one: their content hashes decide."""
    labels = [0, 1]
    records = study(tmp_path, labels, {("films", "real"): labels, ("films", "few_shot"): labels})
    first, second = records.runs
    with pytest.raises(UserError, match="were scored on different test texts"):
        read_results(replace(records, runs=(first, replace(second, test_hash="ff"))), tmp_path)


def test_run_without_test_texts_is_refused(tmp_path: Path) -> None:
    """A run on no texts has no score that could be shown."""
    records = study(tmp_path, [], {("films", "real"): []})
    none = np.zeros(0, dtype=np.int64)
    np.savez(tmp_path / "films-real.npz", labels=none, predictions=none)
    with pytest.raises(UserError, match="labels must be 0 whole numbers"):
        read_results(records, tmp_path)


def test_runs_of_two_encoders_are_refused(tmp_path: Path) -> None:
    """Scores of different encoders do not share a table."""
    labels = [0, 1]
    records = study(tmp_path, labels, {("films", "real"): labels, ("films", "few_shot"): labels})
    first, second = records.runs
    with pytest.raises(UserError, match="mini-encoder, probe on other"):
        read_results(replace(records, runs=(first, replace(second, encoder="other"))), tmp_path)


def test_figure_of_an_earlier_report_does_not_stay(tmp_path: Path) -> None:
    """A figure that the study no longer has data for goes; files of others stay."""
    labels = [0, 1] * 5
    records = study(tmp_path, labels, {("films", "real"): labels, ("films", "few_shot"): labels})
    ranked = replace(records.tasks[0], subjectivity_rank_remembered=3)
    write_report(replace(records, tasks=(ranked,)), tmp_path)
    figures = tmp_path / "report" / "figures"
    assert (figures / "gap_subjectivity.svg").exists()
    (figures / "mine.txt").write_text("stays")
    write_report(records, tmp_path)
    assert sorted(each.name for each in figures.iterdir()) == [
        "mine.txt",
        "scores.png",
        "scores.svg",
    ]


def test_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Where a file stands in the report's place the error names it and nothing is left behind."""
    records = study(tmp_path, [0, 1], {("films", "real"): [0, 1]})
    (tmp_path / "report").write_text("a file")
    with pytest.raises(UserError, match=r"report/figures.*cannot"):
        write_report(records, tmp_path)
    assert (tmp_path / "report").read_text() == "a file"


def test_page_is_replaced_and_never_written_over(tmp_path: Path) -> None:
    """Who holds the old page open while a new one is written still reads the whole old page."""
    labels = [0, 1]
    records = study(tmp_path, labels, {("films", "real"): labels})
    page = write_report(records, tmp_path).html
    held = tmp_path / "held.html"
    os.link(page, held)
    old = page.read_text()
    write_report(replace(records, settings={"new": 1}), tmp_path)
    assert page.read_text() != old
    assert held.read_text() == old


def test_failed_write_leaves_the_old_page_and_no_temporary_file(tmp_path: Path) -> None:
    """Where the page cannot be replaced no half of it, and no temporary file, stays behind."""
    records = study(tmp_path, [0, 1], {("films", "real"): [0, 1]})
    blocked = tmp_path / "report" / "report.html"
    blocked.mkdir(parents=True)
    with pytest.raises(UserError, match=r"report\.html: cannot write the report"):
        write_report(records, tmp_path)
    assert blocked.is_dir()
    assert not list(tmp_path.rglob("*.tmp"))
