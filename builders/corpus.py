"""A corpus on disk: written whole or not at all, read back as labelled texts."""

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builders.card import corpus_card
from builders.composition import Composition
from builders.data import LabelledTexts
from builders.errors import UserError
from builders.facts import CorpusRecord
from builders.strategies import STRATEGIES
from builders.tasks.base import Task

RECORD = "corpus.json"
"""Beside the Parquet of each configuration: counts, reasons and settings of the build."""


def write_corpus(composition: Composition, folder: Path, version: str = "1.0.0") -> CorpusRecord:
    """Write one configuration into the corpus folder `folder` and renew its card.

    The configuration appears by one rename, an older one of the same strategy is replaced.

    Returns:
        The record, with the path of the configuration.

    Raises:
        UserError: The folder holds another task's corpus, or something else.
    """
    from builders.synthetic_corpus import SyntheticCorpus

    task = composition.task
    check_folder(folder, task.name)
    record = composition.record
    folder.mkdir(parents=True, exist_ok=True)
    with _staged(folder, record.strategy) as staging, _quiet_datasets():
        cache = staging / "cache"
        builder = SyntheticCorpus(
            record.strategy, composition=composition, version=version, cache_dir=str(cache)
        )
        builder.download_and_prepare(str(staging / record.strategy), file_format="parquet")
        for spare in ("dataset_info.json",):  # repeats the card, with sizes of this machine
            (staging / record.strategy / spare).unlink(missing_ok=True)
        text = json.dumps(record.as_dict(), indent=1, ensure_ascii=False)
        (staging / record.strategy / RECORD).write_text(text + "\n", encoding="utf-8")
        _swap(staging / record.strategy, folder / record.strategy, staging / "old")
    write_card(folder, task, version)
    return record


def write_card(folder: Path, task: Task, version: str) -> None:
    """Write the README of a corpus folder from the records of its configurations."""
    records = read_records(folder)
    recorded = any("record" in record.llm for record in records)
    hidden = folder / f".README.{uuid.uuid4().hex}"
    hidden.write_text(corpus_card(task, records, version, recorded=recorded), encoding="utf-8")
    os.replace(hidden, folder / "README.md")


def read_records(folder: Path) -> list[CorpusRecord]:
    """Return the records of a corpus folder's configurations, in the order of the strategies.

    Raises:
        UserError: A record cannot be read.
    """
    paths = [folder / name / RECORD for name in STRATEGIES]
    return [_read_record(path) for path in paths if path.is_file()]


def read_corpus(folder: Path, strategy: str, label_names: tuple[str, ...]) -> LabelledTexts:
    """Read one configuration back.

    Raises:
        UserError: It is not there, or its labels are not `label_names`.
    """
    import pyarrow.parquet

    files = sorted((folder / strategy).glob("*.parquet"))
    if not files:
        raise UserError(f"{folder}: no configuration {strategy!r}; build it first")
    table = pyarrow.concat_tables([pyarrow.parquet.read_table(file) for file in files])
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    stored = tuple(features["label"]["names"])
    if stored != label_names:
        raise UserError(
            f"{folder}: its labels are {', '.join(stored)}, the task's are "
            f"{', '.join(label_names)}: build it again"
        )
    columns = table.select(["text", "label", "id"]).to_pydict()
    return LabelledTexts(
        tuple(columns["text"]), tuple(columns["label"]), label_names, tuple(columns["id"])
    )


def check_folder(folder: Path, task: str) -> None:
    """Refuse a folder that is not a corpus folder of `task`, nor new, nor empty."""
    if folder.is_file():
        raise UserError(f"--out {folder}: is a file; name a folder")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    records = read_records(folder)
    others = {record.task for record in records} - {task}
    if others:
        raise UserError(
            f"--out {folder}: holds the corpus of task {others.pop()!r}; name another folder"
        )
    if not records and any(not path.name.startswith(".") for path in folder.iterdir()):
        raise UserError(f"--out {folder}: is not empty and not a corpus; name another folder")


def _read_record(path: Path) -> CorpusRecord:
    try:
        return CorpusRecord.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); build the corpus again") from error


@contextmanager
def _staged(folder: Path, name: str) -> Iterator[Path]:
    """Give a working folder beside the result; it is gone afterwards, whatever happens."""
    staging = folder / f".building-{name}-{uuid.uuid4().hex[:8]}"
    staging.mkdir()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _swap(new: Path, place: Path, old: Path) -> None:
    if place.exists():
        os.replace(place, old)
    os.replace(new, place)


@contextmanager
def _quiet_datasets() -> Iterator[None]:
    """Keep the progress bars of `datasets` off the terminal: a corpus takes a second."""
    import datasets

    was = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if was:
            datasets.enable_progress_bars()
