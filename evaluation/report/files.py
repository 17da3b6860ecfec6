"""Files written whole or not at all."""

import contextlib
import os
from pathlib import Path

from builders.errors import UserError


def write_whole(path: Path, content: bytes) -> Path:
    """Write `content` to `path` in one step, folders included: readers see the old or the new.

    Raises:
        UserError: The folder cannot be written or the disk is full; `path` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        os.replace(temporary, path)
    except OSError as error:
        raise UserError(
            f"{path}: cannot write the report ({error.strerror}); free space, or choose another "
            "folder"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return path


def remove(*paths: Path) -> None:
    """Remove files where they exist.

    Raises:
        UserError: The folder cannot be written.
    """
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise UserError(
                f"{path}: cannot remove an old figure ({error.strerror}); check the folder's rights"
            ) from error
