"""Columns of plain text for a terminal, set side by side in as many blocks as the width needs."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.report.wording import one_line

_BETWEEN = "  "


@dataclass(frozen=True)
class TextColumn:
    """A head, which may break after an underscore or a space, and a cell a row."""

    title: str
    cells: tuple[str, ...]


def set_columns(names: TextColumn, columns: Sequence[TextColumn], width: int) -> str:
    """Set `columns` beside the row names, no line longer than `width` terminal cells.

    Columns that find no room go into a further block with the names repeated; what is too long for
    a third of the width is cut.
    """
    first = _lay_out(names, width // 3)
    blocks: list[list[_Laid]] = [[]]
    used = first.width
    for column in columns:
        laid = _lay_out(column, width // 3)
        needed = len(_BETWEEN) + laid.width
        if blocks[-1] and used + needed > width:
            blocks.append([])
            used = first.width
        blocks[-1].append(laid)
        used += needed
    return "\n\n".join(_block(first, block) for block in blocks)


def text_width(text: str) -> int:
    """Count the terminal cells of `text`: wide letters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


@dataclass(frozen=True)
class _Laid:
    head: tuple[str, ...]
    cells: tuple[str, ...]
    width: int


def _lay_out(column: TextColumn, most: int) -> _Laid:
    cells = tuple(_cut(one_line(cell), most) for cell in column.cells)
    parts = [_cut(part, most) for part in re.split(r"(?<=[_ ])", one_line(column.title))]
    width = max((text_width(each.rstrip()) for each in (*cells, *parts)), default=0)
    head = [""]
    for part in parts:
        if text_width((head[-1] + part).rstrip()) > width:
            head.append("")
        head[-1] += part
    return _Laid(tuple(line.rstrip() for line in head), cells, width)


def _block(names: _Laid, columns: Sequence[_Laid]) -> str:
    height = max(len(each.head) for each in (names, *columns))
    lines = []
    for row in range(height):
        heads = [_line(each.head, row) for each in columns]
        lines.append(_set_line(_line(names.head, row), heads, names, columns))
    rule = _BETWEEN.join("-" * each.width for each in (names, *columns))
    lines.append(rule)
    for row, name in enumerate(names.cells):
        lines.append(_set_line(name, [each.cells[row] for each in columns], names, columns))
    return "\n".join(lines)


def _line(head: Sequence[str], row: int) -> str:
    return head[row] if row < len(head) else ""


def _set_line(name: str, cells: Sequence[str], names: _Laid, columns: Sequence[_Laid]) -> str:
    padded = [name + " " * (names.width - text_width(name))]
    for cell, column in zip(cells, columns, strict=True):
        padded.append(" " * (column.width - text_width(cell)) + cell)
    return _BETWEEN.join(padded).rstrip()


def _cut(text: str, most: int) -> str:
    if text_width(text.rstrip()) <= most:
        return text
    kept = ""
    for c in text:
        if text_width(kept + c) > most - 3:
            break
        kept += c
    return f"{kept}..."
