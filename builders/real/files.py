"""Real texts from files: CSV, TSV, JSON lines or Parquet, plain or gzipped."""

import csv
import gzip
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from builders.errors import NotAtHand, UserError
from builders.real.base import SPLITS, RawSplits, Row


def read_files(path: Path, task: str) -> RawSplits:
    """Read the task's rows at `path`: one file, or a folder with one file a split.

    In a folder, `TASK.SPLIT.*`, `TASK/SPLIT.*`, `SPLIT.*` and `SPLIT-*.parquet` are looked for in
    this order, then one file `TASK.*`. A single file has no test split of its own.

    Raises:
        NotAtHand: The folder has nothing for the task.
        UserError: There is no such path, or a file cannot be read.
    """
    if not path.exists():
        raise UserError(f"--real {path}: no such file or folder")
    if path.is_file():
        return RawSplits({"train": list(read_rows(path))}, str(path))
    found = {split: files for split in SPLITS if (files := _of_split(path, task, split))}
    if "train" not in found and "test" not in found:
        single = _with_ending(path, task)
        if not single:
            raise NotAtHand(
                f"--real {path}: no data for {task}; name the files {task}.train.csv and "
                f"{task}.test.csv (or .tsv, .jsonl, .parquet, also .gz), or {task}.csv"
            )
        found = {"train": single}
    rows = {split: [row for f in files for row in read_rows(f)] for split, files in found.items()}
    return RawSplits(rows, str(path))


def has_files(path: Path, task: str) -> bool:
    """Say whether the folder `path` holds files of its own for `task`."""
    named = [_with_ending(path, f"{task}.{split}") for split in SPLITS]
    return any(named) or bool(_with_ending(path, task)) or (path / task).is_dir()


def read_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of one file.

    Raises:
        UserError: The ending is not known, or the content does not fit it.
    """
    reader = _READERS.get(_ending(path))
    if reader is None:
        raise UserError(f"{path}: unknown ending; use one of {', '.join(sorted(_READERS))}, .gz")
    count = 0
    try:
        for row in reader(path):
            count += 1
            yield row
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise UserError(f"{path}: cannot be read after {count} rows: {error}") from error
    if not count:
        raise UserError(f"{path}: no rows; it needs columns for the text and the label")


def _ending(path: Path) -> str:
    return Path(path.name.removesuffix(".gz")).suffix


def _of_split(folder: Path, task: str, split: str) -> list[Path]:
    for parent, stem in ((folder, f"{task}.{split}"), (folder / task, split), (folder, split)):
        if files := _with_ending(parent, stem):
            return files
    return sorted(folder.glob(f"{split}-*.parquet"))


def _with_ending(folder: Path, stem: str) -> list[Path]:
    for ending in _READERS:
        for packed in ("", ".gz"):
            path = folder / f"{stem}{ending}{packed}"
            if path.is_file():
                return [path]
    return []


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _delimited(delimiter: str) -> Callable[[Path], Iterator[Row]]:
    def read(path: Path) -> Iterator[Row]:
        csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
        with _opened(path) as lines:
            for row in csv.DictReader(lines, delimiter=delimiter, strict=True):
                if None in row:
                    raise ValueError("a row has more fields than the header")
                yield row

    return read


def _json_lines(path: Path) -> Iterator[Row]:
    with _opened(path) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError(f"line {number} is not a JSON object")
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
