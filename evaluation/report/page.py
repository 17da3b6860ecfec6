"""The report's pages: everything a study says, put into the HTML and the Markdown template."""

import base64
import hashlib
import html
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from evaluation.records import StudyRecords
from evaluation.report import background
from evaluation.report.advice import TOLERANCE, advise
from evaluation.report.agreement import tables_on_corpora
from evaluation.report.alternatives import alternatives_section
from evaluation.report.corpus_tables import corpora_table, real_data_table
from evaluation.report.escaping import escape_markdown
from evaluation.report.figures import draw_scores, draw_texts
from evaluation.report.files import remove, write_whole
from evaluation.report.foreign_texts import foreign_texts
from evaluation.report.latex import latex_table
from evaluation.report.measures import measures_tables
from evaluation.report.outlook import outlook_section
from evaluation.report.paper_values import paper_section
from evaluation.report.results import StudyResults
from evaluation.report.runs import runs_section
from evaluation.report.score_tables import accuracy_on_real, table_on_real
from evaluation.report.scoring import read_results
from evaluation.report.section import Block, Section
from evaluation.report.style import Drawing
from evaluation.report.summary import no_main_arm, notice, summarise
from evaluation.report.table import Table
from evaluation.report.training_curves import training_section
from evaluation.report.where import where_section
from evaluation.report.why import why_section
from evaluation.report.wording import hundredths, one_line
from evaluation.report.worth import worth_section
from evaluation.subjectivity.judgements import Judgements, recorded_judgements

TITLE = "Understudy: the report of a study"
QUESTION = "Can an LLM's text stand in for real training data?"


class ReportFiles(NamedTuple):
    """Where a report was written.

    Attributes:
        html: The self-contained page.
        markdown: Its Markdown twin.
        figures: The figures, each as PNG and SVG.
    """

    html: Path
    markdown: Path
    figures: tuple[Path, ...]


@dataclass(frozen=True)
class Report:
    """What both templates show, in this order."""

    title: str
    question: str
    notice: str
    summary: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def figures(self) -> tuple[Drawing, ...]:
        """The figures, in order."""
        return tuple(figure for section in self.sections for figure in section.figures)


def write_report(
    records: StudyRecords,
    out: Path,
    *,
    results: StudyResults | None = None,
    tolerance: float = TOLERANCE,
    judgements: Judgements | None = None,
) -> ReportFiles:
    """Write the report of the study in `out` to `out/report/`: the same records, the same bytes.

    Args:
        records: What the study wrote down.
        out: The study's folder.
        results: Its scores from `read_results`, where they are at hand already.
        tolerance: Loss of macro-F1 (0 to 1) that verdicts take for small.
        judgements: Of which tasks are the more objective; None for those that ship.

    Raises:
        UserError: Predictions of a finished run cannot be read or do not fit together, or the
            folder cannot be written.
    """
    results = results or read_results(records, out)
    judged = judgements or recorded_judgements()
    files = write_pages(compose(records, results, out, tolerance, judged), out / "report")
    latex = out / "report" / "table-1.tex"
    if results.with_main_arms:
        write_whole(latex, latex_table(results).encode())
    else:
        remove(latex)
    return files


def write_pages(report: Report, folder: Path) -> ReportFiles:
    """Write both pages and the figures of a report to `folder`.

    Raises:
        UserError: The folder cannot be written.
    """
    page, markdown = _render_html(report), _render_markdown(report)
    figures: list[Path] = []
    for drawing in report.figures:
        png, svg = (folder / "figures" / f"{drawing.name}.{ending}" for ending in ("png", "svg"))
        figures += [write_whole(png, drawing.png), write_whole(svg, drawing.svg.encode())]
    # An earlier report of this study may have had others: nothing stale stays beside the page.
    there = {path for ending in ("png", "svg") for path in folder.glob(f"figures/*.{ending}")}
    remove(*there.difference(figures))
    return ReportFiles(
        html=write_whole(folder / "report.html", page.encode()),
        markdown=write_whole(folder / "report.md", markdown.encode()),
        figures=tuple(figures),
    )


def compose(
    records: StudyRecords,
    results: StudyResults,
    out: Path,
    tolerance: float,
    judgements: Judgements,
) -> Report:
    """Put together what the report of the study in `out` says."""
    return Report(
        title=TITLE,
        question=QUESTION,
        notice=" ".join(filter(None, (notice(results), foreign_texts(records)))),
        summary=summarise(results),
        sections=(
            *_verdicts(records, results, tolerance),
            _scores(records, results),
            *paper_section([(records, results)]),
            *training_section(records),
            *worth_section(results),
            *alternatives_section(records, results),
            *outlook_section(records, results, judgements),
            *why_section(records, results, out, judgements),
            *where_section(records, results),
            _texts(records),
            Section(
                "method",
                "How to read it",
                "How to read it",
                (Block(entries=background.method(results)),),
            ),
            _settings(records),
            *runs_section(records),
        ),
    )


def _scores(records: StudyRecords, results: StudyResults) -> Section:
    tables: list[Table] = []
    if results.with_main_arms:
        tables += [table_on_real(results), accuracy_on_real(results)]
    if results.on_corpora:
        tables += tables_on_corpora(results)
    blocks = [Block(table=table) for table in tables] or [Block(text=no_main_arm(results))]
    blocks += [Block(figure=figure) for figure in draw_scores(results)]
    absent = background.absent_runs(records)
    if absent:
        blocks += [Block(heading="Runs without a score"), Block(entries=absent)]
    return Section("scores", "Scores", "Scores", tuple(blocks))


def _verdicts(
    records: StudyRecords, results: StudyResults, tolerance: float
) -> tuple[Section, ...]:
    if not results.on_real:
        return ()
    about = (
        "One a task, on its best synthetic arm, from 95 % intervals. Points are percentage points "
        f"of macro-F1; a loss of {hundredths(tolerance)} points or less is taken for small."
    )
    judged = tuple(advise(task, records, tolerance) for task in results.on_real)
    return (Section("verdicts", "Verdicts", "Verdicts", (Block(text=about), Block(advice=judged))),)


def _texts(records: StudyRecords) -> Section:
    tables = list(measures_tables(records))
    tables += [corpora_table(records)] if records.corpora else []
    tables.append(real_data_table(records))
    figures = [Block(figure=figure) for figure in draw_texts(records)]
    blocks = (*(Block(table=table) for table in tables), *figures)
    return Section("texts", "Texts", "Texts", blocks)


def _settings(records: StudyRecords) -> Section:
    blocks = [Block(entries=background.settings(records))]
    versions = background.versions(records)
    if versions:
        blocks += [Block(heading="Versions"), Block(entries=versions)]
    return Section("settings", "Settings and versions", "Settings", tuple(blocks))


def _render_html(report: Report) -> str:
    # What the page made itself, such as a macro's output, is marked and stays as it is.
    def finalize(value: Any) -> Any:
        return value if hasattr(value, "__html__") else one_line(str(value))

    script = (files("evaluation.report") / "templates/report.js").read_text(encoding="utf-8")
    digest = hashlib.sha256(script.encode()).digest()
    return _render(
        "report.html.j2",
        report,
        autoescape=True,
        finalize=finalize,
        inline={each.name: _inline_svg(each) for each in report.figures},
        script=script,
        script_hash=base64.b64encode(digest).decode(),
    )


def _render_markdown(report: Report) -> str:
    # Every value that a template writes passes through it, so none can be forgotten.
    return _render("report.md.j2", report, autoescape=False, finalize=escape_markdown)


def _render(
    template: str, report: Report, *, autoescape: bool, finalize: Any, **values: object
) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("evaluation.report"),
        undefined=StrictUndefined,
        autoescape=autoescape,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    number = {each.name: i for i, each in enumerate(report.figures, 1)}
    return environment.get_template(template).render(report=report, number=number, **values)


def _inline_svg(drawing: Drawing) -> str:
    """Make a figure's SVG part of a page: names of its own, colours that the page may change."""
    body = drawing.svg[drawing.svg.index("<svg") :]
    body = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{drawing.name}-", body)
    body = re.sub(r"(fill|stroke): #([0-9a-f]{6})\b", r"\1: var(--c-\2, #\2)", body)
    return body.replace("<svg ", f'<svg role="img" aria-label="{html.escape(drawing.caption)}" ', 1)
