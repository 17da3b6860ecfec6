"""`understudy build`: one corpus, from a task to Parquet."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import NotAtHand, UserError
from understudy.commands.options import add_generation_options, not_negative

if TYPE_CHECKING:
    from collections.abc import Iterator

    from builders.facts import CorpusRecord
    from builders.real import RealData
    from builders.tasks import Task

NAME = "build"
HELP = "write the corpus of one task with one strategy"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("task", metavar="TASK", help="a task's name, or the path of a task file")
    parser.add_argument(
        "--strategy", default="zero_shot", help="how the LLM is asked: zero_shot or few_shot"
    )
    add_generation_options(parser)
    parser.add_argument(
        "--seed",
        type=not_negative,
        default=0,
        help="draws the examples, and the texts where fewer are asked for than there are",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="the corpus folder (default: corpora/TASK)"
    )


def run(args: argparse.Namespace) -> int:
    """Build one configuration of a corpus folder and say what was kept and why not more."""
    from builders.composition import Order, compose
    from builders.corpus import check_folder, write_corpus
    from builders.llms import create_llm
    from builders.strategies import create_strategy
    from builders.tasks import load_task

    task = load_task(args.task)
    create_strategy(args.strategy)
    folder = args.out or Path("corpora") / task.name
    _refuse_unloadable(folder)
    check_folder(folder, task, args.strategy)
    llm = create_llm(args.llm)
    llm.quota(task, args.strategy, args.per_label, args.texts_per_request)
    real = _real(task, args.real)
    if llm.ignores_messages:
        print(
            f"{llm.description}: it answers by task, strategy, label, conversation and turn; the "
            "words of the prompt and its examples are not used"
        )
    composition = compose(
        task,
        Order(args.strategy, args.per_label, args.texts_per_request, args.seed),
        llm,
        train=real.train if real else None,
        real_test_texts=real.test.texts if real else None,
    )
    for line in _summary(composition.record):
        print(f"  {line}")
    write_corpus(composition, folder)
    print(f"{folder}: load_dataset({str(folder)!r}, {args.strategy!r})")
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


def _refuse_unloadable(folder: Path) -> None:
    """Refuse a folder that `load_dataset` would take for a pattern or for a chained address."""
    place = str(folder.resolve())
    if found := next((part for part in ("[", "::") if part in place), None):
        raise UserError(
            f"--out {folder}: load_dataset cannot read a folder with {found} in its path; name "
            "another folder"
        )


def _real(task: Task, where: str | None) -> RealData | None:
    """Return real data where it is at hand: a build needs none, but is checked against it."""
    from builders.real import load_real

    try:
        return load_real(task, where, allow_hub=False)
    except NotAtHand:
        if where is not None:
            raise
        return None
