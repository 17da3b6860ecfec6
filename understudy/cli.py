"""The command line: `understudy COMMAND`. Every mistake a user can mend is one line and exit 2."""

import argparse
import contextlib
import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import NoReturn

from builders.errors import UserError
from understudy.commands import COMMANDS
from understudy.stopping import Stopped

INTERRUPTED = 130
"""Exit code after Ctrl-C (SIGINT), as shells give it: 128 + the signal's number."""


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage block."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2."""
        self.exit(2, f"{self.prog}: {' '.join(message.split())} (see {self.prog} --help)\n")


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows defaults, but not that an option without one is None or off."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False:
            return action.help
        return super()._get_help_string(action)


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
            formatter_class=HelpFormatter,
        )
        command.add_arguments(own)
        own.set_defaults(run=command.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    args = make_parser().parse_args(arguments)
    try:
        with _sigterm_raises():
            code = int(args.run(args) or 0)
            sys.stdout.flush()
            return code
    except UserError as error:
        return _failed(str(error))
    except KeyboardInterrupt as stop:
        print(
            f"\nunderstudy {args.command}: stopped; what is finished is kept, the same command "
            "goes on from there",
            file=sys.stderr,
        )
        return stop.code if isinstance(stop, Stopped) else INTERRUPTED
    except BrokenPipeError:
        _drop_output()  # nobody reads on
        return 1
    except OSError as error:
        if error.errno is None:
            raise  # not the system's, so not the user's to mend
        remedy = _REMEDIES.get(error.errno, f"{error.strerror}; name another file or folder")
        _drop_output()
        return _failed(f"{error.filename or 'output'}: {remedy}")


@contextlib.contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Let SIGTERM unwind the stack inside, as Ctrl-C does, so that nothing is left half-written."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may handle signals
        return

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise Stopped(number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _drop_output() -> None:
    """Let what standard output still holds go nowhere: it would fail again at the very end."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        return
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


_REMEDIES = {
    errno.ENOSPC: "the disk is full; free space and run the same command again: what is finished "
    "is kept",
    errno.EFBIG: "the file may not grow further here (ulimit -f); raise the limit and run the same "
    "command again: what is finished is kept",
    errno.EDQUOT: "the disk quota is used up; free space and run the same command again",
    errno.EACCES: "no permission; name a folder that can be written",
    errno.EPERM: "not permitted; name a folder that can be written",
    errno.EROFS: "the file system is read-only; name a folder that can be written",
    errno.ENOTDIR: "a part of the path is a file; name a folder",
}


def _failed(line: str) -> int:
    print(f"understudy: {' '.join(line.split())}", file=sys.stderr)
    return 2
