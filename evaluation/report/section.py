"""A section of the report: what both the page and its Markdown twin show under one heading."""

from dataclasses import dataclass
from typing import NamedTuple

from evaluation.report.style import Drawing
from evaluation.report.table import Table
from evaluation.report.verdict import Advice


class Entry(NamedTuple):
    """A term and what the report says of it."""

    term: str
    text: str


@dataclass(frozen=True)
class Block:
    """One thing in a section: exactly one of these is there, but for the heading of `folded`.

    Attributes:
        text: A paragraph.
        heading: A heading of its own; of `folded`, what is seen while it is closed.
        folded: Blocks that the page shows only when they are opened.
        entries: Terms with what is said of them.
        table: A table.
        figure: A figure.
        advice: What to do, one a task.
    """

    text: str = ""
    heading: str = ""
    folded: tuple["Block", ...] = ()
    entries: tuple[Entry, ...] = ()
    table: Table | None = None
    figure: Drawing | None = None
    advice: tuple[Advice, ...] = ()


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
        every = [each for block in self.blocks for each in (block, *block.folded)]
        return tuple(block.figure for block in every if block.figure is not None)
