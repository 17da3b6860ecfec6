"""The options of a live LLM."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.commands.options import positive

if TYPE_CHECKING:
    from builders.generation import Caps
    from builders.llms import LLMOptions


def add_llm_options(parser: argparse.ArgumentParser, *, talks: bool = True) -> None:
    """Add `--llm` and all that a live LLM needs.

    Args:
        parser: The parser of the command.
        talks: Whether requests may be turns of longer conversations.
    """
    add = parser.add_argument_group("the LLM").add_argument
    add(
        "--llm",
        default="recording",
        metavar="LLM",
        help="what answers: recording (the one that ships), recording:PATH, openai:MODEL "
        "(any compatible server), batch:MODEL (OpenAI's Batch API), file:DIR (Batch files), or "
        "transformers:REPO",
    )
    add("--base-url", metavar="URL", help="of the server ($OPENAI_BASE_URL, then OpenAI's own)")
    add(
        "--api-key-env",
        metavar="NAME",
        help="environment variable that holds the key (OPENAI_API_KEY)",
    )
    add(
        "--transport",
        choices=("aiohttp", "openai"),
        default="aiohttp",
        help="what posts requests; openai is the official client, at ten times the processor time",
    )
    add(
        "--file-model",
        metavar="NAME",
        default="any",
        help="the model that the requests of file:DIR name",
    )
    add("--temperature", type=_amount, help="sampling temperature (the server's own)")
    add("--top-p", type=_amount, help="nucleus sampling (the server's own)")
    add(
        "--max-answer-tokens",
        type=positive,
        metavar="N",
        help="tokens of one answer at most (enough for the longest that are asked for)",
    )
    add("--no-schema", action="store_true", help="do not ask the server for a JSON schema")
    if talks:
        add(
            "--turns",
            type=positive,
            metavar="N",
            help="turns of one conversation (8; with batch:, file: and transformers: 1)",
        )
    else:
        parser.set_defaults(turns=None)
    add = parser.add_argument_group("how fast, and how much").add_argument
    add("--concurrency", type=positive, default=64, metavar="N", help="requests in flight at most")
    add("--rpm", type=_rate, metavar="N", help="requests a minute at most")
    add("--tpm", type=_rate, metavar="N", help="tokens a minute at most")
    add(
        "--timeout",
        type=_rate,
        default=300.0,
        metavar="S",
        help="seconds until an answer has to be there",
    )
    add("--max-usd", type=_amount, metavar="USD", help="money that it may cost at most")
    add("--max-tokens", type=positive, metavar="N", help="tokens that it may use at most")
    add("--max-requests", type=positive, metavar="N", help="requests that it may send at most")
    add(
        "--price",
        metavar="IN,OUT",
        help="USD for a million tokens of prompts and of answers (listed for OpenAI's own models)",
    )
    add("--prices", type=Path, metavar="FILE", help="a table of prices in the place of the listed")
    add(
        "--ledger",
        type=Path,
        default=Path("ledger.sqlite"),
        metavar="FILE",
        help="where answers are kept for good, of all commands (%(default)s in this folder)",
    )


def read_llm_options(args: argparse.Namespace, *, asks: bool = True) -> LLMOptions:
    """Return what the options say of a live LLM.

    Args:
        args: The parsed options.
        asks: Whether requests are to be sent; an estimate needs no key.

    Raises:
        UserError: The price is none.
    """
    from builders.llms import Connection, Limits, LLMOptions, Sampling
    from builders.llms.prices import given_price, listed_price

    kind, _, model = args.llm.partition(":")
    price = given_price(args.price) if args.price else None
    if price is None and args.prices:
        price = listed_price(model, args.prices, batch=kind == "batch")
    given = {"temperature": args.temperature, "top_p": args.top_p}
    return LLMOptions(
        connection=Connection(
            args.base_url, args.api_key_env, args.transport, args.timeout, needs_key=asks
        ),
        limits=Limits(args.concurrency, args.rpm, args.tpm),
        sampling=Sampling(
            {name: value for name, value in given.items() if value is not None},
            args.max_answer_tokens,
            not args.no_schema,
        ),
        price=price,
        file_model=args.file_model,
        turns=args.turns,
    )


def read_caps(args: argparse.Namespace) -> Caps:
    """Return what a build may use."""
    from builders.generation import Caps

    return Caps(args.max_usd, args.max_tokens, args.max_requests)


def _amount(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 0")
    return number


def _rate(text: str) -> float:
    number = _amount(text)
    if not number:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number
