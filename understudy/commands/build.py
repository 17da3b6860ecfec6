"""`understudy build`: one corpus, from a task to Parquet."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import NotAtHand
from understudy.commands.corpus_output import refuse_unloadable, write_output
from understudy.commands.llm_options import add_llm_options, read_caps, read_llm_options
from understudy.commands.options import add_corpus_options, not_negative

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builders.composition import Composition, Live, Order
    from builders.facts import CorpusRecord
    from builders.llms import LLM
    from builders.real import RealData
    from builders.tasks import Task
    from understudy.llm_session import LLMSession

NAME = "build"
HELP = "write the corpus of one task with one strategy"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("task", metavar="TASK", help="a task's name, or the path of a task file")
    parser.add_argument(
        "--strategy", default="zero_shot", help="how the LLM is asked: zero_shot or few_shot"
    )
    add_corpus_options(parser, hub=False)
    parser.add_argument(
        "--seed",
        type=not_negative,
        default=0,
        help="draws the examples, and the texts where fewer are asked for than there are",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="the corpus folder (default: corpora/TASK)"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="say how many requests and tokens, how much money and time it takes; send nothing",
    )
    add_llm_options(parser)


def run(args: argparse.Namespace) -> int:
    """Build one configuration of a corpus folder and say what was kept and why not more."""
    from builders.composition import Order
    from builders.corpus import check_folder
    from builders.strategies import create_strategy
    from builders.tasks import load_task
    from understudy.live_line import LiveLine
    from understudy.llm_session import LLMSession

    task = load_task(args.task)
    create_strategy(args.strategy)
    folder = args.out or Path("corpora") / task.name
    refuse_unloadable(folder)
    check_folder(folder, task, args.strategy)
    order = Order(args.strategy, args.per_label, args.texts_per_request, args.seed)
    line = LiveLine()
    options = read_llm_options(args, asks=not args.dry_run)
    session = LLMSession(args.llm, options, read_caps(args), args.ledger, line.show)
    if args.dry_run:
        return _dry_run(args, task, order, session)
    with line, session.opened() as (llm, live):
        llm.quota(task, args.strategy, args.per_label, args.texts_per_request)
        real = _real(task, args.real)
        if llm.ignores_messages:
            print(
                f"{llm.description}: it answers by task, strategy, label, conversation and turn; "
                "the words of the prompt and its examples are not used"
            )
        composition = _composed(task, order, llm, real, live)
    if live is not None:
        print(f"  {line.summary()}")
    return write_output(NAME, composition, folder, _summary(composition.record))


def _composed(
    task: Task, order: Order, llm: LLM, real: RealData | None, live: Live | None
) -> Composition:
    from builders.composition import compose

    return compose(
        task,
        order,
        llm,
        train=real.train if real else None,
        real_test_texts=real.test.texts if real else None,
        live=live,
    )


def _dry_run(args: argparse.Namespace, task: Task, order: Order, session: LLMSession) -> int:
    from builders.estimates import corpus_estimate

    with session.unasked() as (llm, known):
        real = _real(task, args.real)
        found = corpus_estimate(task, order, llm, real.train if real else None, known)
    print(f"{task.name} {order.strategy} by {llm.description}, nothing is sent:")
    for line in found.lines():
        print(f"  {line}")
    return 0


def _summary(record: CorpusRecord) -> Iterator[str]:
    """Yield a line for each label, and one for each thing that a person has to know."""
    for label, kept in record.kept.items():
        rejected = ", ".join(f"{why} {n}" for why, n in sorted(record.rejected[label].items()))
        short = record.shortfall.get(label, 0)
        yield (
            f"{label}: {kept} kept"
            + (f", {record.surplus[label]} more accepted" if record.surplus[label] else "")
            + (f"; rejected: {rejected}" if rejected else "")
            + (f"; {short} fewer than asked for" if short else "")
        )
    for reason, n in record.failed_requests.items():
        yield f"requests without a usable text: {reason} {n}"
    unchecked = [reason for reason, status in record.statuses.items() if status == "not checked"]
    if unchecked:
        yield f"not checked, for want of texts to compare with: {', '.join(unchecked)}"


def _real(task: Task, where: str | None) -> RealData | None:
    """Return real data where it is at hand: a build needs none, but is checked against it."""
    from builders.real import NO_REAL, load_real

    if where == NO_REAL:
        return None
    try:
        return load_real(task, where, allow_hub=False)
    except NotAtHand:
        if where is not None:
            raise
        return None
