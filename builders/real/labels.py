"""Maps the rows of a source to labelled texts of a task."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from builders.data import LabelledTexts
from builders.errors import UserError
from builders.real.base import RawSplits, Row
from builders.tasks.base import RealSource, Task


@dataclass
class LabelMap:
    """Finds the label of a value: the task's own name, or a value of its `real:` block.

    Attributes:
        task: The task.
        class_names: Names of the source's classes; an integer value may stand for one.
        task_form: Whether the task's own names are values too.
        dropped: Value -> rows that no label was found for.
        by_value: Rows whose label was found through the `real:` block alone.
    """

    task: Task
    class_names: tuple[str, ...] = ()
    task_form: bool = True
    dropped: Counter[str] = field(default_factory=Counter)
    by_value: int = 0

    def __post_init__(self) -> None:
        names = self.task.label_names
        self._own = {name: i for i, name in enumerate(names)} if self.task_form else {}
        source = self.task.real
        mapped = source.labels if source else {}
        self._mapped = {spelled(value): names.index(label) for value, label in mapped.items()}

    def index(self, value: Any) -> int | None:
        """Return the class index of `value`, or None; a row of several labels has none."""
        if isinstance(value, list | tuple):
            if len(value) != 1:
                self.dropped["several labels" if value else "no label"] += 1
                return None
            value = value[0]
        text = spelled(value)
        if text in self._own:
            return self._own[text]
        found = self._mapped.get(text)
        if found is None and isinstance(value, int) and 0 <= value < len(self.class_names):
            found = self._mapped.get(self.class_names[value])
        if found is None:
            self.dropped[text] += 1
        else:
            self.by_value += 1
        return found


def spelled(value: Any) -> str:
    """Spell a value as files of any format do: `True` and `1` are one value, 1.0 and `1` too."""
    if isinstance(value, bool) or str(value).strip().lower() in ("true", "false"):
        return str(int(str(value).strip().lower() == "true"))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def labelled(
    rows: Iterable[Row], labels: LabelMap, raw: RawSplits, split: str
) -> tuple[LabelledTexts, int]:
    """Return the rows as labelled texts, and how many had no text.

    Raises:
        UserError: A column is missing.
    """
    texts: list[str] = []
    indices: list[int] = []
    ids: list[str] = []
    blank = 0
    columns: tuple[str, str] | None = None
    for number, row in enumerate(rows):
        columns = columns or _columns(row, labels.task, f"{raw.source}, {split}")
        text = _text(row.get(columns[0]), labels.task.real)
        if not text:
            blank += 1
            continue
        index = labels.index(row.get(columns[1]))
        if index is not None:
            texts.append(text)
            indices.append(index)
            ids.append(str(row.get("id") or f"{split}-{number}"))
    names = labels.task.label_names
    return LabelledTexts(tuple(texts), tuple(indices), names, tuple(ids)), blank


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


def _text(value: Any, source: RealSource | None) -> str:
    if isinstance(value, list | tuple):
        value = ((source.join if source else None) or " ").join(map(str, value))
    return "" if value is None else " ".join(str(value).split())
