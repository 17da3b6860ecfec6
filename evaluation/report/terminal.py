"""The main table of a study for the terminal: plain text, at most 100 columns wide."""

import textwrap
from pathlib import Path

from evaluation.records import StudyRecords
from evaluation.report.agreement import arm_pairs, tested_on
from evaluation.report.background import absent_runs
from evaluation.report.columns import TextColumn, set_columns
from evaluation.report.foreign_texts import foreign_texts
from evaluation.report.results import StudyResults
from evaluation.report.score_tables import arms_present, interval_note
from evaluation.report.scoring import read_results
from evaluation.report.summary import no_main_arm, notice
from evaluation.report.wording import hundredths, one_line, with_spread
from evaluation.uncertainty.scores import Interval

WIDTH = 100


def text_table(records: StudyRecords, out: Path, *, results: StudyResults | None = None) -> str:
    """Return the scores of the study in `out` as text, no line longer than 100 columns.

    Arguments are those of `write_report`.

    Raises:
        UserError: As `write_report`.
    """
    results = results or read_results(records, out)
    parts: list[str] = []
    if results.with_main_arms:
        parts.append(_on_real(results))
    if results.on_corpora:
        parts += [_wrapped(notice(results)), _on_corpora(results)]
    if not parts:
        parts.append(_wrapped(no_main_arm(results)))
    if foreign := foreign_texts(records):
        parts.append(_wrapped(foreign))
    absent = [_wrapped(f"{entry.term}: {entry.text}") for entry in absent_runs(records)]
    if absent:
        parts.append("\n".join(absent))
    return "\n\n".join(parts) + "\n"


def _on_real(results: StudyResults) -> str:
    tasks = results.with_main_arms
    columns: list[TextColumn] = []
    gaps: list[TextColumn] = []
    for arm in arms_present(tasks, results.arms):
        found = [task.arm(arm) for task in tasks]
        scores = tuple(hundredths(each.macro_f1.value) if each else "-" for each in found)
        columns.append(TextColumn(arm, scores))
        own = tuple(each.gap if each else None for each in found)
        if any(own):
            gaps.append(TextColumn(f"gap {arm}", tuple(_cell(gap) for gap in own)))
    note = (
        "macro-F1 on real text in %. Gap in points: macro-F1 of the arm real minus that of the "
        f"arm. {interval_note(tasks)}"
    )
    names = TextColumn("task", tuple(task.facts.task for task in tasks))
    return f"{set_columns(names, [*columns, *gaps], WIDTH)}\n\n{_wrapped(note)}"


def _on_corpora(results: StudyResults) -> str:
    tasks = results.on_corpora
    columns = []
    for arm, other in arm_pairs(results):
        found = [tested_on(task, arm, other) for task in tasks]
        cells = tuple(_cell(each.macro_f1 if each else None) for each in found)
        columns.append(TextColumn(f"{arm}, tested on {other}", cells))
    note = f"agreement between corpora: macro-F1 in %. {interval_note(tasks)}"
    names = TextColumn("task", tuple(task.facts.task for task in tasks))
    return f"{set_columns(names, columns, WIDTH)}\n\n{_wrapped(note)}"


def _cell(interval: Interval | None) -> str:
    return with_spread(interval) if interval else "-"


def _wrapped(text: str) -> str:
    return textwrap.fill(one_line(text), WIDTH)
