"""Maps the rows of a source to labelled texts of a task."""

import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from builders.data import LabelledTexts
from builders.errors import UserError
from builders.normalisation import single_spaced
from builders.real.base import RawSplits, Row
from builders.tasks.base import RealSource, Task

SEVERAL, NONE = "several labels", "no label"
"""What rows whose label is a list of several, or of none, are counted under."""


@dataclass
class LabelMap:
    """Finds the label of a value: the task's own name, or a value of its `real:` block.

    Attributes:
        task: The task.
        class_names: Names of the source's classes; an integer value may stand for one.
        task_form: Whether the task's own names are values too.
        dropped: Value -> rows that no label was found for.
        by_value: Rows whose value the `real:` block maps.
    """

    task: Task
    class_names: tuple[str, ...] = ()
    task_form: bool = True
    dropped: Counter[str] = field(default_factory=Counter)
    by_value: int = 0

    def __post_init__(self) -> None:
        names = self.task.label_names
        own = names if self.task_form else ()
        self._own = {spelled(name): names.index(name) for name in own}
        self._own |= {name: names.index(name) for name in own}
        source = self.task.real
        mapped = source.labels if source else {}
        self._mapped = {spelled(value): names.index(label) for value, label in mapped.items()}

    def index(self, value: Any) -> int | None:
        """Return the class index of `value`, or None; a row of several labels has none."""
        if isinstance(value, list | tuple):
            if len(value) != 1:
                self.dropped[SEVERAL if value else NONE] += 1
                return None
            value = value[0]
        if value is None or value == "":
            self.dropped[NONE] += 1
            return None
        found = self._mapped.get(spelled(value))
        if found is None and isinstance(value, int) and 0 <= value < len(self.class_names):
            found = self._mapped.get(spelled(self.class_names[value]))
        self.by_value += found is not None
        # In a file the task's own name wins over what the same value stands for elsewhere.
        for text in (spelled(value), str(value).strip()):
            found = self._own.get(text, found)
        if found is None:
            self.dropped[spelled(value)] += 1
        return found


_WHOLE = re.compile(r"([+-]?\d+)\.0*")


def spelled(value: Any) -> str:
    """Spell a value as files of any format do: `True` and `1` are one value, `1.0` and `1` too."""
    text = str(value).strip()
    if text.lower() in ("true", "false"):
        return str(int(text.lower() == "true"))
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def labelled(
    rows: Iterable[Row], labels: LabelMap, raw: RawSplits, split: str
) -> tuple[LabelledTexts, int]:
    """Return the rows as labelled texts, and how many had no text.

    Raises:
        UserError: A column is missing, or holds no text.
    """
    texts: list[str] = []
    indices: list[int] = []
    ids: dict[str, None] = {}
    blank = 0
    columns: tuple[str, str] | None = None
    where = f"{raw.source}, {split}"
    for number, row in enumerate(rows):
        columns = columns or _columns(row, labels.task, where)
        text = clean_text(row.get(columns[0]), labels.task.real, f"{where}, column {columns[0]!r}")
        if not text:
            blank += 1
            continue
        index = labels.index(row.get(columns[1]))
        if index is not None:
            texts.append(text)
            indices.append(index)
            ids[unique_name(row.get("id"), f"{split}-{number}", ids)] = None
    names = labels.task.label_names
    return LabelledTexts(tuple(texts), tuple(indices), names, tuple(ids)), blank


def unique_name(given: Any, fallback: str, taken: Container[str]) -> str:
    """Return a name that no row before has: the source's own where it has a good one."""
    name = fallback if given is None or given == "" or str(given) in taken else str(given)
    while name in taken:
        name += "+"
    return name


def _columns(row: Row, task: Task, where: str) -> tuple[str, str]:
    """Name the columns of text and label: the `real:` block's, or `text` and `label`."""
    pairs = {"text": "text", "label": "label"}
    if task.real is not None:
        stated: Mapping[str, str] = {"text": task.real.text, "label": task.real.label}
        pairs = {kind: col if col in row else kind for kind, col in stated.items()}
    for kind, column in pairs.items():
        if column not in row:
            asked = {kind, getattr(task.real, kind, kind)}
            raise UserError(
                f"{where}: no column {' or '.join(map(repr, sorted(asked)))}; it has "
                f"{', '.join(map(repr, row))}: rename the column of the {kind} to {kind!r}"
            )
    return pairs["text"], pairs["label"]


def clean_text(value: Any, source: RealSource | None, where: str) -> str:
    """Return the text of a cell, its parts joined where it is a list."""
    if isinstance(value, list | tuple):
        if source is None or source.join is None:
            raise UserError(f"{where}: is a list; say in the task's real.join what joins its parts")
        value = source.join.join(map(str, value))
    if isinstance(value, dict | bytes):
        raise UserError(f"{where}: is no text but a {type(value).__name__}; name another column")
    return "" if value is None else single_spaced(str(value))
