"""Real texts from files: CSV, TSV, JSON lines or Parquet, plain or gzipped."""

import csv
import gzip
import json
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from builders.errors import NotAtHand, UserError
from builders.real.base import SPLITS, RawSplits, Row


def read_files(path: Path, task: str) -> RawSplits:
    """Read the task's rows at `path`: one file, or a folder with one file a split.

    In a folder, `TASK.SPLIT.*`, `TASK/SPLIT.*` and `SPLIT.*` are looked for in this order, then
    one file `TASK.*`; `SPLIT-*.parquet` counts as `SPLIT.parquet` in parts. All splits are of the
    first form that has any. A single file has no test split of its own.

    Raises:
        NotAtHand: The folder has nothing for the task.
        UserError: There is no such path, a split has two files, or a file cannot be read.
    """
    if not path.exists():
        raise UserError(f"--real {path}: no such file or folder")
    if path.is_file():
        return RawSplits({"train": list(read_rows(path))}, str(path))
    found = next((splits for form in _forms(path, task) if (splits := _splits(*form))), {})
    if not found and (single := _with_ending(path, task)):
        found = {"train": single}
    if "train" not in found and "test" not in found:
        raise NotAtHand(
            f"--real {path}: no data for {task}; name the files {task}.train.csv and "
            f"{task}.test.csv (or .tsv, .jsonl, .parquet, also .gz), or {task}.csv"
        )
    rows = {split: [row for f in files for row in read_rows(f)] for split, files in found.items()}
    return RawSplits(rows, str(path))


def has_files(path: Path, task: str) -> bool:
    """Say whether the folder `path` holds files of its own for `task`."""
    *own, _ = _forms(path, task)
    return any(_splits(*form) for form in own) or bool(_with_ending(path, task))


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of one file.

    Raises:
        UserError: The ending is not known, or the content does not fit it.
    """
    reader = _READERS.get(Path(path.name.lower().removesuffix(".gz")).suffix)
    if reader is None:
        raise UserError(f"{path}: unknown ending; use one of {', '.join(sorted(_READERS))}, .gz")
    count = 0
    try:
        for row in reader(path):
            count += 1
            yield row
    except _UNREADABLE as error:
        raise UserError(f"{path}: cannot be read after {count} rows: {error}") from error
    if not count:
        raise UserError(f"{path}: no rows; it needs columns for the text and the label")


# `zlib.error` and `csv.Error` stand on their own; the others cover what pyarrow raises.
_UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    LookupError,
    NotImplementedError,
    RecursionError,
    csv.Error,
    zlib.error,
)


def _forms(folder: Path, task: str) -> tuple[tuple[Path, str], ...]:
    """Return how a split's file may be named: the folder it is in, and what precedes its split."""
    return (folder, f"{task}."), (folder / task, ""), (folder, "")


def _splits(folder: Path, prefix: str) -> dict[str, list[Path]]:
    found = {split: _of_split(folder, f"{prefix}{split}") for split in SPLITS}
    return {split: files for split, files in found.items() if files}


def _of_split(folder: Path, stem: str) -> list[Path]:
    # Compared by hand: a name may hold what `glob` takes for a pattern.
    parts = sorted(
        path
        for path in (folder.iterdir() if folder.is_dir() else ())
        if path.name.startswith(f"{stem}-") and path.suffix == ".parquet"
    )
    whole = _with_ending(folder, stem)
    if parts and whole:
        raise UserError(f"{whole[0]}: {parts[0].name} is there too; keep one of them")
    return whole or parts


def _with_ending(folder: Path, stem: str) -> list[Path]:
    named = [folder / f"{stem}{ending}{packed}" for ending in _READERS for packed in ("", ".gz")]
    there = [path for path in named if path.is_file()]
    if len(there) > 1:
        raise UserError(f"{there[0]}: {there[1].name} is there too; keep one of them")
    return there


def _opened(path: Path) -> IO[str]:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


_MERGED = (
    "a quotation mark makes one field of the lines {first} to {last}, tabs and all; where it is "
    'part of a text, put the text between quotation marks and double those within ("Say ""hi""."), '
    "or give JSONL"
)


def _delimited(delimiter: str) -> Callable[[Path], Iterator[Row]]:
    def read(path: Path) -> Iterator[Row]:
        csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
        with _opened(path) as lines:
            rows = csv.reader(lines, delimiter=delimiter, strict=True)
            header = next(rows, [])
            named = [name for name in header if name]
            if twice := next((name for name in named if named.count(name) > 1), None):
                raise ValueError(f"two columns are called {twice!r}")
            last = rows.line_num
            for values in rows:
                first, last = last + 1, rows.line_num
                if not values:  # an empty line
                    continue
                if delimiter == "\t" and any("\n" in each and "\t" in each for each in values):
                    raise ValueError(_MERGED.format(first=first, last=last))
                if len(values) != len(header):
                    raise ValueError(
                        f"line {rows.line_num} has {len(values)} fields, the header {len(header)}"
                    )
                yield dict(zip(header, values, strict=True))

    return read


def _json_lines(path: Path) -> Iterator[Row]:
    with _opened(path) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise ValueError(f"line {number} is no JSON ({error})") from error
            if not isinstance(row, dict):
                raise ValueError(f"line {number} is no JSON object")
            yield row


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow.parquet

    for batch in pyarrow.parquet.ParquetFile(path).iter_batches():
        yield from batch.to_pylist()


_READERS: dict[str, Callable[[Path], Iterator[Row]]] = {
    ".csv": _delimited(","),
    ".tsv": _delimited("\t"),
    ".jsonl": _json_lines,
    ".json": _json_lines,
    ".parquet": _parquet,
}
