"""`understudy report`: the report of a study, finished or not, written again."""

import argparse
from pathlib import Path

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
    """Write the report of the study in `out`; return its main table as text, and its page."""
    from evaluation.report import read_results, text_table, write_report
    from understudy.reporting import read_study

    records = read_study(out)
    results = read_results(records, out)
    files = write_report(records, out, results=results)
    return text_table(records, out, results=results), files.html
