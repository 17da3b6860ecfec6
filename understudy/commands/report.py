"""`understudy report`: the report of a study, finished or not, written again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evaluation.report.several_encoders import EncoderStudy

NAME = "report"
HELP = "write the report of a study again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("out", type=Path, metavar="OUT", help="the study's folder")


def run(args: argparse.Namespace) -> int:
    """Write the report from what the folder holds; nothing is trained."""
    table, page = report(args.out)
    print(f"{table}\nreport: {page}")
    return 0


def report(out: Path) -> tuple[str, Path]:
    """Write the report of the study in `out`; return its main table as text, and its page.

    Of a study with several encoders, each has its own report, and they are set side by side.
    """
    from evaluation.report.several_encoders import write_side_by_side
    from understudy.encoder_folders import encoder_folders
    from understudy.study_folder import StudyFolder

    folders = encoder_folders(out)
    if StudyFolder(out).plan() is not None or not folders:
        table, page, _ = _one(out)
        return table, page
    found = [_one(folder) for folder in folders]
    tables = [f"{each.name}\n\n{table}" for table, _, each in found]
    return "\n".join(tables), write_side_by_side([each for _, _, each in found], out).html


def _one(out: Path) -> tuple[str, Path, EncoderStudy]:
    from evaluation.report import read_results, text_table, write_report
    from evaluation.report.several_encoders import EncoderStudy
    from understudy.reporting import read_study

    records = read_study(out)
    results = read_results(records, out)
    files = write_report(records, out, results=results)
    table = text_table(records, out, results=results)
    return table, files.html, EncoderStudy(out.name, records, results)
