"""`understudy report`: the report of a study, finished or not, written again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import UserError

if TYPE_CHECKING:
    from evaluation.report.several_encoders import EncoderStudy

NAME = "report"
HELP = "write the report of a study again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("out", type=Path, metavar="OUT", help="the study's folder")
    parser.add_argument(
        "--tolerance",
        type=float,
        metavar="POINTS",
        help="loss in points of macro-F1 that verdicts take for small (2)",
    )
    parser.add_argument(
        "--judgements",
        type=Path,
        metavar="FILE",
        help="which of two tasks is the more objective, as understudy subjectivity writes them "
        "(those of an LLM that ship)",
    )


def run(args: argparse.Namespace) -> int:
    """Write the report from what the folder holds; nothing is trained."""
    tolerance: float | None = args.tolerance
    if tolerance is not None and not 0 <= tolerance <= 100:
        raise UserError(f"--tolerance {tolerance:g}: give points of macro-F1, from 0 to 100")
    table, page = report(args.out, tolerance, args.judgements)
    print(f"{table}\nreport: {page}")
    return 0


def report(
    out: Path, tolerance: float | None = None, judgements: Path | None = None
) -> tuple[str, Path]:
    """Write the report of the study in `out`; return its main table as text, and its page.

    Of a study with several encoders, each has its own report, and they are set side by side.

    Args:
        out: The study's folder.
        tolerance: Points of macro-F1 that verdicts take for small; None for what is usual.
        judgements: A file of judgements of tasks; None for those that ship.
    """
    from evaluation.report.several_encoders import write_side_by_side
    from understudy.encoder_folders import encoder_folders
    from understudy.study_folder import StudyFolder

    folders = encoder_folders(out)
    if StudyFolder(out).plan() is not None or not folders:
        table, page, _ = _one(out, tolerance, judgements)
        return table, page
    found = [_one(folder, tolerance, judgements) for folder in folders]
    tables = [f"{each.name}\n\n{table}" for table, _, each in found]
    return "\n".join(tables), write_side_by_side([each for _, _, each in found], out).html


def _one(
    out: Path, tolerance: float | None, judgements: Path | None
) -> tuple[str, Path, EncoderStudy]:
    from evaluation.report import TOLERANCE, read_results, text_table, write_report
    from evaluation.report.several_encoders import EncoderStudy
    from evaluation.subjectivity.judgements import read_judgements
    from understudy.reporting import read_study

    records = read_study(out)
    results = read_results(records, out)
    files = write_report(
        records,
        out,
        results=results,
        tolerance=TOLERANCE if tolerance is None else tolerance / 100,
        judgements=None if judgements is None else read_judgements(judgements),
    )
    table = text_table(records, out, results=results)
    return table, files.html, EncoderStudy(out.name, records, results)
