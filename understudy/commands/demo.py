"""`understudy demo`: the whole way in minutes, without a key and without a network."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from builders.tasks import Task
    from understudy.settings import StudySettings

NAME = "demo"
HELP = "see what the project does: three tasks, end to end, in under three minutes"

TASKS = ("sms_spam", "tweet_emotion", "humor")
MAX_TEST = 1000

NO_REAL = (
    "No real texts are at hand{of} (give --real PATH, set UNDERSTUDY_DATA, or allow the Hub with "
    "--hub). {so} NO TEST ON REAL DATA: each classifier is trained on the texts of one strategy "
    "and tested on those of the other. The scores say how far two synthetic corpora agree, and "
    "nothing about how well a classifier would do on real text."
)


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
    lacking = without_real(tasks, real)
    settings = StudySettings(real=real, hub=False, max_test=MAX_TEST, agreement=bool(lacking))
    _check_out(args.out, settings)
    arms = ("real",) if len(lacking) < len(tasks) else ()
    print(
        "Texts that a large language model wrote for three tasks, as recorded answers, become "
        "corpora;\nclassifiers are trained on them and scored"
        + (".\n" if lacking else " on real texts.\n")
    )
    if len(lacking) == len(tasks):
        print(textwrap.fill(NO_REAL.format(of="", so="This is therefore"), 100) + "\n")
    elif lacking:
        of, so = f" for {' and '.join(lacking)}", "For these tasks this is therefore"
        print(textwrap.fill(NO_REAL.format(of=of, so=so), 100) + "\n")
    code = study_and_report(
        Grid(tasks, (*arms, "zero_shot", "few_shot"), (0, 1, 2)), settings, args.out
    )
    print(
        "\nGo on with:\n"
        "  understudy tasks                                    the tasks; your own is one file\n"
        "  understudy build imdb --strategy few_shot           one corpus, as a data set\n"
        "  understudy study --tasks all --out runs/ten-tasks   the whole study, on real texts"
    )
    return code


def without_real(tasks: tuple[Task, ...], real: str | None) -> list[str]:
    """Name the tasks that no real texts are at hand for.

    Raises:
        UserError: The texts that `real` names are wrong, or fit none of the tasks.
    """
    from builders.errors import NotAtHand
    from builders.real import load_real

    lacking: dict[str, NotAtHand] = {}
    for task in tasks:
        try:
            load_real(task, real, allow_hub=False)
        except NotAtHand as error:
            lacking[task.name] = error
    if real is not None and len(lacking) == len(tasks):
        raise lacking[tasks[0].name]
    return list(lacking)


def _check_out(out: Path, settings: StudySettings) -> None:
    """Say in plain words what a second demo with other texts in the same folder runs into."""
    from builders.errors import UserError
    from understudy.study_folder import StudyFolder

    plan = StudyFolder(out).plan()
    if plan is None:
        return
    was = plan["settings"]
    if (was.get("real"), was.get("agreement")) != (settings.real, settings.agreement):
        raise UserError(
            f"--out {out}: holds a demo or study on other texts; give this one a folder of its "
            f"own (--out {out}-2) or delete that one first"
        )
