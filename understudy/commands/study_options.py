"""The options of `understudy study`, and what they come to with a preset."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import UserError
from understudy.commands.llm_options import add_llm_options
from understudy.commands.options import (
    add_corpus_options,
    add_corpus_seed,
    add_loss_options,
    positive,
    read_loss,
)

if TYPE_CHECKING:
    from understudy.settings import Grid, StudySettings


def add_study_options(parser: argparse.ArgumentParser) -> None:
    """Add all of them."""
    parser.add_argument(
        "--tasks", default="all", help="all, or names and paths with commas between"
    )
    parser.add_argument(
        "--preset",
        metavar="NAME",
        help="sets options that are not given; paper: the protocol of Li et al. (2023), which is "
        "BERT and RoBERTa, fine-tuned, 3,000 texts a label, 3 seeds, the arms main",
    )
    _add_grid(parser)
    add_corpus_options(parser)
    add_corpus_seed(parser)
    _add_training(parser)
    add_loss_options(parser)
    _add_more_texts(parser)
    parser.add_argument(
        "--out", type=Path, default=Path("runs/study"), metavar="DIR", help="the study's folder"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="say which runs, requests, tokens, money and time it takes; send and write nothing",
    )
    add_llm_options(parser)


def _add_grid(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--arms",
        help="what classifiers are trained on: all, groups (main, curve, mixed, alternatives) or "
        "arms by name (real, real_full, few_shot, real@50, few_shot+real@50, ...), with commas "
        "(all; with finetune: main)",
    )
    parser.add_argument("--seeds", help="how many (3: 0, 1, 2) or which (0,4,7) (default: 3)")


def _add_training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--trainer",
        choices=("probe", "finetune"),
        help="probe: a head on the frozen encoder (minutes); finetune: every weight (hours) "
        "(default: probe)",
    )
    parser.add_argument(
        "--encoder",
        metavar="ENCODER,...",
        help="minilm (ships with the installation), a folder, or a repository on the Hub; several "
        "with commas between are studied one by one and set side by side (default: minilm)",
    )
    parser.add_argument(
        "--pooling",
        choices=("mean", "first"),
        default="mean",
        help="of the probe; first: the one whose model can be published",
    )
    parser.add_argument(
        "--recipe",
        type=Path,
        metavar="FILE",
        help="of finetune: how it trains, as a YAML file with the keys of trainers.finetune "
        "(learning_rate, batch_size, num_train_epochs, ...)",
    )
    parser.add_argument(
        "--curve-steps",
        type=positive,
        metavar="N",
        help="record macro-F1 on the real test texts every N steps of training",
    )
    parser.add_argument(
        "--processes",
        type=positive,
        metavar="N",
        help="of finetune: processes that share the runs (one a GPU; 1 without)",
    )


def _add_more_texts(parser: argparse.ArgumentParser) -> None:
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
        metavar="N",
        help="real training texts that a live LLM labels, for the arm llm_labelled (400)",
    )
    parser.add_argument(
        "--classified",
        type=positive,
        metavar="N",
        help="real test texts that a live LLM classifies, for the arm llm (200)",
    )


@dataclass(frozen=True)
class Asked:
    """What a command line comes to.

    Attributes:
        grid: Tasks, arms and seeds.
        settings: What all runs share; of the first encoder.
        encoders: The encoders.
        processes: Processes that share the runs; None for one a GPU.
    """

    grid: Grid
    settings: StudySettings
    encoders: tuple[str, ...]
    processes: int | None


def read_study_options(args: argparse.Namespace, llm: str | None) -> Asked:
    """Return what the options come to: what is given, then the preset, then what is usual.

    Args:
        args: The parsed options.
        llm: What decides the answers of a live LLM beside its name, None of a recording.

    Raises:
        UserError: An option does not fit, by itself or beside another.
    """
    from builders.real import NO_REAL
    from understudy.encoder_folders import parse_encoders
    from understudy.presets import load_preset
    from understudy.settings import Grid, StudySettings, parse_arms, parse_seeds, parse_tasks

    preset = load_preset(args.preset)
    trainer = args.trainer or preset.trainer
    _refuse_of_the_other(args, trainer)
    _refuse_of_a_live_llm(args)
    arms = args.arms or preset.arms or _usual_arms(trainer, args.real)
    path = args.recipe or (preset.recipe if trainer == "finetune" else None)
    recipe = None
    if path is not None:
        from trainers.finetuning.study_recipe import read_study_recipe

        recipe = read_study_recipe(path)
    named = recipe.encoder if recipe and args.recipe else None
    encoders = parse_encoders(args.encoder or named or preset.encoder)
    loss, checker = read_loss(args)
    settings = StudySettings(
        llm=args.llm,
        per_label=args.per_label or preset.per_label,
        texts_per_request=args.texts_per_request,
        corpus_seed=args.corpus_seed,
        trainer=trainer,
        encoder=encoders[0],
        pooling=args.pooling,
        real=args.real,
        asked=llm,
        agreement=args.real == NO_REAL,
        loss=loss,
        checker_per_label=checker,
        votes=args.votes,
        labelled=args.labelled,
        classified=args.classified,
        finetuning=recipe.settings if recipe else None,
        pass_size=recipe.pass_size if recipe else None,
        curve_steps=args.curve_steps,
    )
    seeds = parse_seeds(args.seeds or preset.seeds)
    grid = Grid(parse_tasks(args.tasks), parse_arms(arms), seeds)
    return Asked(grid, settings, encoders, args.processes)


def _refuse_of_a_live_llm(args: argparse.Namespace) -> None:
    from understudy.settings import is_recording

    for name, number in (("--labelled", args.labelled), ("--classified", args.classified)):
        if number is not None and is_recording(args.llm):
            raise UserError(
                f"{name} {number}: is of a live LLM, and {args.llm} has what was labelled; leave "
                "it out"
            )


def _usual_arms(trainer: str, real: str | None) -> str:
    from builders.real import NO_REAL
    from builders.strategies import STRATEGIES

    if real == NO_REAL:
        return ",".join(STRATEGIES)
    return "main" if trainer == "finetune" else "all"


def _refuse_of_the_other(args: argparse.Namespace, trainer: str) -> None:
    """Refuse options that are of the trainer that is not asked for."""
    if trainer == "finetune":
        if args.pooling != "mean":
            raise UserError(
                f"--pooling {args.pooling}: is of the probe; leave it out with finetune"
            )
        return
    for option, value in (("--recipe", args.recipe), ("--processes", args.processes)):
        if value is not None:
            raise UserError(f"{option} {value}: is of fine-tuning; give --trainer finetune, too")
