"""`understudy push`: a corpus or a model to the Hub, as one commit and one tag."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import NotAtHand, UserError

if TYPE_CHECKING:
    from builders.real import RealData

NAME = "push"
HELP = "release a corpus or a model on the Hub: one commit, one tag, private at first"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    dataset = actions.add_parser("dataset", help="release a corpus folder")
    dataset.add_argument("source", type=Path, metavar="CORPUS", help="the corpus folder")
    model = actions.add_parser("model", help="release the model of a run")
    model.add_argument("source", type=Path, metavar="RUN", help="the folder of the run")
    for each in (dataset, model):
        _add_common(each)
    dataset.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="CHECK",
        help="push in spite of what this check found (may be repeated); card-edits: lose edits "
        "of the card on the Hub that are not below the line for them, or that the folder's own "
        "text replaces",
    )
    dataset.add_argument(
        "--real",
        metavar="PATH",
        help="real texts, none of which may be in the corpus: a file, a folder of files, or hub "
        "(else: $UNDERSTUDY_DATA/real; without any, the card says that it was not checked)",
    )
    dataset.add_argument(
        "--task",
        metavar="TASK",
        help="the task's file, to read --real by, where the task is not a shipped one",
    )
    dataset.add_argument(
        "--study",
        type=Path,
        metavar="DIR",
        help="a study of this corpus: the gap to real texts, diversity and similarity for the card",
    )
    dataset.add_argument("--message", metavar="TITLE", help="title of the commit")


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("repository", metavar="REPO", help="the repository, OWNER/NAME")
    parser.add_argument(
        "--version", metavar="X.Y.Z", help="a higher version than the one the changes need"
    )
    parser.add_argument(
        "--public", action="store_true", help="make a new repository public (else: private)"
    )
    parser.add_argument(
        "--pr",
        action="store_true",
        help="open a pull request; once it is merged, run it again without this for the tag",
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="show files, sizes, version and card; send nothing that writes",
    )
    parser.add_argument(
        "--license",
        metavar="ID",
        type=_licence,
        help="the licence, as the Hub names it, such as cc-by-4.0",
    )


def _licence(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no identifier like cc-by-4.0, mit or other")
    return text


def run(args: argparse.Namespace) -> int:
    """Push and say what was done."""
    lines = _dataset(args) if args.action == "dataset" else _model(args)
    for line in lines:
        print(line)
    return 0


def _dataset(args: argparse.Namespace) -> list[str]:
    from push_scripts.push_dataset import push_dataset

    done = push_dataset(
        args.source,
        args.repository,
        version=args.version,
        public=args.public,
        pull_request=args.pr,
        dry_run=args.dry_run,
        license=args.license,
        allow=args.allow,
        real=_real(args),
        evidence=_evidence(args),
        message=args.message,
    )
    return list(done.lines())


def _model(args: argparse.Namespace) -> list[str]:
    from push_scripts.push_model import push_model

    done = push_model(
        args.source,
        args.repository,
        version=args.version,
        public=args.public,
        pull_request=args.pr,
        dry_run=args.dry_run,
        license=args.license,
    )
    return list(done.lines())


def _evidence(args: argparse.Namespace) -> str:
    """Return what the study that is named measured of the corpus."""
    if args.study is None:
        return ""
    from builders.corpus import read_records
    from evaluation.report.scoring import read_results
    from push_scripts.evidence import evidence_of
    from understudy.reporting import read_study

    records = read_study(args.study)
    corpus = read_records(args.source)
    return evidence_of(records, read_results(records, args.study), corpus, f"--study {args.study}")


def _real(args: argparse.Namespace) -> RealData | None:
    """Return real texts of the corpus's task where they are at hand."""
    from builders.real import load_real
    from builders.tasks import load_task
    from push_scripts.corpus_release import read_folder

    corpus = read_folder(args.source)
    try:
        task = load_task(args.task or corpus.task)
    except UserError:
        if args.task is None and args.real is None:
            return None
        raise
    if task.name != corpus.task:
        raise UserError(f"--task {args.task}: is {task.name}, the corpus is of {corpus.task}")
    try:
        return load_real(task, args.real, allow_hub=False)
    except NotAtHand:
        if args.real is not None:
            raise
        return None
