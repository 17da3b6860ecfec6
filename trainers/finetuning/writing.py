"""A disk that cannot be written, as what libraries raise in the middle of a file says it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builders.errors import UserError

_OF_TORCH = ("PytorchStreamWriter", "inline_container", "iostream error")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Say in one line that a file could not be written to its end.

    Args:
        folder: Where files are written in the meantime.

    Raises:
        UserError: The disk is full, or may not be written.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:
        if (why := _why(error)) is None:
            raise
        raise UserError(
            f"{folder}: cannot be written ({why}); free space and start again"
        ) from error


def _why(error: BaseException) -> str | None:
    """Return why nothing could be written; None where it was something else."""
    from safetensors import SafetensorError

    said = " ".join(str(error).split())
    match error:
        # One that names its file is reported as it is.
        case OSError(filename=None, strerror=str(reason)) if error.errno in _FULL:
            return reason
        case SafetensorError() if "Error while serializing" in said:
            return said
        # `torch.save` tells no errno: "PytorchStreamWriter failed writing file data/0", "[enforce
        # fail at inline_container.cc:664] . unexpected pos 64 vs 0", "iostream error".
        case RuntimeError() if "Reader" not in said and any(word in said for word in _OF_TORCH):
            return "no space is left, or nothing may be written"
    return None
