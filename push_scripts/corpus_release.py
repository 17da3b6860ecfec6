"""What a release of a corpus holds: of a folder that is to be released, and of one on the Hub.

README.md                the card
release.json             the manifest: version, task, labels, prompts, files, changelog
STRATEGY/train-*.parquet the rows of a configuration
STRATEGY/corpus.json     the record of its build
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builders.card import RECIPE
from builders.corpus import CARD, RECORD, read_parquet, read_records
from builders.errors import UserError
from push_scripts.hub_card import read_metadata
from push_scripts.manifest import MANIFEST, PART, read_manifest

if TYPE_CHECKING:
    from push_scripts.repository import Repository, Snapshot

Rows = Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Configuration:
    """One configuration of a release.

    Attributes:
        features: Columns and their types, as `datasets` writes them down.
        prompts: Digest of the words that the LLM was asked with.
        files: Path of each Parquet file -> its SHA-256 (hex).
        read_rows: Reads the rows: id -> the values of the other columns.
    """

    features: Mapping[str, Any]
    prompts: str
    files: Mapping[str, str]
    read_rows: Callable[[], Rows] = field(compare=False)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their indices."""
        return tuple(self.features["label"]["names"])


@dataclass(frozen=True)
class Contents:
    """What a release holds.

    Attributes:
        task: Name of the task.
        configurations: Name -> configuration; the first is the default one.
        files: Path of every file but the card and the manifest -> SHA-256 (hex).
        changelog: Version -> what changed with it, the newest first; empty before a release.
        card: SHA-256 (hex) of the part of the card that a push wrote; empty before a release.
    """

    task: str
    configurations: Mapping[str, Configuration]
    files: Mapping[str, str]
    changelog: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    card: str = ""


def read_folder(folder: Path) -> Contents:
    """Return what a corpus folder would release; hidden files are no part of it.

    Raises:
        UserError: It is no corpus folder, or not a whole one.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: is no folder; give the one that understudy build wrote")
    records = read_records(folder)
    if not records or not (folder / CARD).is_file():
        raise UserError(f"{folder}: is no corpus; give a folder that understudy build wrote")
    metadata = read_metadata(_card_text(folder / CARD), str(folder / CARD))
    recipe = metadata.get(RECIPE)
    if not isinstance(recipe, dict) or not isinstance(recipe.get("prompts"), dict):
        raise UserError(
            f"{folder / CARD}: does not say how the LLM was asked; build the corpus again"
        )
    configurations: dict[str, Configuration] = {}
    files: dict[str, str] = {}
    for record in records:
        if record.task != recipe.get("task"):
            raise UserError(
                f"{folder}: its {record.strategy} is of task {record.task!r}, its card of "
                f"{recipe.get('task')!r}; build the corpus again"
            )
        paths = sorted((folder / record.strategy).glob("*.parquet"))
        names = {f"{record.strategy}/{path.name}": path for path in paths}
        stray = [name for name in names if not PART.fullmatch(name)]
        whole = names and all(path.name.startswith(f"{record.files}-") for path in paths)
        if stray or not whole or record.strategy not in recipe["prompts"]:
            raise UserError(
                f"{folder}: its configuration {record.strategy} is not whole; build it again"
            )
        parquet = {name: file_digest(path) for name, path in names.items()}
        configurations[record.strategy] = Configuration(
            _features(paths[0]),
            str(recipe["prompts"][record.strategy]),
            parquet,
            partial(_rows, [path.read_bytes for path in paths], f"{folder} {record.strategy}"),
        )
        about = f"{record.strategy}/{RECORD}"
        files |= {**parquet, about: file_digest(folder / about)}
    return Contents(str(recipe["task"]), configurations, files)


def read_release(repository: "Repository", snapshot: "Snapshot", what: str) -> Contents:
    """Return what a revision on the Hub holds.

    Args:
        repository: The repository.
        snapshot: The files of the revision.
        what: How messages name it.

    Raises:
        UserError: It is no release of a corpus.
    """

    def reader(path: str) -> Callable[[], bytes]:
        def read() -> bytes:
            found = repository.read(path, snapshot.commit)
            if found is None:
                raise UserError(f"{what}: {path} is missing; it is not a whole release")
            return found

        return read

    if MANIFEST not in snapshot.files:
        raise UserError(
            f"{what}: holds no {MANIFEST}, so it is no release of a corpus and nothing can be "
            "compared with it; push to another repository"
        )
    manifest = read_manifest(reader(MANIFEST)(), what)
    configurations = {
        name: Configuration(
            each.features,
            each.prompts,
            manifest.parquet(name),
            partial(_rows, [reader(path) for path in manifest.parquet(name)], f"{what} {name}"),
        )
        for name, each in manifest.configurations.items()
    }
    return Contents(
        manifest.task, configurations, manifest.files, manifest.changelog, manifest.card
    )


def file_digest(path: Path) -> str:
    """Return the SHA-256 (hex) of a file."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _card_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UserError(
            f"{path}: is no UTF-8 text; save it as that, or remove it and build again"
        ) from None


def _features(path: Path) -> dict[str, Any]:
    import pyarrow.parquet

    try:
        schema = pyarrow.parquet.read_schema(path)
        features: dict[str, Any] = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        if "id" not in features or not features["label"]["names"]:
            raise ValueError("it has no ids or no labels")
        if list(features) != schema.names:
            raise ValueError("its columns are not those that it names")
        return features
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); build the corpus again") from error


def _rows(parquet: Sequence[Callable[[], bytes]], what: str) -> Rows:
    import pyarrow

    try:
        files = [pyarrow.BufferReader(read()) for read in parquet]
        table = pyarrow.concat_tables([read_parquet(file) for file in files])
        ids = table.column("id").to_pylist()
    except (OSError, ValueError, LookupError) as error:
        raise UserError(f"{what}: its rows cannot be read ({error}); build it again") from error
    others = (table.column(name).to_pylist() for name in table.column_names if name != "id")
    by_id = dict(zip(ids, zip(*others, strict=True), strict=True))
    if len(by_id) < len(ids):
        raise UserError(f"{what}: an id stands there twice; build it again")
    return by_id
