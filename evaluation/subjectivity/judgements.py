"""Judgements of which of two tasks is the more objective: read and written as CSV or JSONL.

Li et al. (2023), section 4.2, show a judge two tasks at a time. Columns: `judge`, `a` and `b` (the
two tasks, in the order in which they were shown), `more_objective` (one of the two, or `tie`).
"""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from builders.errors import UserError
from builders.llms.recording import EMBEDDED
from builders.real.base import Row
from builders.real.files import read_rows

RECORDED = EMBEDDED / "pairs" / "judges.jsonl.gz"
"""All 45 pairs of the ten tasks, judged three times by the LLM of the embedded recording, each time
with other examples and in another order: three judges, none of them a person."""

TIE = "tie"
COLUMNS = ("judge", "a", "b", "more_objective")


@dataclass(frozen=True)
class Judgement:
    """One answer of one judge.

    Attributes:
        judge: Who judged: a person, or an LLM in one run.
        a: The task that was shown first.
        b: The task that was shown second.
        more_objective: `a`'s name, `b`'s name, or `tie`.
    """

    judge: str
    a: str
    b: str
    more_objective: str

    @property
    def pair(self) -> tuple[str, str]:
        """The two tasks in the order of the alphabet."""
        return (self.a, self.b) if self.a < self.b else (self.b, self.a)


@dataclass(frozen=True)
class Judgements:
    """What a file of judgements holds.

    Attributes:
        given: The judgements.
        unanswered: Rows whose answer is empty.
    """

    given: tuple[Judgement, ...]
    unanswered: int = 0

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that were judged, by name."""
        return tuple(sorted({task for each in self.given for task in each.pair}))

    @property
    def judges(self) -> tuple[str, ...]:
        """The judges that answered, by name."""
        return tuple(sorted({each.judge for each in self.given}))


def recorded_judgements() -> Judgements:
    """Return the judgements that ship; see `RECORDED` for whose they are."""
    return read_judgements(RECORDED)


def read_judgements(path: Path) -> Judgements:
    """Read judgements from a CSV, TSV, JSONL or Parquet file, plain or gzipped.

    An answer is the task's name, or `a`, `b` or `tie`; columns beside the four are ignored.

    Raises:
        UserError: A column is missing, an answer is none of the two tasks, a task is compared with
            itself, a judge answers twice for one pair, or no answer is there.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; give a CSV or JSONL file of judgements")
    given: dict[tuple[str, tuple[str, str]], Judgement] = {}
    unanswered = 0
    for number, row in enumerate(read_rows(path), 1):
        judgement = _judgement(row, f"{path}, row {number}")
        if not judgement.more_objective:
            unanswered += 1
            continue
        key = (judgement.judge, judgement.pair)
        if key in given:
            raise UserError(
                f"{path}, row {number}: {judgement.judge!r} judges {' and '.join(judgement.pair)} "
                "a second time; keep one of the two rows"
            )
        given[key] = judgement
    if not given:
        raise UserError(f"{path}: no row has an answer; fill the column more_objective")
    return Judgements(tuple(given.values()), unanswered)


def write_judgements(judgements: Sequence[Judgement], path: Path) -> None:
    """Write judgements to `path`, as JSONL where its name ends so, else as CSV."""
    if path.suffix == ".jsonl":
        text = "".join(f"{json.dumps(asdict(each))}\n" for each in judgements)
    else:
        text = csv_text(COLUMNS, (asdict(each) for each in judgements))
    path.write_text(text, encoding="utf-8", newline="")


def csv_text(columns: Sequence[str], rows: Iterable[dict[str, str]]) -> str:
    """Return rows as the text of a CSV file."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _judgement(row: Row, where: str) -> Judgement:
    values = {}
    for column in COLUMNS:
        if column not in row:
            raise UserError(
                f"{where}: no column {column!r}; a row of judgements has {', '.join(COLUMNS)}"
            )
        values[column] = "" if row[column] is None else str(row[column]).strip()
    for column in COLUMNS[:3]:
        if not values[column]:
            raise UserError(f"{where}: {column} is empty; give its name")
    a, b = values["a"], values["b"]
    if a == b:
        raise UserError(f"{where}: {a} is compared with itself; name two tasks")
    said = values["more_objective"]
    answer = said if said in (a, b) else {"": "", "a": a, "b": b, TIE: TIE}.get(said.lower())
    if answer is None:
        raise UserError(
            f"{where}: more_objective is {said!r}; give {a}, {b} or {TIE}, or leave it empty"
        )
    return Judgement(values["judge"], a, b, answer)
