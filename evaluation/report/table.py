"""A table as the report's pages, its Markdown and the terminal show it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column's head.

    Attributes:
        title: What it holds.
        group: What stands above it and its neighbours of the same group.
        number: Whether it holds numbers, which are set to the right.
        wide: Whether it holds running text, which may wrap.
    """

    title: str
    group: str = ""
    number: bool = True
    wide: bool = False

    @property
    def full_title(self) -> str:
        """Group and title in one line."""
        return f"{self.group}: {self.title}" if self.group else self.title


@dataclass(frozen=True)
class Cell:
    """A cell.

    Attributes:
        value: What it says.
        detail: What qualifies the value, set smaller.
        link: Anchor in the page that tells where the value comes from.
        anchor: Of a row's first cell: the row's own anchor.
    """

    value: str
    detail: str = ""
    link: str = ""
    anchor: str = ""


@dataclass(frozen=True)
class Table:
    """A table with its notes.

    Attributes:
        key: Its anchor in the page.
        title: Its heading.
        columns: The heads, the first of which names the rows.
        rows: The cells, row by row.
        notes: What one must know to read it, a sentence each.
    """

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse rows that do not fit the columns.

        Raises:
            ValueError: A row has more or fewer cells than there are columns.
        """
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"{self.key}: rows do not have {len(self.columns)} cells")

    @property
    def groups(self) -> tuple[tuple[str, int], ...]:
        """The groups in order, each with how many columns it spans."""
        spans: list[tuple[str, int]] = []
        for column in self.columns:
            if spans and column.group and spans[-1][0] == column.group:
                spans[-1] = (column.group, spans[-1][1] + 1)
            else:
                spans.append((column.group, 1))
        return tuple(spans)

    @property
    def is_grouped(self) -> bool:
        """Whether any column belongs to a group."""
        return any(column.group for column in self.columns)
