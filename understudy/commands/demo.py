"""`understudy demo`: the whole way in minutes, without a key and without a network."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from builders.tasks import Task

NAME = "demo"
HELP = "see what the project does: three tasks, end to end, in under three minutes"

TASKS = ("sms_spam", "tweet_emotion", "humor")
MAX_TEST = 1000

NO_REAL = """\
No real texts are at hand (give --real PATH, set UNDERSTUDY_DATA, or allow the Hub with --hub).
This is therefore NO TEST ON REAL DATA: each classifier is trained on the texts of one strategy and
tested on those of the other. The scores say how far two synthetic corpora agree, and nothing about
how well a classifier would do on real text.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument(
        "--out", type=Path, default=Path("understudy-demo"), metavar="DIR", help="where it goes"
    )
    parser.add_argument("--real", metavar="PATH", help="real texts: a folder with TASK.SPLIT.csv")
    parser.add_argument(
        "--hub", action="store_true", help="fetch the tasks' real texts from the Hub"
    )


def run(args: argparse.Namespace) -> int:
    """Build, train, evaluate and report three tasks; say what the result is and is not."""
    from builders.errors import UserError
    from builders.tasks import load_task
    from understudy.commands.study import study_and_report
    from understudy.settings import Grid, StudySettings

    if args.real and args.hub:
        raise UserError("--real and --hub exclude each other: give one")
    real = "hub" if args.hub else args.real
    tasks = tuple(load_task(name) for name in TASKS)
    at_hand = has_real(tasks, real)
    arms = ("real", "zero_shot", "few_shot") if at_hand else ("zero_shot", "few_shot")
    print(
        "Texts that a large language model wrote for three tasks, as recorded answers, become "
        "corpora;\nclassifiers are trained on them and scored"
        + (" on real texts.\n" if at_hand else ".\n")
    )
    if not at_hand:
        print(NO_REAL)
    settings = StudySettings(real=real, hub=False, max_test=MAX_TEST, agreement=not at_hand)
    code = study_and_report(Grid(tasks, arms, (0, 1, 2)), settings, args.out)
    print(
        "\nGo on with:\n"
        "  understudy tasks                                    the tasks; your own is one file\n"
        "  understudy build imdb --strategy few_shot           one corpus, as a data set\n"
        "  understudy study --tasks all --out runs/ten-tasks   the whole study, on real texts"
    )
    return code


def has_real(tasks: tuple[Task, ...], real: str | None) -> bool:
    """Say whether real texts of the tasks are at hand; those that were named have to be."""
    from builders.errors import NotAtHand
    from builders.real import load_real

    for task in tasks:
        try:
            load_real(task, real, allow_hub=False)
        except NotAtHand:
            if real is not None:
                raise
            return False
    return True
