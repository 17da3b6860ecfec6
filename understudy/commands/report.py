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
    from evaluation.report import text_table, write_report
    from understudy.reporting import read_study

    records = read_study(args.out)
    files = write_report(records, args.out)
    print(text_table(records, args.out))
    print(f"\nreport: {files.html}")
    return 0
