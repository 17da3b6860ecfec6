"""Texts without labels from a file: CSV, TSV, JSON lines or Parquet, plain or gzipped."""

from pathlib import Path

from builders.data import Texts
from builders.errors import UserError
from builders.real.base import Row
from builders.real.files import read_rows
from builders.real.labels import clean_text, unique_name
from builders.tasks.base import Task


def read_texts(path: Path, task: Task, column: str | None = None) -> tuple[Texts, int]:
    """Return the texts in a file, and how many rows had none; a column of labels is not read.

    Args:
        path: The file.
        task: The task; its `real:` block may name the column and join a list of tokens.
        column: The column that holds the texts; None for the one that the task names, then `text`.

    Raises:
        UserError: The file cannot be read, or has no such column.
    """
    if not path.is_file():
        raise UserError(f"--texts {path}: no such file")
    texts: list[str] = []
    ids: dict[str, None] = {}
    blank = 0
    for number, row in enumerate(read_rows(path)):
        column = column if number else _column(row, task, column, path)
        text = clean_text(row.get(column or ""), task.real, f"{path}, column {column!r}")
        if not text:
            blank += 1
            continue
        texts.append(text)
        ids[unique_name(row.get("id"), f"texts-{number}", ids)] = None
    return Texts(tuple(texts), tuple(ids)), blank


def _column(row: Row, task: Task, wanted: str | None, path: Path) -> str:
    named = [task.real.text] if task.real is not None else []
    asked = [wanted] if wanted is not None else [*named, "text"]
    found = next((name for name in asked if name in row), None)
    if found is None:
        raise UserError(
            f"--texts {path}: no column {' or '.join(map(repr, dict.fromkeys(asked)))}; it has "
            f"{', '.join(map(repr, row))}: name the one of the texts with --text-column"
        )
    return found
