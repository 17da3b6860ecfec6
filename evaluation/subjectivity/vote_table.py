"""The rows of a file of votes, one by one, and what is counted on the way."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from builders.errors import UserError
from builders.normalisation import single_spaced
from builders.real.base import Row
from builders.real.files import read_rows
from builders.real.labels import spelled
from evaluation.subjectivity.vote_source import VoteSource, check_labels


@dataclass
class Item:
    """One text.

    Attributes:
        id: Its name.
        text: The text.
        gold: Class index of its true label, or None.
        votes: Its votes as the description spells them; None is a missing vote.
    """

    id: str
    text: str
    gold: int | None
    votes: list[str | None]


@dataclass
class VoteTable:
    """The rows of a file.

    Attributes:
        source: How they are read.
        label_names: The task's labels, in the order of the class indices.
        path: The file.
        left_out: Reason -> how many rows, texts or votes are left out.
        unknown: Value that the description does not know -> how often it stands there.
        labels: Value in the file -> class index.
    """

    source: VoteSource
    label_names: tuple[str, ...]
    path: Path
    left_out: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.labels = check_labels(self.source, self.label_names)

    def rows(self, *columns: str) -> Iterator[tuple[str, Row]]:
        """Yield where each row stands, and the row, of those that are kept and have a text.

        Raises:
            UserError: A row lacks one of `columns`, or a column that the description names.
        """
        source = self.source
        needed = (source.text, *source.keep, *([source.gold] if source.gold else []), *columns)
        for number, row in enumerate(read_rows(self.path), 1):
            where = f"{self.path}, row {number}"
            if missing := next((column for column in needed if column not in row), None):
                raise UserError(
                    f"{where}: no column {missing!r}; it has {', '.join(map(repr, row))}: correct "
                    f"the description {source.name}"
                )
            if any(spelled(row[column]) not in kept for column, kept in source.keep.items()):
                self.left_out["rows that the description does not keep"] += 1
            elif not cell_text(row[source.text]):
                self.left_out["rows without a text"] += 1
            else:
                yield where, row

    def item(self, row: Row, fallback: str) -> Item:
        """Return the text of a row, named `fallback` where it has no id, without its votes."""
        name = cell_text(row.get(self.source.id)) or fallback
        return Item(name, cell_text(row[self.source.text]), self.gold(row), [])

    def gold(self, row: Row) -> int | None:
        """Return the class index of the gold label; None where there is none."""
        value = vote_of(row[self.source.gold]) if self.source.gold else None
        if value is None or value in (*self.source.only_votes, *self.source.ignored):
            return None
        if value not in self.labels:
            self.unknown[value] += 1
        return self.labels.get(value)

    def refuse_unknown(self) -> None:
        """Raise a UserError where a value of the file is not described."""
        if not self.unknown:
            return
        some = ", ".join(f"{value!r} ({n})" for value, n in self.unknown.most_common(5))
        raise UserError(
            f"{self.path}: votes that the description {self.source.name} does not know: {some}"
            f"{' ...' if len(self.unknown) > 5 else ''}; name them in labels, only_votes or ignored"
        )

    def refuse_nothing(self, kept: int) -> None:
        """Raise a UserError where no text is left."""
        if not kept:
            counts = ", ".join(f"{reason}: {n}" for reason, n in self.left_out.items())
            raise UserError(
                f"{self.path}: no text is left ({counts}); correct the description "
                f"{self.source.name}, or give another file"
            )


def vote_of(value: Any) -> str | None:
    """Return a vote as the description spells it; None where it is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):  # NaN as in Parquet
        return None
    return spelled(value) or None


def cell_text(value: Any) -> str:
    """Return the text of a cell with single spaces; of an empty one, nothing."""
    return "" if value is None else single_spaced(str(value))
