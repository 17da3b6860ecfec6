"""A YAML file that was read: its values, and for every key its line and how it was written."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

from builders.tasks.mistakes import KeyPath, Mistake, key_name, shown


@dataclass(frozen=True)
class Place:
    """Where a key stands.

    Attributes:
        line: Its line, from 1.
        key: The key as written, before YAML made `yes` a truth value.
        value: The value as written; None where it is a list or a mapping.
    """

    line: int
    key: str
    value: str | None


@dataclass(frozen=True)
class Document:
    """A YAML file that was read.

    Attributes:
        data: Its keys and values; None where it could not be read as that.
        mistakes: What is wrong with it as YAML: one where it does not parse, duplicate keys.
        places: Where each key stands.
    """

    data: dict[object, object] | None
    mistakes: tuple[Mistake, ...] = ()
    places: Mapping[KeyPath, Place] = field(default_factory=dict)

    def get(self, *path: object) -> object:
        """Return the value at `path`, None where there is none."""
        value: object = self.data
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def mapping(self, *path: object) -> dict[object, object]:
        """Return the mapping at `path`, an empty one where there is none."""
        value = self.get(*path)
        return value if isinstance(value, dict) else {}

    def mistake(self, path: KeyPath, wrong: str, right: str) -> Mistake:
        """Make a mistake at `path`, on its line or that of the nearest key above it."""
        written: list[object] = []
        line = None
        for depth, key in enumerate(path, 1):
            place = self.places.get(path[:depth])
            written.append(place.key if place else key)
            line = place.line if place else line
        return Mistake(key_name(tuple(written)), wrong, right, line)

    def not_text(self, path: KeyPath, right: str) -> Mistake:
        """Say that the value at `path` should be text, and how to quote it where that is all."""
        value, place = self.get(*path), self.places.get(path)
        if value is None:
            return self.mistake(path, "has no value", right)
        written = place.value if place else None
        if isinstance(value, dict | list) or written is None:
            return self.mistake(path, f"is {_kind(value)}, not text", right)
        written = " ".join(written.split())
        wrong = f"is not text: YAML reads {written} as {_kind(value)}"
        return self.mistake(path, wrong, f'quote it: "{written}"')

    def key_not_text(self, path: KeyPath, right: str) -> Mistake:
        """Say that the last key of `path` should be text."""
        place = self.places.get(path)
        if path[-1] is None or place is None:
            return self.mistake(path, "has no text before the colon", right)
        wrong = f"this key is not text: YAML reads {place.key} as {_kind(path[-1])}"
        return self.mistake(path, wrong, f'quote it: "{place.key}"')


def _kind(value: object) -> str:
    """Name what YAML made of a value that should have been text."""
    match value:
        case bool():
            return shown(value)
        case int() | float():
            return "a number"
        case datetime.date():
            return "a date"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return f"a {type(value).__name__}"
