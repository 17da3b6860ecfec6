"""The command line: `understudy COMMAND`. Every mistake a user can mend is one line and exit 2."""

import argparse
import errno
import sys
from collections.abc import Sequence
from typing import NoReturn

from builders.errors import UserError
from understudy.commands import COMMANDS

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells give it."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage block."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def make_parser() -> Parser:
    """Return the parser of all commands."""
    from understudy import __version__

    parser = Parser(
        prog="understudy",
        description="Can an LLM's text stand in for real training data?",
        epilog="understudy COMMAND --help says more. Start with: understudy demo",
    )
    parser.add_argument("--version", action="version", version=f"understudy {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        own = commands.add_parser(
            command.NAME,
            help=command.HELP,
            description=command.HELP,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        command.add_arguments(own)
        own.set_defaults(run=command.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    args = make_parser().parse_args(arguments)
    try:
        return int(args.run(args) or 0)
    except UserError as error:
        return _failed(str(error))
    except KeyboardInterrupt:
        print(
            f"\nunderstudy {args.command}: stopped; what is finished is kept, the same command "
            "goes on from there",
            file=sys.stderr,
        )
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # nobody reads on; the interpreter would complain at its end
        return 1
    except OSError as error:
        if error.errno is None:
            raise  # not the system's, so not the user's to mend
        remedy = _REMEDIES.get(error.errno, f"{error.strerror}; name another file or folder")
        return _failed(f"{error.filename or 'output'}: {remedy}")


_REMEDIES = {
    errno.ENOSPC: "the disk is full; free space and run the same command again: what is finished "
    "is kept",
    errno.EDQUOT: "the disk quota is used up; free space and run the same command again",
    errno.EACCES: "no permission; name a folder that can be written",
    errno.EPERM: "not permitted; name a folder that can be written",
    errno.EROFS: "the file system is read-only; name a folder that can be written",
    errno.ENOTDIR: "a part of the path is a file; name a folder",
}


def _failed(line: str) -> int:
    print(f"understudy: {' '.join(line.split())}", file=sys.stderr)
    return 2
