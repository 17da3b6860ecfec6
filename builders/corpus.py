"""A corpus on disk: written whole or not at all, read back as labelled texts.

    FOLDER/README.md                   the card; its YAML block is what `load_dataset` reads
    FOLDER/STRATEGY/train-DIGEST-*     the Parquet of one configuration
    FOLDER/STRATEGY/corpus.json        counts, reasons and settings of its build

A folder holds texts that an LLM wrote, a configuration a strategy, or real texts that one labelled,
`llm_labelled`, and never both: what may be published of the one may not of the other.

The Parquet is named by its content and the card names it in full. The renaming of the card is thus
the one step at which a corpus changes; and a changed corpus has new file names, so that `datasets`,
which knows a file by its path and time, never answers with what it cached of the old one.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from builders.annotation import CONFIGURATION, Labelling, LabellingRecord
from builders.card import corpus_card, parted
from builders.composition import Composition
from builders.corpus_parquet import write_parquet
from builders.data import LabelledTexts
from builders.errors import UserError
from builders.facts import BuildRecord, CorpusRecord
from builders.labelled_card import labelled_card
from builders.staging import staged
from builders.strategies import STRATEGIES
from builders.tasks.base import Task

_ROWS_AT_ONCE = 20_000  # looked through before a push
CARD = "README.md"
RECORD = "corpus.json"


_RECORDS: dict[str, type[BuildRecord]] = {
    **dict.fromkeys(STRATEGIES, CorpusRecord),
    CONFIGURATION: LabellingRecord,
}
"""Name of a configuration -> what its record is, in the order of the card."""


def write_corpus(
    made: Composition | Labelling, folder: Path, version: str = "1.0.0"
) -> BuildRecord:
    """Write one configuration into the corpus folder `folder` and renew its card.

    An older configuration of the same name is replaced, and what somebody wrote below the line
    `OWN_TEXT` of the card is kept; a process killed at any point leaves the old corpus or the new
    one.

    Returns:
        The record, with the path of the corpus folder.

    Raises:
        UserError: There is no text, or the folder holds another task's corpus or something else.
        OSError: The disk is full, or the folder cannot be written.
    """
    task, strategy = made.task, made.record.strategy
    check_folder(folder, task, strategy)
    if not sum(made.record.kept.values()):  # `load_dataset` cannot read a split without rows
        raise UserError(
            f"{task.name} {strategy}: no text was kept, so nothing is written to {folder}; see the "
            "reasons"
        )
    with staged(folder) as staging:
        new = staging / strategy
        digest = write_parquet(made, new, version)
        record: BuildRecord = replace(made.record, files=f"train-{digest}")
        text = json.dumps(record.as_dict(), indent=1, ensure_ascii=False)
        (new / RECORD).write_text(text + "\n", encoding="utf-8")
        there = {each.strategy: each for each in read_records(folder)} | {strategy: record}
        records = [there[name] for name in _RECORDS if name in there]
        write_card(staging, task, version, records, _own_text(folder))
        _put_in_place(staging, folder, strategy)
        _tidy(folder, records)
    return replace(record, path=str(folder))


def write_card(
    folder: Path, task: Task, version: str, records: Sequence[BuildRecord], own: str
) -> None:
    """Write the README of a corpus folder from its configurations' records, `own` at its end."""
    written = [each for each in records if isinstance(each, CorpusRecord)]
    labelled = [each for each in records if isinstance(each, LabellingRecord)]
    if labelled:
        card = labelled_card(task, labelled[0], version)
    else:
        card = corpus_card(task, written, version)
    (folder / CARD).write_text(card + own, encoding="utf-8")


def _own_text(folder: Path) -> str:
    """Return what somebody wrote below the line `OWN_TEXT` of the card that is there."""
    path = folder / CARD
    if not path.is_file():
        return ""
    try:
        return parted(path.read_text(encoding="utf-8"))[1] or ""
    except UnicodeDecodeError:
        raise UserError(
            f"{path}: is no UTF-8 text; save it as that, or remove it and build again"
        ) from None


def read_records(folder: Path) -> list[BuildRecord]:
    """Return the records of a corpus folder's configurations, in the order of its card.

    Raises:
        UserError: A record cannot be read.
    """
    paths = [folder / name / RECORD for name in _RECORDS]
    return [_read_record(path) for path in paths if path.is_file()]


def read_corpus(folder: Path, strategy: str, label_names: tuple[str, ...]) -> LabelledTexts:
    """Read one configuration back.

    Raises:
        UserError: It is not there, is damaged, or its labels are not `label_names`.
    """
    table, path = _read_table(folder, strategy, ["text", "label", "id"])
    try:
        features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
        columns = table.to_pydict()
        stored = tuple(features["label"]["names"])
    except (ValueError, LookupError, TypeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); build it again") from error
    if stored != label_names:
        raise UserError(
            f"{folder}: its labels are {', '.join(stored)}, the task's are "
            f"{', '.join(label_names)}: build it again"
        )
    texts, labels, ids = (tuple(columns[name]) for name in ("text", "label", "id"))
    for row, (text, label, name) in enumerate(zip(texts, labels, ids, strict=True), 1):
        if not (isinstance(text, str) and isinstance(name, str)):
            raise UserError(f"{path}: row {row} has no text or no id; build it again")
        if not (isinstance(label, int) and 0 <= label < len(label_names)):
            raise UserError(
                f"{path}: row {row} has the label {label!r}, and there are {len(label_names)} from "
                "0; build it again"
            )
    return LabelledTexts(texts, labels, label_names, ids)


def read_texts(folder: Path, strategy: str, column: str = "text") -> Iterator[Any]:
    """Yield the texts of one configuration, in Arrow arrays of some thousands: quick, and small.

    So are the values of another column of strings.

    Raises:
        UserError: It is not there, or is damaged.
    """
    import pyarrow
    import pyarrow.parquet

    for path in _files(folder, strategy):
        with _readable(path), pyarrow.parquet.ParquetFile(path) as opened:
            for part in opened.iter_batches(_ROWS_AT_ONCE, columns=[column], use_threads=False):
                texts = part.column(column)
                if texts.null_count or not pyarrow.types.is_string(texts.type):
                    raise ValueError(f"a {column} is missing or is no text")
                yield texts


def _read_table(folder: Path, strategy: str, columns: list[str]) -> tuple[Any, Path]:
    """Return the columns of a configuration, and its first file."""
    import pyarrow

    files = _files(folder, strategy)
    with _readable(files[0]):
        return pyarrow.concat_tables([read_parquet(file, columns) for file in files]), files[0]


def read_parquet(file: Any, columns: Sequence[str] | None = None) -> Any:
    """Read columns, or all, of one Parquet file; `read_table` imports ten times as much first."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(file) as opened:
        table = opened.read(columns=columns)
    return table if columns is None else table.select(columns)  # a missing one is an error


def _files(folder: Path, strategy: str) -> list[Path]:
    path = folder / strategy / RECORD
    record = _read_record(path) if path.is_file() else None
    files = sorted((folder / strategy).glob(f"{record.files}-*.parquet")) if record else []
    if not files:
        raise UserError(f"{folder}: no configuration {strategy!r}; build it first")
    return files


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Say of a file that cannot be read what to do."""
    try:
        yield
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); build it again") from error


def check_folder(folder: Path, task: Task, strategy: str) -> None:
    """Refuse a folder that cannot take this configuration.

    Raises:
        UserError: It is neither new, nor empty, nor a corpus folder of `task` with these labels,
            or its card is no text.
    """
    if folder.is_file():
        raise UserError(f"--out {folder}: is a file; name a folder")
    if not folder.is_dir() or all(path.name.startswith(".") for path in folder.iterdir()):
        return
    records = read_records(folder)
    if not records:
        raise UserError(f"--out {folder}: is not empty and not a corpus; name another folder")
    _own_text(folder)
    for record in records:
        if record.task != task.name:
            raise UserError(
                f"--out {folder}: holds the corpus of task {record.task!r}; name another folder"
            )
        if (record.strategy in STRATEGIES) != (strategy in STRATEGIES):
            kind = "texts that an LLM wrote" if record.strategy in STRATEGIES else "real texts"
            raise UserError(
                f"--out {folder}: holds {kind}; real and written texts are kept apart, since what "
                "may be published of them differs: name another folder"
            )
        # One card describes the labels of all configurations.
        if record.strategy != strategy and tuple(record.kept) != task.label_names:
            raise UserError(
                f"--out {folder}: its {record.strategy} has the labels {', '.join(record.kept)}, "
                f"the task has {', '.join(task.label_names)}; name another folder"
            )


def _put_in_place(staging: Path, folder: Path, strategy: str) -> None:
    """Move what is whole to its place, the card last."""
    new, place = staging / strategy, folder / strategy
    if place.exists():
        for path in new.glob("*.parquet"):
            os.replace(path, place / path.name)
        os.replace(new / RECORD, place / RECORD)
    else:
        os.replace(new, place)
    os.replace(staging / CARD, folder / CARD)


def _tidy(folder: Path, records: Sequence[BuildRecord]) -> None:
    """Remove the Parquet that no record names: an older corpus's, or a killed build's."""
    for record in records:
        for path in (folder / record.strategy).glob("*.parquet"):
            if not path.name.startswith(f"{record.files}-"):
                path.unlink()


def _read_record(path: Path) -> BuildRecord:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        record = _RECORDS[path.parent.name].from_dict(values)
        if not record.files:
            raise ValueError("it names no files")
        return record
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            f"{path}: cannot be read ({error}); remove the folder {path.parent} and build it again"
        ) from error
