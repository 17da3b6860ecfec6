"""What a library refuses of an option's value, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from builders.errors import UserError


@contextmanager
def refused(what: str) -> Iterator[None]:
    """Turn what a library raises of a value into a `UserError`.

    Args:
        what: The options that the value is of.

    Raises:
        UserError: It raises.
    """
    try:
        yield
    except (ValueError, TypeError, ImportError) as error:
        raise UserError(f"{what}: {' '.join(str(error).split())}") from error
