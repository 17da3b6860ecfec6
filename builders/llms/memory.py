"""What is remembered of a server from run to run."""

from collections.abc import Callable
from typing import Protocol


class Memory(Protocol):
    """Keeps notes, such as how a server takes requests; the ledger does."""

    def dialect(self, endpoint: str, model: str) -> str | None:
        """Return what was learned of it, None for nothing."""

    def learn_dialect(self, endpoint: str, model: str, dialect: str) -> None:
        """Keep what was learned of it."""

    def note(self, name: str) -> str | None:
        """Return the note of that name, None if there is none."""

    def change_note(self, name: str, change: Callable[[str | None], str]) -> None:
        """Replace a note by what `change` makes of it, for later runs; an empty one is forgotten.

        No other process changes it meanwhile.
        """
