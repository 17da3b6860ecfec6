"""A working folder inside the one that a result goes to: one writer at a time, gone afterwards."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builders.errors import UserError

LOCK = ".lock"
_STAGING = ".building"
_WAIT_S = 60.0  # for another process's writing, which takes seconds


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Give a working folder in `folder`, for this process alone; make `folder` where it is not.

    What is whole moves from there to its place by renaming. Afterwards the working folder is gone,
    and so are folders made for it that stayed empty. What a killed process left behind is removed
    by the next.

    Raises:
        UserError: Another process is writing to `folder` and does not end.
        OSError: The disk is full, or the folder cannot be made or written; it is named then.
    """
    from filelock import FileLock, Timeout

    made: list[Path] = []
    staging = folder / _STAGING
    try:
        made = _made(folder)
        with FileLock(folder / LOCK, timeout=_WAIT_S):
            try:
                shutil.rmtree(staging, ignore_errors=True)
                staging.mkdir()
                yield staging
            finally:
                shutil.rmtree(staging, ignore_errors=True)
    except Timeout:
        raise UserError(
            f"{folder}: another process is writing there; wait for it, or name another folder"
        ) from None
    except OSError as error:
        if error.errno is not None:  # the system's: of a place in here that means nothing to a user
            error.filename = str(folder)
        raise
    finally:
        _unmake(made, folder)


def _made(folder: Path) -> list[Path]:
    """Make `folder` with its parents; return what was made, the innermost first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _unmake(made: list[Path], folder: Path) -> None:
    """Remove the folders of `made` that hold nothing but the lock."""
    if made and os.listdir(folder) == [LOCK]:
        (folder / LOCK).unlink()
    for each in made:
        try:
            each.rmdir()
        except OSError:
            return
