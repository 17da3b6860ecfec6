"""A cell of the comparison of losses: one corpus, one method, all seeds; a line of a file."""

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.uncertainty.scores import macro_f1_interval

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cell:
    """What a method made of a corpus.

    Attributes:
        key: Everything that decides it.
        group: What the corpus is compared among.
        corpus: Its name.
        task: The task whose real texts it was measured by.
        method: The method.
        n_labels: Labels of the task.
        n_train: Training texts of a run.
        left_out: Training texts of weight 0, mean over seeds.
        references: True labels of the test texts (n_test,).
        predictions: A row a seed (seeds, n_test).
        dropped: Reason -> rows of the corpus that were not used.
        seconds: Wall time.
    """

    key: str
    group: str
    corpus: str
    task: str
    method: str
    n_labels: int
    n_train: int
    left_out: float
    references: Ints
    predictions: Ints
    dropped: dict[str, int]
    seconds: float

    @cached_property
    def macro_f1(self) -> float:
        """Mean over seeds, from 0 to 1."""
        return macro_f1_interval(
            self.references, self.predictions, self.n_labels, replicates=1
        ).value

    def as_json(self) -> str:
        """Return the cell as a line; a label is a digit."""
        values = asdict(self) | {
            "references": _digits(self.references),
            "predictions": [_digits(row) for row in self.predictions],
        }
        return json.dumps(values)


def read_cells(path: Path) -> dict[str, Cell]:
    """Return the cells of a file by their keys; a last line that a kill cut short is left out."""
    if not path.is_file():
        return {}
    cells = {}
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            cell = _cell(json.loads(line))
            cells[cell.key] = cell
    return cells


def append_cell(path: Path, cell: Cell) -> None:
    """Add a cell to a file; a last line that a kill cut short is taken away first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.write(cell.as_json().encode() + b"\n")


def _cell(values: dict[str, Any]) -> Cell:
    return Cell(
        **values
        | {
            "references": _labels(values["references"]),
            "predictions": np.stack([_labels(row) for row in values["predictions"]]),
        }
    )


def _digits(labels: Ints) -> str:
    return "".join(map(str, labels))


def _labels(digits: str) -> Ints:
    return np.array([int(digit) for digit in digits], dtype=np.int64)
