"""`understudy subjectivity`: how subjective tasks are, by judgements, and texts, by their votes."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import UserError
from understudy.commands.options import not_negative, positive

if TYPE_CHECKING:
    from builders.data import LabelledTexts
    from builders.tasks import Task
    from evaluation.report.table import Table

NAME = "subjectivity"
HELP = "rank tasks by people's or LLMs' judgements, or see how far annotators agree"

WIDTH = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    plan = actions.add_parser("plan", help="make a survey for judges to fill in")
    plan.add_argument("--tasks", default="all", help="all, or names and paths with commas between")
    plan.add_argument(
        "--judges", type=positive, default=54, metavar="N", help="how many judges (default: 54)"
    )
    plan.add_argument(
        "--judgements",
        type=positive,
        default=10,
        metavar="N",
        help="pairs of tasks for each judge (default: 10)",
    )
    plan.add_argument(
        "--examples",
        type=not_negative,
        default=2,
        metavar="N",
        help="synthetic example texts of each label (default: 2)",
    )
    plan.add_argument(
        "--seed", type=not_negative, default=0, help="draws pairs, order and examples (default: 0)"
    )
    plan.add_argument("--out", type=Path, required=True, metavar="CSV", help="a new file")
    rank = actions.add_parser("rank", help="rank tasks from the most objective on")
    rank.add_argument(
        "judgements",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="judgements (CSV, JSONL): judge, a, b, more_objective (default: those of the LLM "
        "judges that ship)",
    )
    votes = actions.add_parser("votes", help="summarise annotators' votes on texts")
    votes.add_argument(
        "source", metavar="DESCRIPTION", help="a YAML file that says how the votes are read"
    )
    votes.add_argument(
        "--votes", type=Path, metavar="FILE", help="the votes (default: as the description says)"
    )
    votes.add_argument(
        "--min-votes",
        type=positive,
        default=2,
        metavar="K",
        help="texts with fewer votes are left out (default: 2)",
    )


def run(args: argparse.Namespace) -> int:
    """Do one of the three."""
    actions = {"plan": _plan, "rank": _rank, "votes": _votes}
    return actions[args.action](args)


def _plan(args: argparse.Namespace) -> int:
    from evaluation.subjectivity.design import plan_survey, plan_text
    from understudy.settings import parse_tasks

    if args.out.exists():
        raise UserError(f"--out {args.out}: is there already, perhaps filled in; name a new file")
    tasks = {task.name: task for task in parse_tasks(args.tasks)}
    plan = plan_survey(tuple(tasks), args.judges, args.judgements, args.seed)
    examples = _examples(tuple(tasks.values())) if args.examples else {}
    text = plan_text(plan, tasks, examples, per_label=args.examples, seed=args.seed)
    args.out.write_text(text, encoding="utf-8", newline="")
    if args.examples and (bare := [name for name in tasks if name not in examples]):
        print(f"no example texts, since the recording has none: {', '.join(bare)}")
    times = str(plan.least) if plan.least == plan.most else f"{plan.least} to {plan.most}"
    print(
        f"{args.out}: {len(plan.rows)} judgements for {args.judges} judges, each of the "
        f"{plan.pairs} pairs {times} times; let each judge fill the column more_objective, then: "
        f"understudy subjectivity rank {args.out}"
    )
    return 0


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


def _rank(args: argparse.Namespace) -> int:
    from builders.tasks import list_tasks
    from evaluation.subjectivity.judge_agreement import judge_agreement
    from evaluation.subjectivity.judgement_tables import ranking_table
    from evaluation.subjectivity.judgements import read_judgements, recorded_judgements
    from evaluation.subjectivity.ranking import rank_tasks

    judgements = read_judgements(args.judgements) if args.judgements else recorded_judgements()
    remembered = {task.name: task.subjectivity_rank_remembered for task in list_tasks()}
    _print(ranking_table(rank_tasks(judgements), judge_agreement(judgements), remembered))
    if judgements.unanswered:
        print(f"rows without an answer, left out: {judgements.unanswered}")
    if not args.judgements:
        print("The judges are three runs of the LLM of the embedded recording; none is a person.")
    return 0


def _votes(args: argparse.Namespace) -> int:
    from builders.tasks import load_task
    from evaluation.subjectivity.agreement_tables import votes_table
    from evaluation.subjectivity.vote_reading import read_votes, votes_file
    from evaluation.subjectivity.vote_source import load_vote_source
    from evaluation.subjectivity.votes import RatedTexts, rate, summarise

    if args.min_votes < 2:
        raise UserError("--min-votes 1: one vote agrees with itself; give 2 or more")
    source = load_vote_source(args.source)
    votes = read_votes(
        source, load_task(source.task), votes_file(source, args.votes), args.min_votes
    )
    if isinstance(votes, RatedTexts):
        rated = votes
        print(f"{source.name}: bins of agreement and no votes, so neither mean nor alpha")
    else:
        rated = rate(votes)
        _print(votes_table({source.name: summarise(votes)}))
    counts = ", ".join(f"{label} {n:,}" for label, n in rated.texts.counts().items())
    print(f"texts with a label, for accuracy against agreement: {counts}")
    for reason, n in rated.left_out.items():
        print(f"left out: {reason}: {n:,}")
    print(textwrap.fill(source.note, WIDTH))
    return 0


def _print(table: Table) -> None:
    from evaluation.report.columns import TextColumn, set_columns

    columns = []
    for i, column in enumerate(table.columns):
        cells = (row[i] for row in table.rows)
        texts = tuple(f"{c.value} ({c.detail})" if c.detail else c.value for c in cells)
        columns.append(TextColumn(column.full_title, texts))
    names, *others = columns
    print(set_columns(names, others, WIDTH), end="\n\n")
    for note in table.notes:
        print(textwrap.fill(note, WIDTH))
