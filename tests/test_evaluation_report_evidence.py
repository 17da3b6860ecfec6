"""The report's evidence: worth in real labels, other ways, why and where text falls short."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from report_study import agreement_study, evidence_study, findings, labelling, real_study

from builders.errors import UserError
from evaluation.arms import Kind, in_order, parse_arm
from evaluation.records import StudyRecords
from evaluation.report import ReportFiles, read_results, text_table, write_report
from evaluation.report.alternatives import comparisons
from evaluation.report.latex import escape_latex
from evaluation.report.measures import size_note
from evaluation.report.results import StudyResults, TaskResult
from evaluation.report.score_tables import table_on_real
from evaluation.report.several_encoders import EncoderStudy, write_side_by_side
from evaluation.report.worth import curve_of, mixtures_of, step_of, worth_of
from evaluation.worth.spending import matched_sizes


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the study."""
    return tmp_path_factory.mktemp("evidence")


@pytest.fixture(scope="module")
def records(folder: Path) -> StudyRecords:
    """Return a study of two tasks with everything in it."""
    return evidence_study(folder)


@pytest.fixture(scope="module")
def results(records: StudyRecords, folder: Path) -> StudyResults:
    """Return its scores."""
    return read_results(records, folder)


@pytest.fixture(scope="module")
def films(results: StudyResults) -> TaskResult:
    """Return the scores of one of its tasks."""
    return next(task for task in results.on_real if task.facts.task == "films")


@pytest.fixture(scope="module")
def files(records: StudyRecords, results: StudyResults, folder: Path) -> ReportFiles:
    """Return its report."""
    return write_report(records, folder, results=results)


def section(files: ReportFiles, title: str) -> str:
    """Return a section of the Markdown, from its heading to the next."""
    text = files.markdown.read_text()
    return text[text.index(f"\n## {title}\n") :].split("\n## ")[1]


def test_every_section_has_something_to_say(files: ReportFiles) -> None:
    """Sections stand in their order; each is in the contents of the page."""
    heads = re.findall(r"^## (.*)$", files.markdown.read_text(), flags=re.MULTILINE)

    assert heads == [
        "Verdicts",
        "Scores",
        "What it is worth",
        "Other ways to spend the same LLM",
        "Why: subjectivity",
        "Where it fails",
        "Texts",
        "How to read it",
        "Settings and versions",
        "Runs",
    ]
    page = files.html.read_text()
    for key in ("worth", "ways", "why", "where"):
        assert f'<a href="#{key}">' in page
        assert f'<section id="{key}">' in page


def test_main_tables_leave_the_other_arms_out(files: ReportFiles) -> None:
    """Table 1 has the arms at equal size; the runs of all arms are listed at the end."""
    table = section(files, "Scores")

    assert "real@5" not in table
    assert "llm\\_labelled" not in table
    assert "| films | real@5 |" in section(files, "Runs")


def test_a_curve_is_read_by_size(films: TaskResult) -> None:
    """The sizes of one source, ascending, each with the score of its arm."""
    curve = curve_of(films, "real")

    assert list(curve) == [5, 10, 25, 50, 100, 200]
    assert films.bootstrap is not None
    assert curve[25].value == films.bootstrap.macro_f1("real@25").value


def test_a_task_without_a_curve_has_no_exchange_rate(tmp_path: Path) -> None:
    """Main arms alone say nothing of other numbers of real texts."""
    study = real_study(tmp_path, ("films",), 40)
    (task,) = read_results(study, tmp_path).on_real

    assert worth_of(task, "few_shot") is None
    assert step_of(task, "few_shot") is None
    assert mixtures_of(task, "few_shot") == ()


def test_what_text_is_worth_is_told_with_its_interval(
    films: TaskResult, files: ReportFiles
) -> None:
    """The cell of the table is the exchange rate of the arm."""
    found = worth_of(films, "few_shot")

    assert f"{found.worth} ({found.low} to {found.high})" in section(files, "What it is worth")  # type: ignore[union-attr]
    assert f"its 400 texts are worth {found.worth}" in section(files, "Verdicts")  # type: ignore[union-attr]


def test_what_the_next_labels_add_is_told_of_the_strategy_that_was_mixed(
    files: ReportFiles,
) -> None:
    """few_shot was mixed with real texts, zero_shot was not."""
    worth = section(files, "What it is worth")

    assert "What the next 50 real texts of each label add" in worth
    assert "beside few_shot" in worth
    assert "beside zero_shot" not in worth


def test_labelled_and_written_texts_are_matched_by_number_and_by_cost(
    records: StudyRecords,
) -> None:
    """80 labelled texts are 40 of each label; what their tokens cost buys fewer written ones.

    Labelling: 3,000 + 4 * 500 = 5,000 prompt tokens. Writing 400 texts: 8,000 + 4 * 9,000 = 44,000,
    110 a text. 5,000 / 110 = 45.5 texts, 22 of each label.
    """
    (corpus,) = (c for c in records.corpora if (c.task, c.strategy) == ("films", "few_shot"))

    sizes = matched_sizes(labelling("films", "train"), corpus)

    assert (sizes.number, sizes.cost) == (40, 22)
    assert sizes.sizes == (22, 40)


def test_a_size_that_a_corpus_does_not_have_is_not_compared(records: StudyRecords) -> None:
    """Of a corpus with 30 texts of a label, 40 cannot be taken."""
    (corpus,) = (c for c in records.corpora if (c.task, c.strategy) == ("films", "few_shot"))
    small = replace(corpus, kept=dict.fromkeys(corpus.kept, 30))

    assert matched_sizes(labelling("films", "train"), small).number is None


def test_a_corpus_that_misses_a_few_texts_is_compared_as_it_is(records: StudyRecords) -> None:
    """40 of each label are wanted: 36 are nine tenths of them and are taken, 35 are too few."""
    (corpus,) = (c for c in records.corpora if (c.task, c.strategy) == ("films", "few_shot"))
    kept = [{**corpus.kept, next(iter(corpus.kept)): n} for n in (36, 35)]

    sizes = [
        matched_sizes(labelling("films", "train"), replace(corpus, kept=each)) for each in kept
    ]

    assert [each.number for each in sizes] == [36, None]


def test_labelled_texts_are_compared_with_as_many_written_ones(
    films: TaskResult, records: StudyRecords
) -> None:
    """40 of each label; the lead is the paired difference of the two arms."""
    (found,) = comparisons(films, records, by_cost=False)

    assert films.bootstrap is not None
    lead = films.bootstrap.gap("llm_labelled", "few_shot@40")
    assert (found.strategy, found.per_label) == ("few_shot", 40)
    assert found.lead == lead.interval()
    assert comparisons(films, records, by_cost=True) == ()  # few_shot@22 was not run


def test_the_llm_is_shown_beside_the_arms_on_its_own_texts(
    films: TaskResult, files: ReportFiles
) -> None:
    """100 of the 400 test texts: all arms are scored on these; an answer was missing."""
    assert films.classified is not None
    assert films.classified.accuracy("llm").value == pytest.approx(0.99)
    line = next(
        line
        for line in section(files, "Other ways to spend the same LLM").splitlines()
        if line.startswith("| Film reviews") and "answered" in line
    )
    scores = films.classified
    assert f"| {100 * scores.macro_f1('llm').value:.1f} (" in line
    assert f"| {100 * scores.macro_f1('real').value:.1f} (" in line


def test_other_test_texts_than_the_arms_are_refused(folder: Path, records: StudyRecords) -> None:
    """What an LLM classified in an older study does not stand beside newer arms."""
    other = [replace(run, test_hash="0" * 64) if run.arm == "llm" else run for run in records.runs]

    with pytest.raises(UserError, match="what the LLM classified are other test texts"):
        read_results(replace(records, runs=tuple(other)), folder)


def test_accuracy_is_shown_against_the_agreement_of_annotators(files: ReportFiles) -> None:
    """Six thresholds with enough texts: a line, rho, a figure, and what has to be known."""
    why = section(files, "Why: subjectivity")

    assert "Ten people voted. Left out: ties 3." in why
    assert "| 0.50 | 360 |" in why
    assert "Spearman's rho" in why
    assert re.search(r"\| panel \| real less few\\?_shot \| - \| -?\d+\.\d \(", why)
    assert any(path.name == "agreement-panel.svg" for path in files.figures)


def test_few_levels_of_agreement_compare_the_arms_by_their_rise(
    records: StudyRecords, results: StudyResults, folder: Path, tmp_path: Path
) -> None:
    """Two levels make no line: the table has the rise of the arm real less that of each other."""
    own = Path(shutil.copytree(folder, tmp_path / "own"))
    for path in (own / "votes").glob("*.npz"):
        with np.load(path) as stored:
            labels, agreement = stored["labels"], stored["agreement"]
        np.savez(path, labels=labels, agreement=np.where(agreement < 0.8, 0.5, 1.0))

    why = section(write_report(records, own, results=results), "Why: subjectivity")

    rise = re.search(r"\| rise, real less arm \| - \| - \| - \|( -?\d+\.\d \([^|]*\) \|){2}", why)
    assert rise is not None


def test_votes_that_cannot_be_read_are_one_line(
    records: StudyRecords, results: StudyResults, folder: Path, tmp_path: Path
) -> None:
    """The file is named, with what to do."""
    lost = replace(
        results.on_real[0].facts,
        voted=tuple(replace(v, path="votes/gone.npz") for v in results.on_real[0].facts.voted),
    )
    changed = replace(results, on_real=(replace(results.on_real[0], facts=lost),))

    with pytest.raises(UserError, match=r"votes/gone\.npz: cannot be read .*run the study again"):
        write_report(records, folder, results=changed)


def test_failures_are_told_with_their_numbers(files: ReportFiles) -> None:
    """What is missed, which labels and confusions, what the texts are about, and an example."""
    where = section(files, "Where it fails")

    assert "misses 48 (15.0 %) of these and gets 12" in where
    assert "| plot, ending | 15 (of 30) | 3.3 | &lt;0.001 |" in where
    assert "“A text that was missed.” (negative, taken for positive)" in where
    assert "| negative | positive | -12.0 (5.0 to 20.0) | 0.004 |" in where  # as it was found
    assert "| positive | negative |" not in where  # that is no sure difference
    assert "| positive | undefined | - |" in where
    assert "delightful (40, 1)" in where
    assert "takes at most 4.0 % of the corpus's labels for wrong" in where


def test_quoted_texts_stay_text(folder: Path, records: StudyRecords, tmp_path: Path) -> None:
    """A generated text with markup is shown letter by letter in page and twin."""
    hostile = "<img src=x onerror=alert(1)> | `code` [a](http://b.example)\n# head"
    changed = replace(records, findings=findings("films", hostile))

    own = Path(shutil.copytree(folder, tmp_path / "own"))

    files = write_report(changed, own)

    assert "<img" not in files.html.read_text()
    assert "&lt;img src=x onerror=alert(1)&gt; | `code`" in files.html.read_text()
    assert "&lt;img src=x onerror=alert(1)&gt; \\| \\`code\\`" in files.markdown.read_text()
    assert "\n# head" not in files.markdown.read_text()


def test_table_one_is_written_as_latex(files: ReportFiles) -> None:
    """One row a task, as many cells as columns, underscores escaped."""
    text = (files.html.parent / "table-1.tex").read_text()

    assert r"\multicolumn{2}{c}{zero\_shot}" in text
    rows = [line for line in text.splitlines() if line.startswith(("Film", "Jokes"))]
    assert [row.count("&") for row in rows] == [5, 5]


def test_latex_prints_any_title_as_it_is() -> None:
    """Every character with a meaning is escaped, and a line break is none."""
    assert escape_latex("a_b & 5 % {x}\n\\y^~#$") == (
        r"a\_b \& 5 \% \{x\} \textbackslash{}y\textasciicircum{}\textasciitilde{}\#\$"
    )


def test_without_real_texts_a_forecast_is_given_with_its_error(tmp_path: Path) -> None:
    """It says what cannot be known, and how far such forecasts were off."""
    files = write_report(agreement_study(tmp_path), tmp_path)

    outlook = section(files, "Forecast")
    assert "Without real texts nobody can say" in outlook
    assert "of the mean loss" in outlook
    assert "To know: label 100 to 200 real texts" in outlook


def test_a_study_on_real_texts_forecasts_nothing(files: ReportFiles) -> None:
    """What was measured needs no forecast."""
    assert "## Forecast" not in files.markdown.read_text()


def test_the_same_records_give_the_same_report(
    records: StudyRecords, folder: Path, files: ReportFiles
) -> None:
    """No section draws anew: every byte of the page is the same."""
    before = files.html.read_bytes()

    again = write_report(records, folder)

    assert again.html.read_bytes() == before
    assert np.array_equal([p.name for p in again.figures], [p.name for p in files.figures])


OTHER_GROUPS: dict[str, Callable[[str], bool]] = {
    "curve": lambda arm: parse_arm(arm).kind is Kind.CURVE,
    "mixed": lambda arm: parse_arm(arm).kind is Kind.MIXED,
    "alternatives": lambda arm: parse_arm(arm).kind is Kind.ALTERNATIVE,
    "llm": lambda arm: arm == "llm",
    "two points": lambda arm: arm in ("real@5", "real@10"),
}


@pytest.mark.parametrize("group", OTHER_GROUPS)
def test_a_study_without_a_main_arm_has_a_report_without_the_main_tables(
    records: StudyRecords, folder: Path, group: str
) -> None:
    """Page, side by side page and terminal say so; every finished run is listed all the same."""
    runs = tuple(run for run in records.runs if OTHER_GROUPS[group](run.arm))
    own = replace(records, runs=runs, arms=in_order({run.arm for run in runs}))
    out = folder / "without-main"
    shutil.copytree(folder, out, dirs_exist_ok=True, ignore=lambda *_: ["without-main", "report"])

    files = write_report(own, out)

    page = files.markdown.read_text()
    assert "No run of a main arm" in page
    assert "Table 1. " not in page
    assert not list(files.html.parent.glob("table-1.tex"))
    assert {path.stem for path in files.figures}.isdisjoint({"scores"})
    assert all(f"| {arm} |" in page for arm in own.arms)
    assert "No run of a main arm" in text_table(own, out)
    side = write_side_by_side([EncoderStudy("tiny", own, read_results(own, out))], out)
    assert "No run of a main arm" in side.markdown.read_text()


def test_a_task_without_a_main_arm_has_no_row_in_table_one(
    records: StudyRecords, folder: Path
) -> None:
    """A row without a score says nothing; the other task keeps its own."""
    runs = tuple(
        r for r in records.runs if r.task == "films" or parse_arm(r.arm).kind is Kind.CURVE
    )
    table = table_on_real(read_results(replace(records, runs=runs), folder))
    assert [row[0].value for row in table.rows] == ["Film reviews"]


def test_the_run_of_the_llm_itself_is_among_the_finished_ones(files: ReportFiles) -> None:
    """It classified 100 of the 400 test texts and was trained on none."""
    assert re.search(r"\| films \| llm \| 0 \| 100 \| 0 \|", files.markdown.read_text())


def test_arms_are_comparable_where_each_measure_has_one_n(records: StudyRecords) -> None:
    """A measure of all texts beside one of a sample makes no arm incomparable; unequal arms do."""
    taken = [m for m in records.measures if m.task == "films"]
    all_texts = tuple(replace(m, n=800) if m.measure == "top5_cosine" else m for m in taken)
    names = ("chamfer", "top5_cosine")

    note = size_note(replace(records, measures=all_texts), names)

    assert note == "n = 400 to 800 texts an arm, equal for the arms of a task."
    unequal = (replace(taken[0], n=399), *taken[1:])
    first = (taken[0].measure,)
    assert "except in Film reviews" in size_note(replace(records, measures=unequal), first)


@pytest.mark.parametrize(("n_tasks", "corrected"), [(25, True), (26, False)])
def test_more_gaps_than_the_replicates_can_correct_are_not_called_chance(
    results: StudyResults, films: TaskResult, n_tasks: int, corrected: bool
) -> None:
    """The least p of 2,000 replicates is 2 / 2,001: 50 times that is below 5 %, 52 times is not."""
    tasks = [
        replace(films, facts=replace(films.facts, task=f"t{i}", title=f"Task {i}"))
        for i in range(n_tasks)
    ]
    notes = " ".join(table_on_real(replace(results, on_real=tuple(tasks))).notes)
    assert ("after Holm's correction for so many" in notes) is corrected
    assert ("so many cannot be corrected for their number with 2,000" in notes) is not corrected
