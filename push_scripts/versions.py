"""Semantic versions, and which one a changed corpus gets."""

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from builders.errors import UserError

_NUMBER = "(0|[1-9][0-9]*)"
_VERSION = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}")


@dataclass(frozen=True, order=True)
class Version:
    """A semantic version without pre-release or build parts (semver.org 2.0.0, points 2 and 11).

    Attributes:
        major: Raised when what a consumer relies on is another.
        minor: Raised when rows are others.
        patch: Raised when there is only more.
    """

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Read `X.Y.Z`.

        Raises:
            UserError: It is not three whole numbers without leading zeros.
        """
        found = _VERSION.fullmatch(text)
        if not found:
            raise UserError(f"version {text!r}: is not of the form X.Y.Z; give one like 1.2.0")
        return cls(*map(int, found.groups()))

    @classmethod
    def from_tag(cls, tag: str) -> "Version | None":
        """Return the version that a tag names, `vX.Y.Z`; None for any other tag."""
        found = _VERSION.fullmatch(tag[1:]) if tag.startswith("v") else None
        return cls(*map(int, found.groups())) if found else None

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def tag(self) -> str:
        """The name of its tag."""
        return f"v{self}"

    def raised(self, level: "Level") -> "Version":
        """Return the next version of that level."""
        return {
            Level.NONE: self,
            Level.PATCH: Version(self.major, self.minor, self.patch + 1),
            Level.MINOR: Version(self.major, self.minor + 1, 0),
            Level.MAJOR: Version(self.major + 1, 0, 0),
        }[level]


FIRST = Version(1, 0, 0)


class Level(IntEnum):
    """How much a release differs from the one before."""

    NONE = 0
    PATCH = 1
    MINOR = 2
    MAJOR = 3


class Change(NamedTuple):
    """What differs from the last release.

    Attributes:
        level: The weightiest difference.
        reasons: Each difference in plain words, the weightiest first.
    """

    level: Level
    reasons: tuple[str, ...]


def next_version(last: Version | None, change: Change, asked: Version | None = None) -> Version:
    """Return the version of what is to be released: `last` itself where nothing is.

    Args:
        last: The last release, None where there is none.
        change: What differs from it; not looked at where there is none.
        asked: What the user wants; may be higher than the computed version, never lower.

    Raises:
        UserError: `asked` is lower than the computed version.
    """
    computed = FIRST if last is None else last.raised(change.level)
    if asked is None or asked == computed:
        return computed
    if asked > computed:
        return asked
    if asked == last:
        raise UserError(
            f"version {asked}: is released with other content ({'; '.join(change.reasons)}) and "
            f"stays as it is; leave --version out, or give {computed} or a higher one"
        )
    why = f" ({'; '.join(change.reasons)})" if last is not None and change.reasons else ""
    raise UserError(
        f"version {asked}: is lower than {computed}, which the changes need{why}; leave --version "
        "out, or give a higher one"
    )
