"""A mistake in a task file, and the words in which one is told."""

import difflib
import reprlib
from collections.abc import Iterable
from dataclasses import dataclass

KeyPath = tuple[object, ...]
"""The keys that lead to a value: `("real", "labels", 3)`."""

_LONGEST_VALUE = 60


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong in a task file.

    Attributes:
        key: Where, as a dotted path such as `real.labels.3`; empty where it is the whole file.
        wrong: What is wrong.
        right: What would be right.
        line: Line of the key in the file, from 1; None where the key is not there.
    """

    key: str
    wrong: str
    right: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"line {self.line}" if self.line is not None else ""
        return ": ".join(part for part in (place, self.key, f"{self.wrong}; {self.right}") if part)


def key_name(path: KeyPath) -> str:
    """Write `path` with dots, as a `Mistake` carries it; always one line."""
    return ".".join(
        key if isinstance(key, str) and key.isprintable() and key else shown(key) for key in path
    )


def shown(value: object) -> str:
    """Write `value` as YAML would, on one line and cut where it is long."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    short = reprlib.Repr()
    short.maxstring = short.maxother = _LONGEST_VALUE
    return " ".join(short.repr(value).split("\n"))


def listed(words: Iterable[str]) -> str:
    """Write `words` quoted, with commas between them."""
    return ", ".join(repr(word) for word in words)


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the one of `known` that `word` was most likely meant to be, ignoring case."""
    by_folded = {each.casefold(): each for each in known}
    found = difflib.get_close_matches(word.casefold(), by_folded, n=1)
    return by_folded[found[0]] if found else None
