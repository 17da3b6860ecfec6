"""`understudy study`: a grid of tasks, arms and seeds, and its report."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import UserError
from understudy.commands.llm_options import add_llm_options, read_caps, read_llm_options
from understudy.commands.options import (
    add_corpus_options,
    add_loss_options,
    not_negative,
    positive,
    read_loss,
)

if TYPE_CHECKING:
    from understudy.llm_session import LLMSession
    from understudy.settings import Grid, StudySettings

NAME = "study"
HELP = "train on real and synthetic texts, score on real ones, write the report"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument(
        "--tasks", default="all", help="all, or names and paths with commas between"
    )
    parser.add_argument(
        "--arms",
        help="what classifiers are trained on: all, groups (main, curve, mixed, alternatives) or "
        "arms by name (real, real_full, few_shot, real@50, few_shot+real@50, ...), with commas "
        "(all; with finetune: main)",
    )
    parser.add_argument("--seeds", default="3", help="how many (3: 0, 1, 2) or which (0,4,7)")
    add_corpus_options(parser)
    parser.add_argument(
        "--corpus-seed",
        type=not_negative,
        default=0,
        help="draws the texts of a corpus where fewer are asked for than there are",
    )
    parser.add_argument(
        "--trainer",
        choices=("probe", "finetune"),
        default="probe",
        help="probe: a head on the frozen encoder (minutes); finetune: every weight (hours)",
    )
    parser.add_argument(
        "--encoder",
        default="minilm",
        help="minilm (ships with the installation), a folder, or a repository on the Hub",
    )
    parser.add_argument(
        "--pooling",
        choices=("mean", "first"),
        default="mean",
        help="of the probe; first: the one whose model can be published",
    )
    add_loss_options(parser)
    parser.add_argument(
        "--votes",
        default="",
        metavar="SOURCE,...",
        help="texts with annotators' votes, on which classifiers are scored too: descriptions that "
        "ship, or paths of your own (see understudy subjectivity)",
    )
    parser.add_argument(
        "--labelled",
        type=positive,
        default=400,
        metavar="N",
        help="real training texts that a live LLM labels, for the arm llm_labelled",
    )
    parser.add_argument(
        "--classified",
        type=positive,
        default=200,
        metavar="N",
        help="real test texts that a live LLM classifies, for the arm llm",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("runs/study"), metavar="DIR", help="the study's folder"
    )
    add_llm_options(parser)


def run(args: argparse.Namespace) -> int:
    """Run the study; a call that is stopped is taken up by the same call again."""
    from understudy.live_line import LiveLine
    from understudy.llm_session import LEDGER, LLMSession
    from understudy.settings import Grid, StudySettings, parse_arms, parse_seeds, parse_tasks

    if args.trainer == "finetune" and args.pooling != "mean":
        raise UserError(f"--pooling {args.pooling}: is of the probe; leave it out with finetune")
    arms = args.arms or ("main" if args.trainer == "finetune" else "all")
    grid = Grid(parse_tasks(args.tasks), parse_arms(arms), parse_seeds(args.seeds))
    loss, checker = read_loss(args)
    line = LiveLine()
    ledger = args.ledger or args.out.resolve().parent / LEDGER
    session = LLMSession(args.llm, read_llm_options(args), read_caps(args), ledger, line.show)
    settings = StudySettings(
        llm=args.llm,
        per_label=args.per_label,
        texts_per_request=args.texts_per_request,
        corpus_seed=args.corpus_seed,
        trainer=args.trainer,
        encoder=args.encoder,
        pooling=args.pooling,
        real=args.real,
        asked=session.asked(),
        loss=loss,
        checker_per_label=checker,
        votes=args.votes,
        labelled=args.labelled,
        classified=args.classified,
    )
    with line:
        return study_and_report(grid, settings, args.out, session)


def study_and_report(
    grid: Grid, settings: StudySettings, out: Path, session: LLMSession | None = None
) -> int:
    """Run a study, write its report, and print the main table and the report's place."""
    from understudy.commands.report import report
    from understudy.study import Study

    outcome = Study(grid, settings, out, session=session).run()
    table, page = report(out)
    print(
        f"\n{table}\n{outcome.done} runs done, {outcome.known} were there; "
        f"{outcome.encoded} texts embedded\nreport: {page}"
    )
    return 0
