"""Training curves in the report, the paper's values beside a study, and encoders side by side."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from report_study import real_study

from evaluation.records import RunRecord, StudyRecords
from evaluation.report import read_results, write_report
from evaluation.report.paper_values import CHECKED, SOURCE, paper_section
from evaluation.report.section import Section
from evaluation.report.several_encoders import EncoderStudy, write_side_by_side
from evaluation.report.training_curves import training_curve, training_section


def curved(record: RunRecord) -> RunRecord:
    """Return a run with a curve of own making, higher with each seed."""
    base = 0.5 + 0.1 * record.seed
    return replace(record, curve=[(10, base), (20, base + 0.1), (25, base + 0.2)])


def study(out: Path, name: str = "news", called: str = "news", encoder: str = "") -> StudyRecords:
    """Return a study of one task, under another name, with curves."""
    found = real_study(out, [name])
    return replace(
        found,
        settings={**found.settings, "encoder": encoder, "trainer": "finetune", "curve_steps": 10},
        tasks=tuple(replace(each, task=called) for each in found.tasks),
        runs=tuple(curved(replace(each, task=called)) for each in found.runs),
        corpora=tuple(replace(each, task=called) for each in found.corpora),
        measures=tuple(replace(each, task=called) for each in found.measures),
    )


def side_by_side(out: Path, encoder: str, called: str = "ag_news") -> EncoderStudy:
    """Return the study of one encoder."""
    folder = out / encoder
    records = study(folder, called=called, encoder=encoder)
    return EncoderStudy(encoder, records, read_results(records, folder))


def test_a_curve_is_the_mean_over_the_seeds_with_its_range(tmp_path: Path) -> None:
    """Three seeds at 0.5, 0.6 and 0.7 after ten steps: 0.6, from 0.5 to 0.7."""
    runs = [each for each in study(tmp_path).runs if each.arm == "real"]

    first, _, last = training_curve(runs)

    assert tuple(first) == pytest.approx((10, 0.6, 0.5, 0.7, 3))
    assert tuple(last) == pytest.approx((25, 0.8, 0.7, 0.9, 3))


def test_a_mean_is_over_the_same_runs_at_every_step(tmp_path: Path) -> None:
    """A step that one run has no score of has no point; runs without a curve do not count."""
    first, second, third = (each for each in study(tmp_path).runs if each.arm == "real")
    short = replace(second, curve=[(10, 0.2)])

    (point,) = training_curve([first, short, replace(third, curve=[])])

    assert tuple(point) == pytest.approx((10, 0.35, 0.2, 0.5, 2))
    assert training_curve([]) == ()


def test_the_report_draws_the_curves_of_every_main_arm(tmp_path: Path) -> None:
    """A panel a task; each mark says its arm, step, mean and range."""
    files = write_report(study(tmp_path), tmp_path)

    text = files.markdown.read_text()
    assert "every 10 steps and at the end" in text
    svg = (tmp_path / "report" / "figures" / "training.svg").read_text()
    for arm in ("real", "zero_shot", "few_shot", "real_full"):
        assert f"News topic, {arm}, step 10: 60.0 (50.0 to 70.0, 3 seeds)" in svg


def test_without_curves_there_is_no_section(tmp_path: Path) -> None:
    """Nor a figure."""
    assert training_section(real_study(tmp_path, ["news"])) == ()


# The paper's values


def cells(section: Section) -> list[list[str]]:
    """Return the cells of its table."""
    table = section.blocks[0].table
    assert table is not None
    return [[cell.value for cell in row] for row in table.rows]


def paper(records: StudyRecords, out: Path) -> tuple[Section, ...]:
    """Return the section on the paper's values."""
    return paper_section([(records, read_results(records, out))])


@pytest.mark.parametrize(
    ("encoder", "values"),
    [
        ("bert-base-uncased", {"real": "95.3", "zero_shot": "89.3", "few_shot": "91.6"}),
        ("models/roberta-base/", {"real": "94.6", "zero_shot": "88.6", "few_shot": "92.9"}),
    ],
)
def test_the_paper_stands_beside_the_same_encoder(
    tmp_path: Path, encoder: str, values: dict[str, str]
) -> None:
    """Only values that were seen, each with what was measured here and the difference."""
    records = study(tmp_path, called="ag_news", encoder=encoder)

    (section,) = paper(records, tmp_path)

    found = cells(section)
    assert {row[2]: row[3] for row in found} == values
    # Of real texts there are two arms here: as many as the corpus has, and all.
    assert [row[5] for row in found] == ["real", "real_full", "zero_shot", "few_shot"]
    for row in found:
        here = float(re.match(r"[\d.]+", row[6])[0])  # type: ignore[index] # it is a number
        assert float(row[7]) == pytest.approx(here - float(row[3]), abs=0.11)


def test_another_encoder_is_set_beside_both(tmp_path: Path) -> None:
    """MiniLM is neither: the page names the paper's encoder in each row."""
    records = study(tmp_path, called="ag_news", encoder="minilm")

    (section,) = paper(records, tmp_path)

    assert {(row[1], row[4]) for row in cells(section)} == {
        ("BERT", "minilm"),
        ("RoBERTa", "minilm"),
    }


def test_an_encoder_that_the_source_does_not_name_is_not_guessed(tmp_path: Path) -> None:
    """Of sarcasm two accuracies were seen, without the encoder; no few-shot value."""
    records = study(tmp_path, "jokes", called="sarcasm_news", encoder="bert-base-uncased")

    (section,) = paper(records, tmp_path)

    found = {(row[1], row[2], row[3]) for row in cells(section)}
    assert found == {("not named", "real", "90.3"), ("not named", "zero_shot", "51.2")}


def test_source_and_differences_are_said(tmp_path: Path) -> None:
    """Where the values are from, what the paper did, and what this study does otherwise."""
    (section,) = paper(study(tmp_path, called="ag_news", encoder="minilm"), tmp_path)

    table = section.blocks[0].table
    assert table is not None
    notes = " ".join(table.notes)
    assert SOURCE in table.notes
    assert "were not compared with the paper itself" in notes
    assert "GPT-3.5-Turbo" in notes
    assert "Here: minilm, fine-tuned; synthetic texts by A large language model" in notes
    assert "at most 200 of each label in ag_news" in notes


def test_tasks_without_a_value_that_was_seen_have_no_section(tmp_path: Path) -> None:
    """What is only remembered is shown nowhere."""
    assert paper(study(tmp_path, encoder="bert-base-uncased"), tmp_path) == ()
    assert {value.task for value in CHECKED} == {"ag_news", "sarcasm_news"}
    assert len(CHECKED) == 8


# Encoders side by side


def test_no_table_mixes_encoders(tmp_path: Path) -> None:
    """A column for each arm of each encoder, in a group with its name."""
    each = [side_by_side(tmp_path, name) for name in ("bert-base-uncased", "roberta-base")]

    files = write_side_by_side(each, tmp_path)

    text = files.markdown.read_text()
    scores = text[text.index("Macro-F1 on real text") :]
    for name in ("bert-base-uncased", "roberta-base"):
        assert f"{name}/report/report.html" in text
        assert name in scores
    # The paper's rows are of the encoder that is named there, and of no other.
    rows = [line for line in text.splitlines() if "| BERT |" in line or "| RoBERTa |" in line]
    assert len(rows) == 8
    assert all(("| BERT |" in row) == ("bert-base-uncased" in row) for row in rows)
    assert "cannot be compared" not in text


def test_encoders_with_other_texts_are_said_to_have_them(tmp_path: Path) -> None:
    """Data that changed between the runs of two encoders is named at the top."""
    one, two = (side_by_side(tmp_path, name) for name in ("a", "b"))
    other = replace(two.records.runs[0], train_hash="0" * 64)
    changed = replace(two.records, runs=(other, *two.records.runs[1:]))

    files = write_side_by_side([one, replace(two, records=changed)], tmp_path)

    assert "In ag_news the encoders had different texts" in files.markdown.read_text()


def test_encoders_without_a_score_say_so(tmp_path: Path) -> None:
    """A study that has just begun has a page all the same."""
    each = side_by_side(tmp_path, "a")
    none = replace(each.records, runs=())

    files = write_side_by_side(
        [replace(each, records=none, results=read_results(none, tmp_path / "a"))], tmp_path
    )

    assert "no run" in files.markdown.read_text().lower()
