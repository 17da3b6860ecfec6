"""`understudy study`: a grid of tasks, arms, encoders and seeds, and its report."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import UserError
from trainers.finetuning.processes import rank, started, wait_for_the_first
from understudy.commands.llm_options import read_caps, read_llm_options
from understudy.commands.study_options import add_study_options, read_study_options

if TYPE_CHECKING:
    from understudy.llm_session import LLMSession
    from understudy.settings import Grid, StudySettings

NAME = "study"
HELP = "train on real and synthetic texts, score on real ones, write the report"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add_study_options(parser)


def run(args: argparse.Namespace) -> int:
    """Run the study; a call that is stopped is taken up by the same call again."""
    from understudy.dry_run import dry_run
    from understudy.live_line import LiveLine
    from understudy.llm_session import LLMSession

    if started() > 1:
        return _refuse_a_launcher()
    line = LiveLine()
    options = read_llm_options(args, asks=not args.dry_run)
    session = LLMSession(args.llm, options, read_caps(args), args.ledger, line.show)
    asked = read_study_options(args, session.asked())
    processes = asked.processes or _one_a_gpu(asked.settings)
    if args.dry_run:
        dry_run(asked.grid, asked.settings, asked.encoders, args.out, session, processes)
        return 0
    with line:
        return study_and_report(
            asked.grid, asked.settings, args.out, session, asked.encoders, processes
        )


def study_and_report(
    grid: Grid,
    settings: StudySettings,
    out: Path,
    session: LLMSession | None = None,
    encoders: Sequence[str] = (),
    processes: int = 1,
) -> int:
    """Run a study, write its report, and print the main table and the report's place.

    Args:
        grid: Tasks, arms and seeds.
        settings: What all runs share.
        out: The study's folder.
        session: What is said of the LLM; None for that of the settings, a recording.
        encoders: The encoders; none for that of the settings.
        processes: Processes that share the runs.
    """
    from evaluation.report.wording import number_of
    from understudy.commands.report import report
    from understudy.encoder_studies import run_studies

    every = encoders or (settings.encoder,)
    done = known = encoded = 0
    for _, folder, outcome in run_studies(
        grid, settings, every, out, session=session, processes=processes
    ):
        done, known = done + outcome.done, known + outcome.known
        encoded += outcome.encoded
        if folder != out:
            report(folder)  # of each as soon as it is finished: the next may take days
    table, page = report(out)
    finished = f"{number_of(done, 'run')} done, {known} were there"
    print(f"\n{table}\n{finished}; {number_of(encoded, 'text')} embedded\nreport: {page}")
    return 0


def _refuse_a_launcher() -> int:
    """Let the first of several processes say, in one line, how a study is started."""
    with contextlib.suppress(KeyboardInterrupt):  # the launcher ends those that wait
        wait_for_the_first()
    if rank():
        return 2
    raise UserError(
        f"this is one of {started()} processes: start a study as one, without torchrun or "
        "accelerate launch; --processes N shares its runs among N, one a GPU (and "
        "trainers.finetune trains one run on several)"
    )


def _one_a_gpu(settings: StudySettings) -> int:
    from understudy.workers import gpus

    return max(1, gpus()) if settings.trainer == "finetune" else 1
