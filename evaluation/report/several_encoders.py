"""The page of a study with several encoders: the scores of each side by side, none mixed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.records import StudyRecords
from evaluation.report.background import absent_runs
from evaluation.report.foreign_texts import foreign_texts
from evaluation.report.page import QUESTION, Report, ReportFiles, write_pages
from evaluation.report.paper_values import paper_section
from evaluation.report.results import ArmResult, StudyResults, TaskResult
from evaluation.report.score_tables import arms_present, interval_cell, interval_note, task_cell
from evaluation.report.section import Block, Entry, Section
from evaluation.report.summary import no_main_arm, notice, summarise
from evaluation.report.table import Column, Table
from evaluation.report.wording import listed, number_of
from evaluation.uncertainty.scores import Interval

TITLE = "Understudy: a study with several encoders"


@dataclass(frozen=True)
class EncoderStudy:
    """The study of one encoder.

    Attributes:
        name: What it is called: the name of its folder.
        records: What it wrote down.
        results: Its scores.
    """

    name: str
    records: StudyRecords
    results: StudyResults


def write_side_by_side(studies: Sequence[EncoderStudy], out: Path) -> ReportFiles:
    """Write the page of a study with several encoders to `out/report/`.

    Args:
        studies: Those of the encoders, each in the folder of its name below `out`.
        out: The folder of the whole.

    Raises:
        UserError: The folder cannot be written.
    """
    told = sorted({line for each in studies if (line := notice(each.results))})
    told += sorted({line for each in studies if (line := foreign_texts(each.records))})
    told += _other_texts(studies)
    report = Report(
        title=TITLE,
        question=QUESTION,
        notice=" ".join(told),
        summary=tuple(f"{each.name}: {summarise(each.results)[0]}" for each in studies),
        sections=(
            _scores(studies),
            *paper_section([(each.records, each.results) for each in studies]),
            _reports(studies),
        ),
    )
    return write_pages(report, out / "report")


def _other_texts(studies: Sequence[EncoderStudy]) -> list[str]:
    """Say of which tasks the encoders were not trained and scored on the same texts."""
    seen: dict[tuple[str, str, int], set[tuple[str, str]]] = {}
    for each in studies:
        for run in each.records.runs:
            if run.status == "done":
                own = seen.setdefault((run.task, run.arm, run.seed), set())
                own.add((run.train_hash, run.test_hash))
    names = sorted({task for (task, _, _), hashes in seen.items() if len(hashes) > 1})
    if not names:
        return []
    return [
        f"In {listed(names)} the encoders had different texts, so that their scores cannot be "
        "compared: the data changed between their runs."
    ]


def _scores(studies: Sequence[EncoderStudy]) -> Section:
    scored = [each for each in studies if each.results.with_main_arms]
    blocks: list[Block] = []
    if scored:
        about = (
            "A row a task, a group of columns an encoder. Encoders are trained on the same texts "
            "and scored on the same real ones: how far a gap depends on the encoder is seen along "
            "a row."
        )
        blocks += [
            Block(text=about),
            Block(table=_table(scored, "encoders", "Macro-F1 on real text (%)", _macro_f1)),
            Block(table=_table(scored, "encoders-gap", _GAP, lambda each: each.gap)),
            Block(
                table=_table(scored, "encoders-accuracy", "Accuracy on real text (%)", _accuracy)
            ),
        ]
    blocks = blocks or [
        Block(text=told) for told in sorted({no_main_arm(each.results) for each in studies})
    ]
    return Section("scores", "Encoders side by side", "Scores", tuple(blocks))


_GAP = "Gap to as many real texts (points of macro-F1)"


def _macro_f1(result: ArmResult) -> Interval:
    return result.macro_f1


def _accuracy(result: ArmResult) -> Interval:
    return result.accuracy


def _table(
    studies: Sequence[EncoderStudy],
    key: str,
    title: str,
    score: Callable[[ArmResult], Interval | None],
) -> Table:
    """Build a table with a row a task and, for each encoder, a column for each arm with a score."""
    columns, cells = [Column("task", number=False)], []
    tasks: dict[str, TaskResult] = {}
    for each in studies:
        results = each.results
        tasks |= {t.facts.task: t for t in results.with_main_arms if t.facts.task not in tasks}
        for arm in arms_present(results.with_main_arms, results.arms):
            found = {
                task.facts.task: score(own)
                for task in results.with_main_arms
                if (own := task.arm(arm)) is not None
            }
            if any(value is not None for value in found.values()):
                columns.append(Column(arm, group=each.name))
                cells.append(found)
    rows = tuple(
        (task_cell(task), *(interval_cell(found.get(name)) for found in cells))
        for name, task in tasks.items()
    )
    notes = (interval_note([t for each in studies for t in each.results.with_main_arms]),)
    return Table(key, title, tuple(columns), rows, notes)


def _reports(studies: Sequence[EncoderStudy]) -> Section:
    entries = []
    for each in studies:
        absent = len(absent_runs(each.records))
        left = f"; {absent} arms of tasks have no score yet, or none at all" if absent else ""
        runs = sum(run.status == "done" for run in each.records.runs)
        entries.append(
            Entry(
                each.name,
                f"{each.name}/report/report.html ({number_of(runs, 'finished run')}{left})",
            )
        )
    return Section(
        "reports", "The report of each encoder", "Reports", (Block(entries=tuple(entries)),)
    )
