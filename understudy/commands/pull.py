"""`understudy pull`: one release of a corpus from the Hub, that one or none."""

from __future__ import annotations

import argparse
from pathlib import Path

NAME = "pull"
HELP = "get one release of a corpus from the Hub, never another version"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    parser.add_argument("repository", metavar="REPO", help="the dataset, OWNER/NAME")
    parser.add_argument(
        "--revision", required=True, metavar="vX.Y.Z", help="the tag of the release"
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="the corpus folder (default: NAME-vX.Y.Z)"
    )


def run(args: argparse.Namespace) -> int:
    """Get the release and say how to load it."""
    from push_scripts.pull import pull_dataset

    for line in pull_dataset(args.repository, args.revision, args.out).lines():
        print(line)
    return 0
