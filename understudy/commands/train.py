"""`understudy train`: one classifier, scored on real text, as a folder that can be published."""

from __future__ import annotations

import argparse
from pathlib import Path

from builders.errors import UserError
from understudy.commands.llm_options import add_llm_options, read_caps, read_llm_options
from understudy.commands.options import (
    add_corpus_options,
    add_corpus_seed,
    add_loss_options,
    not_negative,
    read_loss,
)

NAME = "train"
HELP = "train one classifier on real or synthetic texts, score it on real ones, save it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("task", metavar="TASK", help="a task's name, or the path of a task file")
    parser.add_argument(
        "--arm",
        required=True,
        help="what it is trained on: real, real_full, a strategy, or another arm of a study, such "
        "as few_shot+real@50",
    )
    parser.add_argument(
        "--seed",
        type=not_negative,
        default=0,
        help="draws the training texts, their order and the initial weights",
    )
    add_corpus_options(parser)
    add_corpus_seed(parser)
    parser.add_argument(
        "--trainer",
        choices=("probe", "finetune"),
        default="probe",
        help="probe: a head on the frozen encoder; finetune: every weight",
    )
    parser.add_argument(
        "--encoder",
        default="minilm",
        help="minilm (ships with the installation), a folder, or a repository on the Hub",
    )
    parser.add_argument(
        "--pooling",
        choices=("mean", "first"),
        help="of the probe (first); mean scores better, but cannot be saved as a model",
    )
    add_loss_options(parser)
    parser.add_argument(
        "--out", type=Path, metavar="RUN", help="the folder (default: models/TASK-ARM-SEED)"
    )
    add_llm_options(parser)


def run(args: argparse.Namespace) -> int:
    """Train, save, and say how it scores and what can be done with it."""
    from builders.tasks import load_task
    from evaluation.arms import LLM, parse_arm
    from understudy.live_line import LiveLine
    from understudy.llm_session import LLMSession
    from understudy.settings import StudySettings
    from understudy.training import Training, check_out, train_one

    task = load_task(args.task)
    arm = parse_arm(args.arm, "--arm")
    if arm.name == LLM:
        raise UserError(f"--arm {LLM}: the LLM itself classifies; there is nothing to train")
    _check_pooling(args.trainer, args.pooling)
    loss, checker = read_loss(args)
    out = args.out or Path("models") / f"{task.name}-{args.arm}-{args.seed}"
    check_out(out)
    line = LiveLine()
    session = LLMSession(args.llm, read_llm_options(args), read_caps(args), args.ledger, line.show)
    settings = StudySettings(
        llm=args.llm,
        per_label=args.per_label,
        texts_per_request=args.texts_per_request,
        corpus_seed=args.corpus_seed,
        trainer=args.trainer,
        encoder=args.encoder,
        pooling="mean" if args.trainer == "finetune" else "first",
        real=args.real,
        loss=loss,
        checker_per_label=checker,
    )
    with line:
        trained = train_one(Training(task, args.arm, args.seed, settings), out, session)
    for each in trained.summary(out):
        print(each)
    return 0


def _check_pooling(trainer: str, pooling: str | None) -> None:
    if pooling is not None and trainer == "finetune":
        raise UserError(f"--pooling {pooling}: is of the probe; leave it out with finetune")
    if pooling == "mean":
        raise UserError(
            "--pooling mean: transformers has no model that takes the mean of the token vectors "
            "before its head, so that nobody could load it; leave --pooling out"
        )
