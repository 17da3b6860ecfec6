"""Options that several commands take, and the types that check them."""

import argparse


def positive(text: str) -> int:
    """Read a whole number of at least 1."""
    number = int(text) if text.strip().lstrip("+").isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def not_negative(text: str) -> int:
    """Read a whole number of at least 0."""
    if not text.strip().isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 0")
    return int(text)


def add_corpus_options(parser: argparse.ArgumentParser) -> None:
    """Add `--per-label`, `--texts-per-request` and `--real`."""
    parser.add_argument(
        "--per-label",
        type=positive,
        metavar="N",
        help="accepted texts of each label (200; of a recording: all it holds)",
    )
    parser.add_argument(
        "--texts-per-request",
        type=positive,
        metavar="K",
        help="texts that one request asks for (25; of a recording: as it was made)",
    )
    parser.add_argument(
        "--real",
        metavar="PATH",
        help="real texts: a CSV, TSV, JSONL or Parquet file, a folder of them, or hub "
        "(else: $UNDERSTUDY_DATA/real, then the Hub)",
    )
