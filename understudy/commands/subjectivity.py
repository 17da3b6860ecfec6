"""`understudy subjectivity`: how subjective tasks are, by judgements, and texts, by their votes."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import UserError
from understudy.commands.llm_options import add_llm_options
from understudy.commands.options import positive
from understudy.commands.survey import add_survey, ask_llm, plan_survey_file

if TYPE_CHECKING:
    from evaluation.report.table import Table

NAME = "subjectivity"
HELP = "rank tasks by judgements of people or LLMs, or see how far annotators agree"

WIDTH = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    people = actions.add_parser("plan", help="make a survey for people to fill in")
    add_survey(people, judges=54, judgements=10)
    llm = actions.add_parser("ask", help="let a live LLM be the judges")
    add_survey(llm, judges=3, judgements=None)
    llm.add_argument(
        "--dry-run",
        action="store_true",
        help="say how many requests and tokens, how much money and time it takes; send nothing",
    )
    add_llm_options(llm, talks=False)
    rank = actions.add_parser("rank", help="rank tasks from the most objective on")
    rank.add_argument(
        "judgements",
        type=Path,
        nargs="?",
        metavar="FILE",
        help="judgements (CSV, TSV, JSONL, Parquet): judge, a, b, more_objective (default: those "
        "of the LLM judges that ship)",
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
    """Do one of the four."""
    actions = {"plan": plan_survey_file, "ask": ask_llm, "rank": _rank, "votes": _votes}
    return actions[args.action](args)


def _rank(args: argparse.Namespace) -> int:
    from builders.tasks import list_tasks
    from evaluation.report.judgement_tables import ranking_table
    from evaluation.subjectivity.judge_agreement import judge_agreement
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
    from evaluation.report.agreement_tables import votes_table
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
