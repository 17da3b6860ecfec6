"""`understudy ledger`: what was asked and answered, what it cost, and how to keep it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import UserError

if TYPE_CHECKING:
    from builders.ledger import Ledger, LedgerStatistics

NAME = "ledger"
HELP = "show what an LLM was asked, or export the answers as a recording"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser("show", help="count requests, tokens, money, and failures by reason")
    export = actions.add_parser(
        "export", help="write the answers as a recording, which --llm recording:DIR reads"
    )
    for each in (show, export):
        each.add_argument("ledger", type=Path, metavar="LEDGER", help="the ledger's file")
    show.add_argument(
        "--price", metavar="IN,OUT", help="USD for a million tokens of prompts and of answers"
    )
    export.add_argument("--out", type=Path, required=True, metavar="DIR", help="the recording")
    export.add_argument("--model", help="whose answers, where the ledger holds those of several")
    export.add_argument(
        "--requests",
        action="store_true",
        help="write the requests too, against which copies of examples are checked; those of "
        "few_shot and annotate quote real texts",
    )


def run(args: argparse.Namespace) -> int:
    """Open the ledger and do what is asked."""
    from builders.ledger import Ledger
    from builders.ledger.export import export_recording

    if not args.ledger.is_file():
        raise UserError(f"ledger {args.ledger}: is not there; name the file that a build wrote")
    with Ledger(args.ledger) as ledger:
        if args.action == "show":
            _show(ledger, args.price)
            return 0
        done = export_recording(ledger, args.out, args.model, requests=args.requests)
    older = f"; {done.older} older ones of the same names left out" if done.older else ""
    print(f"{done.answers} answers in {len(done.files)} files{older}: --llm recording:{args.out}")
    return 0


def _show(ledger: Ledger, price: str | None) -> None:
    rows = ledger.statistics()
    for row in rows:
        print(
            f"{row.task} {row.strategy}, {row.model} at {row.endpoint}: {row.completions} requests "
            f"answered (sent {row.attempts} times); tokens: {row.prompt_tokens:,} of prompts, "
            f"{row.completion_tokens:,} of answers; {_money(row, price)}"
        )
    if not rows:
        print("no request was answered yet")
    for reason, n in ledger.failures().items():
        print(f"failed and not answered since: {reason} {n}")
    if lost := ledger.unanswered():
        print(f"sent, and the answer never came (it may have been billed): {lost}")


def _money(row: LedgerStatistics, option: str | None) -> str:
    from builders.llms.openai_server import OFFICIAL
    from builders.llms.prices import given_price, listed_price

    price = given_price(option) if option else None
    if price is None and row.endpoint.startswith(OFFICIAL):
        price = listed_price(row.model, batch=row.endpoint != OFFICIAL)
    if price is None:
        return "price not known (give --price IN,OUT)"
    usd = price.usd(row.prompt_tokens, row.completion_tokens)
    return f"{usd:.4f} USD (prices {price.source})"
