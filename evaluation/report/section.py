"""A section of the report: what both the page and its Markdown twin show under one heading."""

from dataclasses import dataclass
from typing import NamedTuple

from evaluation.report.style import Drawing
from evaluation.report.table import Table
from evaluation.report.verdict import Verdict


class Entry(NamedTuple):
    """A term and what the report says of it."""

    term: str
    text: str


@dataclass(frozen=True)
class Block:
    """One thing in a section: exactly one of these is there.

    Attributes:
        text: A paragraph.
        heading: A heading of its own.
        entries: Terms with what is said of them.
        table: A table.
        figure: A figure.
        verdicts: Verdicts, one a task.
    """

    text: str = ""
    heading: str = ""
    entries: tuple[Entry, ...] = ()
    table: Table | None = None
    figure: Drawing | None = None
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True)
class Section:
    """A section.

    Attributes:
        key: Its anchor in the page.
        title: Its heading.
        short: What the contents call it.
        blocks: What it shows, in order.
        folded: Whether the page shows it only when it is opened.
    """

    key: str
    title: str
    short: str
    blocks: tuple[Block, ...]
    folded: bool = False

    @property
    def figures(self) -> tuple[Drawing, ...]:
        """The figures, in order."""
        return tuple(block.figure for block in self.blocks if block.figure is not None)
