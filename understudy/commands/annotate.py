"""`understudy annotate`: real texts with an LLM's labels, as a data set."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import NotAtHand, UserError
from understudy.commands.corpus_output import refuse_unloadable, write_output
from understudy.commands.llm_options import add_llm_options, read_caps, read_llm_options
from understudy.commands.options import not_negative, positive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builders.annotation import LabellingRecord, LabelOrder
    from builders.data import LabelledTexts, Texts
    from builders.llms.base import Price
    from builders.tasks import Task
    from understudy.llm_session import LLMSession

NAME = "annotate"
HELP = "let the LLM label real texts, which may serve better than texts that it writes"

REAL_TEXTS = 400
"""Texts of a task's real training texts that a live LLM labels, if not said otherwise."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add = parser.add_argument
    add("task", metavar="TASK", help="a task's name, or the path of a task file")
    add(
        "--texts",
        type=Path,
        metavar="FILE",
        help="texts to label: a CSV, TSV, JSONL or Parquet file; a column of labels is not read",
    )
    add("--text-column", metavar="NAME", help="the column of --texts that holds them (text)")
    add(
        "--real",
        metavar="PATH",
        help="label the task's real training texts, from a file, a folder of files, or hub (else: "
        "$UNDERSTUDY_DATA/real); their own labels are not shown, but compared",
    )
    add(
        "--n",
        type=positive,
        metavar="N",
        help="texts to label, drawn in their natural mix (all of --texts; 400 real ones; of a "
        "recording: all it holds)",
    )
    add(
        "--texts-per-request",
        type=positive,
        metavar="K",
        help="texts of one request (25; of a recording: as it was made)",
    )
    add(
        "--max-words",
        type=positive,
        metavar="W",
        help="words of a text that are shown (250; of a recording: as it was made)",
    )
    add("--seed", type=not_negative, default=0, help="draws the texts, and is sent along")
    add("--out", type=Path, metavar="DIR", help="the folder (default: labelled/TASK)")
    add(
        "--dry-run",
        action="store_true",
        help="say how many requests and tokens, how much money and time it takes; send nothing",
    )
    add_llm_options(parser, talks=False)


def run(args: argparse.Namespace) -> int:
    """Label texts, write them as a corpus folder, and say what got no label and why."""
    from builders.annotation import CONFIGURATION, label_texts
    from builders.corpus import check_folder
    from builders.tasks import load_task
    from understudy.live_line import LiveLine
    from understudy.llm_session import LLMSession

    task = load_task(args.task)
    folder = args.out or Path("labelled") / task.name
    refuse_unloadable(folder)
    check_folder(folder, task, CONFIGURATION)
    pool, source = _pool(args, task)
    line = LiveLine()
    options = read_llm_options(args, asks=not args.dry_run)
    session = LLMSession(args.llm, options, read_caps(args), args.ledger, line.show)
    order = _order(args, live=session.live)
    if args.dry_run:
        return _dry_run(task, pool, order, session)
    with line, session.opened() as (llm, live):
        labelling = label_texts(task, pool, llm, order, source=source, live=live)
        price = getattr(llm, "price", None) or options.price
    if live is not None:
        print(f"  {line.summary()}")
    return write_output(NAME, labelling, folder, _summary(labelling.record, price))


def _order(args: argparse.Namespace, *, live: bool) -> LabelOrder:
    from builders.annotation import LabelOrder

    split, usual = ("texts", None) if args.texts else ("train", REAL_TEXTS if live else None)
    return LabelOrder(
        split, args.n or usual, args.texts_per_request, args.max_words, seed=args.seed
    )


def _pool(args: argparse.Namespace, task: Task) -> tuple[LabelledTexts | Texts, str]:
    """Return the texts that may be labelled, and where they came from."""
    from builders.real import load_real
    from builders.real.unlabelled import read_texts
    from trainers.scoring import public_source

    if args.texts is None:
        if args.text_column is not None:
            raise UserError("--text-column: names a column of --texts, which is missing")
        try:
            real = load_real(task, args.real, allow_hub=False)
        except NotAtHand as error:
            raise UserError(f"{error}; or give texts of your own with --texts FILE") from error
        return real.train, public_source(real.source)
    if args.real is not None:
        raise UserError("--texts and --real exclude each other: give one")
    texts, blank = read_texts(args.texts, task, args.text_column)
    if blank:
        print(f"  rows without a text: {blank}")
    return texts, args.texts.name


def _dry_run(
    task: Task, pool: LabelledTexts | Texts, order: LabelOrder, session: LLMSession
) -> int:
    from builders.annotation import drawn_texts
    from builders.estimates import labels_estimate

    with session.unasked() as (llm, known):
        found = labels_estimate(task, pool, order, llm, known)
    n = len(drawn_texts(pool, order))
    print(f"{task.name}: labels of {n} texts by {llm.description}, nothing is sent:")
    for line in found.lines():
        print(f"  {line}")
    return 0


def _summary(record: LabellingRecord, price: Price | None) -> Iterator[str]:
    """Yield a line for each label, and one for each thing that a person has to know."""
    for label, n in record.kept.items():
        yield f"{label}: {n} texts"
    if fewer := record.requested - record.asked:
        yield f"fewer than wanted: {fewer} ({record.at_hand} texts are at hand)"
    if record.missing:
        yield f"recorded labels whose texts are not at hand: {record.missing}"
    if record.cut:
        yield f"shown up to {record.most_words} words: {record.cut} texts"
    if record.unlabelled:
        reasons = ", ".join(f"{why} {n}" for why, n in sorted(record.unlabelled.items()))
        yield f"without a label: {reasons}"
    if record.failed_requests:
        reasons = ", ".join(f"{why} {n}" for why, n in sorted(record.failed_requests.items()))
        again = f"; texts of {record.asked_again} asked about again, one at a time"
        yield f"requests without anything usable: {reasons}" + again * bool(record.asked_again)
    found = record.agreement
    if found is not None and found.share is not None:
        share = f"{100 * found.share:.1f} %"
        yield f"agreement with the true labels: {found.agreeing} of {found.texts} ({share})"
    if record.labelled:
        cost = record.use.per_text(record.labelled)
        marked = " (estimated)" if cost.estimated else ""
        yield (
            f"tokens a text{marked}: {cost.prompt:.1f} of prompts, {cost.answer:.1f} of answers"
            + (f"; 1,000 texts: {cost.usd(price, 1000):.4f} USD" if price else "")
        )
