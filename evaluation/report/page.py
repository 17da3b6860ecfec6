"""The report's pages: everything a study says, put into the HTML and the Markdown template."""

import html
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from evaluation.records import StudyRecords
from evaluation.report import background
from evaluation.report.agreement import tables_on_corpora
from evaluation.report.background import Entry
from evaluation.report.corpus_tables import corpora_table, real_data_table
from evaluation.report.escaping import escape_markdown
from evaluation.report.figures import FIGURE_NAMES, draw_figures
from evaluation.report.files import remove, write_whole
from evaluation.report.measures import measures_table
from evaluation.report.results import StudyResults
from evaluation.report.score_tables import accuracy_on_real, table_on_real
from evaluation.report.scoring import read_results
from evaluation.report.style import Drawing
from evaluation.report.summary import notice, summarise
from evaluation.report.table import Table
from evaluation.report.verdict import Verdict, judge
from evaluation.report.wording import one_line

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
    score_tables: tuple[Table, ...]
    absent: tuple[Entry, ...]
    verdicts: tuple[Verdict, ...]
    figures: tuple[Drawing, ...]
    text_tables: tuple[Table, ...]
    method: tuple[Entry, ...]
    settings: tuple[Entry, ...]
    versions: tuple[Entry, ...]


def write_report(
    records: StudyRecords, out: Path, *, results: StudyResults | None = None
) -> ReportFiles:
    """Write the report of the study in `out` to `out/report/`: the same records, the same bytes.

    Args:
        records: What the study wrote down.
        out: The study's folder.
        results: Its scores from `read_results`, where they are at hand already.

    Raises:
        UserError: Predictions of a finished run cannot be read or do not fit together, or the
            folder cannot be written.
    """
    report = compose(records, results or read_results(records, out))
    folder = out / "report"
    page, markdown = _render_html(report), _render_markdown(report)
    figures: list[Path] = []
    for name in FIGURE_NAMES:
        drawing = next((each for each in report.figures if each.name == name), None)
        png, svg = (folder / "figures" / f"{name}.{ending}" for ending in ("png", "svg"))
        if drawing is None:
            # An earlier report of this study may have had it: nothing stale stays beside the page.
            remove(png, svg)
        else:
            figures += [write_whole(png, drawing.png), write_whole(svg, drawing.svg.encode())]
    return ReportFiles(
        html=write_whole(folder / "report.html", page.encode()),
        markdown=write_whole(folder / "report.md", markdown.encode()),
        figures=tuple(figures),
    )


def compose(records: StudyRecords, results: StudyResults) -> Report:
    """Put together what the report of a study says."""
    score_tables: list[Table] = []
    if results.on_real:
        score_tables += [table_on_real(results), accuracy_on_real(results)]
    if results.on_corpora:
        score_tables += tables_on_corpora(results)
    text_tables: list[Table] = []
    if records.measures:
        text_tables.append(measures_table(records))
    if records.corpora:
        text_tables.append(corpora_table(records))
    return Report(
        title=TITLE,
        question=QUESTION,
        notice=notice(results),
        summary=summarise(results),
        score_tables=tuple(score_tables),
        absent=background.absent_runs(records),
        verdicts=tuple(judge(task) for task in results.on_real),
        figures=draw_figures(records, results),
        text_tables=(*text_tables, real_data_table(records)),
        method=background.method(results),
        settings=background.settings(records),
        versions=background.versions(records),
    )


def _render_html(report: Report) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("evaluation.report"),
        undefined=StrictUndefined,
        autoescape=True,
        # What the page made itself, such as a macro's output, is marked and stays as it is.
        finalize=lambda value: value if hasattr(value, "__html__") else one_line(str(value)),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    inline = {each.name: _inline_svg(each) for each in report.figures}
    return environment.get_template("report.html.j2").render(report=report, inline=inline)


def _render_markdown(report: Report) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("evaluation.report"),
        undefined=StrictUndefined,
        autoescape=False,
        # Every value that a template writes passes here, so none can be forgotten.
        finalize=escape_markdown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("report.md.j2").render(report=report)


def _inline_svg(drawing: Drawing) -> str:
    """Make a figure's SVG part of a page: names of its own, colours that the page may change."""
    body = drawing.svg[drawing.svg.index("<svg") :]
    body = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{drawing.name}-", body)
    body = re.sub(r"(fill|stroke): #([0-9a-f]{6})\b", r"\1: var(--c-\2, #\2)", body)
    return body.replace("<svg ", f'<svg role="img" aria-label="{html.escape(drawing.caption)}" ', 1)
