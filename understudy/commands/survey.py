"""Surveys of which task is the more objective: for people to fill in, or for an LLM to answer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import UserError
from understudy.commands.llm_options import read_caps, read_llm_options
from understudy.commands.options import not_negative, positive

if TYPE_CHECKING:
    import argparse

    from builders.data import LabelledTexts
    from builders.tasks import Task
    from evaluation.subjectivity.design import SurveyPlan, TaskSheet


def add_survey(parser: argparse.ArgumentParser, judges: int, judgements: int | None) -> None:
    """Add what decides a survey, with these defaults; None is every pair."""
    add = parser.add_argument
    add("--tasks", default="all", help="all, or names and paths with commas between")
    add(
        "--judges",
        type=positive,
        default=judges,
        metavar="N",
        help=f"how many judges (default: {judges})",
    )
    add(
        "--judgements",
        type=positive,
        default=judgements,
        metavar="N",
        help=f"pairs of tasks for each judge (default: {judgements or 'every pair'})",
    )
    add(
        "--examples",
        type=not_negative,
        default=2,
        metavar="N",
        help="synthetic example texts of each label (default: 2)",
    )
    add("--seed", type=not_negative, default=0, help="draws pairs, order, examples (default: 0)")
    add("--out", type=Path, required=True, metavar="FILE", help="a new file (CSV)")


def plan_survey_file(args: argparse.Namespace) -> int:
    """Write the CSV file that people fill in."""
    from evaluation.subjectivity.design import plan_text

    plan, sheets, _ = _survey(args)
    args.out.write_text(plan_text(plan, sheets), encoding="utf-8", newline="")
    print(
        f"{args.out}: {_size(args, plan)}; let each judge fill the column more_objective, then: "
        f"understudy subjectivity rank {args.out}"
    )
    return 0


def ask_llm(args: argparse.Namespace) -> int:
    """Ask a live LLM for the judgements and write them; what is halted is not written."""
    from builders.llms.base import LiveLLM
    from evaluation.subjectivity.judgements import write_judgements
    from evaluation.subjectivity.llm_judges import ask_judges, pairs_asking
    from understudy.commands.corpus_output import UNFINISHED
    from understudy.live_line import LiveLine
    from understudy.llm_session import LLMSession

    plan, sheets, tasks = _survey(args)
    line = LiveLine()
    session = LLMSession(args.llm, read_llm_options(args), read_caps(args), args.ledger, line.show)
    if not session.live:
        raise UserError(
            f"--llm {args.llm}: is not asked; its judgements, where it has any, are ranked with "
            "understudy subjectivity rank; give --llm openai:MODEL, or another live one"
        )
    if args.dry_run:
        return _dry_run(args, plan, sheets, tasks, args.ledger)
    with line, session.opened() as (llm, live):
        assert isinstance(llm, LiveLLM) and live is not None
        asked = ask_judges(plan, *pairs_asking(plan, sheets, llm, tasks, args.seed), live)
    print(f"  {line.summary()}")
    for reason, n in asked.unanswered.items():
        print(f"  without an answer: {reason} {n}")
    if asked.halt is not None:
        print(
            f"understudy subjectivity: {asked.halt.why}; every answer is in the ledger: the same "
            "command goes on from there",
            file=sys.stderr,
        )
        return UNFINISHED if asked.halt.signal is None else 128 + asked.halt.signal
    write_judgements(asked.rows, args.out)
    print(f"{args.out}: {_size(args, plan)}; understudy subjectivity rank {args.out}")
    return 0


def _dry_run(
    args: argparse.Namespace,
    plan: SurveyPlan,
    sheets: list[tuple[TaskSheet, TaskSheet]],
    tasks: dict[str, Task],
    ledger: Path,
) -> int:
    from builders.generation.estimate import estimate
    from builders.ledger import Ledger
    from builders.llms import create_llm
    from builders.llms.base import LiveLLM
    from evaluation.subjectivity.llm_judges import ANSWER_BYTES, pairs_asking

    known = Ledger(ledger) if ledger.is_file() else None
    llm = create_llm(args.llm, read_llm_options(args, asks=False), known)
    assert isinstance(llm, LiveLLM)
    asking, stretches = pairs_asking(plan, sheets, llm, tasks, args.seed)
    print(f"{_size(args, plan)} by {llm.description}, nothing is sent:")
    for line in estimate(asking, stretches, ANSWER_BYTES, known).lines():
        print(f"  {line}")
    return 0


def _survey(
    args: argparse.Namespace,
) -> tuple[SurveyPlan, list[tuple[TaskSheet, TaskSheet]], dict[str, Task]]:
    """Return who compares what, what is shown of it, and the tasks."""
    from evaluation.subjectivity.design import plan_survey, task_sheets
    from understudy.settings import parse_tasks

    if args.out.exists():
        raise UserError(f"--out {args.out}: is there already, perhaps filled in; name a new file")
    tasks = {task.name: task for task in parse_tasks(args.tasks)}
    judgements = args.judgements or len(tasks) * (len(tasks) - 1) // 2
    plan = plan_survey(tuple(tasks), args.judges, judgements, args.seed)
    examples = _examples(tuple(tasks.values())) if args.examples else {}
    sheets = task_sheets(plan, tasks, examples, per_label=args.examples, seed=args.seed)
    if args.examples and (bare := [name for name in tasks if name not in examples]):
        print(f"no example texts, since the recording has none: {', '.join(bare)}")
    return plan, sheets, tasks


def _size(args: argparse.Namespace, plan: SurveyPlan) -> str:
    times = str(plan.least) if plan.least == plan.most else f"{plan.least} to {plan.most}"
    return (
        f"{len(plan.rows)} judgements of {args.judges} judges, each of the {plan.pairs} pairs "
        f"{times} times"
    )


def _examples(tasks: tuple[Task, ...]) -> dict[str, LabelledTexts]:
    """Return the recorded zero-shot texts of each task that has any; real ones may not be shown."""
    from builders.composition import Order, compose
    from builders.llms.recording import Recording
    from builders.strategies import ZeroShot

    recording, order = Recording(), Order(ZeroShot.name)
    return {
        task.name: compose(task, order, recording).texts
        for task in tasks
        if recording.can_answer(task, order.strategy)
    }
