"""What a library refuses of an option's value, in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from builders.errors import UserError


@contextmanager
def refused(what: str, *also: type[Exception]) -> Iterator[None]:
    """Turn what a library raises of a value into a `UserError`.

    Args:
        what: The options that the value is of.
        also: What else the library raises for it.

    Raises:
        UserError: It raises.
    """
    kinds: tuple[type[Exception], ...] = (ValueError, TypeError, ImportError, *also)
    try:
        yield
    except kinds as error:
        raise UserError(f"{what}: {' '.join(str(error).split())}") from error
