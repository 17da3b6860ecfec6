"""Options that several commands take, and the types that check them."""

import argparse

from builders.errors import UserError


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


def add_corpus_options(parser: argparse.ArgumentParser, *, hub: bool = True) -> None:
    """Add `--per-label`, `--texts-per-request` and `--real`, which may ask the Hub unbidden."""
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
        help="real texts: a CSV, TSV, JSONL or Parquet file, a folder of them, hub, or none "
        f"(else: $UNDERSTUDY_DATA/real{', then the Hub' if hub else ''})",
    )


def add_corpus_seed(parser: argparse.ArgumentParser) -> None:
    """Add `--corpus-seed`, where a seed of another kind is given, too."""
    parser.add_argument(
        "--corpus-seed",
        type=not_negative,
        default=0,
        help="draws the texts of a corpus where fewer are asked for than there are",
    )


def add_loss_options(parser: argparse.ArgumentParser) -> None:
    """Add `--loss` and `--checker-per-label`."""
    parser.add_argument(
        "--loss",
        metavar="NAME",
        default="cross_entropy",
        help="what is minimised: cross_entropy, label_smoothing, confident (leaves out texts that "
        "look mislabelled), or imp or dimp (weigh texts by a checker trained on real ones)",
    )
    parser.add_argument(
        "--checker-per-label",
        type=positive,
        metavar="N",
        help="real texts of each label that the checker of imp and dimp is trained on (50)",
    )


def read_loss(args: argparse.Namespace) -> tuple[str, int]:
    """Return the loss, and the real texts of each label for its checker.

    Raises:
        UserError: The number is given and the loss has no checker on real texts.
    """
    from trainers.losses import CHECKER_PER_LABEL, LOSSES, create_loss

    loss, per_label = str(args.loss), args.checker_per_label
    needs_real = create_loss(loss).needs_real
    if per_label is not None and not needs_real:
        users = ", ".join(name for name in LOSSES if create_loss(name).needs_real)
        raise UserError(
            f"--checker-per-label {per_label}: --loss {loss} has no checker on real texts; leave "
            f"it out, or use one of {users}"
        )
    return loss, per_label or CHECKER_PER_LABEL
