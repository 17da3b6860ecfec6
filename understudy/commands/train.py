"""`understudy train`: one classifier, scored on real text, as a folder that can be published."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import UserError
from understudy.commands.llm_options import add_llm_options, read_caps, read_llm_options
from understudy.commands.options import add_corpus_options, not_negative, positive

if TYPE_CHECKING:
    from trainers.run_folder import TrainedRun

NAME = "train"
HELP = "train one classifier on real or synthetic texts, score it on real ones, save it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("task", metavar="TASK", help="a task's name, or the path of a task file")
    parser.add_argument(
        "--arm", required=True, help="what it is trained on: real, real_full, or a strategy"
    )
    parser.add_argument(
        "--seed",
        type=not_negative,
        default=0,
        help="draws the training texts, their order and the initial weights",
    )
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
    parser.add_argument(
        "--loss",
        metavar="NAME",
        default="cross_entropy",
        help="what is minimised: cross_entropy, label_smoothing, confident (leaves out texts that "
        "look mislabelled), or imp or dimp (weigh texts by a checker trained on real ones)",
    )
    parser.add_argument(
        "--checker-per-label",
        type=positive,
        metavar="N",
        help="real texts of each label that the checker of imp and dimp is trained on (50)",
    )
    parser.add_argument(
        "--out", type=Path, metavar="RUN", help="the folder (default: models/TASK-ARM-SEED)"
    )
    add_llm_options(parser)


def run(args: argparse.Namespace) -> int:
    """Train, save, and say how it scores and what can be done with it."""
    from builders.tasks import load_task
    from trainers.losses import CHECKER_PER_LABEL
    from understudy.live_line import LiveLine
    from understudy.llm_session import LEDGER, LLMSession
    from understudy.settings import ARMS, StudySettings
    from understudy.training import Training, check_out, train_one

    task = load_task(args.task)
    if args.arm not in ARMS:
        raise UserError(f"--arm {args.arm}: unknown arm; use one of {', '.join(ARMS)}")
    _check_pooling(args.trainer, args.pooling)
    _check_checker(args.loss, args.checker_per_label)
    out = args.out or Path("models") / f"{task.name}-{args.arm}-{args.seed}"
    check_out(out)
    line = LiveLine()
    ledger = args.ledger or out.resolve().parent / LEDGER
    session = LLMSession(args.llm, read_llm_options(args), read_caps(args), ledger, line.show)
    settings = StudySettings(
        llm=args.llm,
        per_label=args.per_label,
        texts_per_request=args.texts_per_request,
        corpus_seed=args.corpus_seed,
        trainer=args.trainer,
        encoder=args.encoder,
        pooling="mean" if args.trainer == "finetune" else "first",
        real=args.real,
    )
    with line:
        training = Training(
            task,
            args.arm,
            args.seed,
            settings,
            args.loss,
            args.checker_per_label or CHECKER_PER_LABEL,
        )
        trained = train_one(training, out, session)
    for each in _summary(trained, out):
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


def _check_checker(loss: str, per_label: int | None) -> None:
    from trainers.losses import LOSSES, create_loss

    if per_label is not None and not create_loss(loss).needs_real:
        users = ", ".join(name for name in LOSSES if create_loss(name).needs_real)
        raise UserError(
            f"--checker-per-label {per_label}: --loss {loss} has no checker on real texts; leave "
            f"it out, or use {users}"
        )


def _summary(trained: TrainedRun, out: Path) -> Iterator[str]:
    n = sum(trained.n_per_label.values())
    yield f"{trained.task} {trained.arm}: {trained.trainer} trained on {n} texts"
    loss, settings = trained.settings.get("loss"), trained.settings
    if left_out := settings.get("left_out"):
        yield f"  {left_out} of them left out by the loss {loss}"
    if checked := settings.get("checker_size"):
        yield f"  weighed by the loss {loss}, its checker trained on {checked} real texts"
    for test in trained.tests:
        for name, score in (("macro-F1", test.macro_f1), ("accuracy", test.accuracy)):
            yield (
                f"  {name} {score.value:.3f} ({score.level:.0%} interval {score.low:.3f} to "
                f"{score.high:.3f}) on {test.n} texts of {test.source}"
            )
    yield f"{out}: pipeline('text-classification', {str(out)!r})"
    yield f"to publish it: understudy push model {out} OWNER/NAME"
