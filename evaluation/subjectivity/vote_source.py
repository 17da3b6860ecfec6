"""A YAML file that says how a file of votes is to be read: its task, its columns, its values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import NoReturn, TypeVar

from builders.errors import UserError
from builders.real.labels import spelled
from builders.tasks.document import Document
from builders.tasks.mistakes import closest, listed
from builders.tasks.reading import ROOT_RIGHT, read_document

Absent = TypeVar("Absent", str, None)

SHIPPED = Path(__file__).parent / "sources"
"""Descriptions of public data; the data itself does not ship."""


@dataclass(frozen=True)
class ListOfVotes:
    """A row a text: one column holds the list of its votes (JSONL, Parquet); null is no vote."""

    column: str


@dataclass(frozen=True)
class VoteColumns:
    """A row a text, a column an annotator; an empty cell is no vote."""

    columns: tuple[str, ...]


@dataclass(frozen=True)
class VoteRows:
    """A row a vote; rows with the same id are votes on the same text."""

    annotator: str
    label: str


@dataclass(frozen=True)
class AgreementBins:
    """A row a text: a column tells only how far its annotators agreed.

    Attributes:
        column: The column.
        shares: Its values -> least share of annotators that agree, 0 to 1.
    """

    column: str
    shares: Mapping[str, float]


@dataclass(frozen=True)
class VoteSource:
    """How a file of votes is read.

    Attributes:
        name: For tables: the name of the description's file.
        task: Name or path of the task.
        file: The file of votes, relative to `folder`.
        folder: Where the description lies; of one that ships, None.
        votes: Where the votes stand.
        labels: Value in the file -> label of the task; where empty, labels stand for themselves.
        only_votes: Values that count as a vote, and are no label of the task.
        ignored: Values that count as no vote; they are counted.
        keep: Column -> its values in the rows to read; other rows are counted.
        gold: Column of the true label, or None where the majority of the votes stands for it.
        text: Column of the text.
        id: Column of the text's id.
        note: What has to be known of these votes, for the report.
    """

    name: str
    task: str
    file: str
    folder: Path | None
    votes: ListOfVotes | VoteColumns | VoteRows | AgreementBins
    labels: Mapping[str, str] = field(default_factory=dict)
    only_votes: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    keep: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gold: str | None = None
    text: str = "text"
    id: str = "id"
    note: str = ""


def shipped_sources() -> tuple[str, ...]:
    """Return the names of the descriptions that ship, sorted."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.yaml")))


def load_vote_source(name_or_path: str) -> VoteSource:
    """Read a description that ships, by its name, or one of a user's own, by its path.

    Raises:
        UserError: There is none, or it has a mistake.
    """
    if name_or_path in shipped_sources():
        return _Reader(SHIPPED / f"{name_or_path}.yaml", None).source()
    path = Path(name_or_path)
    if not path.is_file():
        raise UserError(
            f"{name_or_path}: no such description of votes; give the path of a YAML file, or one "
            f"of {', '.join(shipped_sources())}"
        )
    return _Reader(path, path.parent).source()


_FORMS = (
    "{list: COLUMN}, {columns: [COLUMN, ...]}, {annotator: COLUMN, label: COLUMN} or "
    "{bins: COLUMN, shares: {VALUE: SHARE}}"
)
_KEYS = tuple(each.name for each in fields(VoteSource) if each.name not in ("name", "folder"))


class _Reader:
    """Checks a description and makes a `VoteSource` of it; a mistake names its key and line."""

    def __init__(self, path: Path, folder: Path | None) -> None:
        self.path = path
        self.folder = folder
        self.document: Document = read_document(path)

    def source(self) -> VoteSource:
        if self.document.mistakes:
            mistake = self.document.mistakes[0]
            if mistake.right == ROOT_RIGHT:
                mistake = replace(mistake, right=f"give the keys {', '.join(_KEYS)}")
            raise UserError(f"{self.path}: {mistake}")
        for key in self.document.mapping():
            if key not in _KEYS:
                near = closest(str(key), _KEYS)
                remedy = f"did you mean {near!r}?" if near else f"the keys are {', '.join(_KEYS)}"
                self._wrong((key,), "is not a key that a description of votes has", remedy)
        source = VoteSource(
            name=self.path.stem,
            task=self._text("task"),
            file=self._text("file"),
            folder=self.folder,
            votes=self._votes(),
            labels={spelled(v): str(la) for v, la in self._mapping("labels").items()},
            keep={str(column): self._values("keep", column) for column in self._mapping("keep")},
            only_votes=self._values("only_votes"),
            ignored=self._values("ignored"),
            gold=self._text_or("gold", None),
            text=self._text_or("text", "text"),
            id=self._text_or("id", "id"),
            note=self._text_or("note", ""),
        )
        for value in sorted({*source.only_votes, *source.ignored} & set(source.labels)):
            self._wrong(("labels",), f"has {value!r}, and so has another key", "keep one")
        if isinstance(source.votes, AgreementBins) and source.gold is None:
            self._wrong(("gold",), "is missing", "bins tell no label; name the column that does")
        return source

    def _votes(self) -> ListOfVotes | VoteColumns | VoteRows | AgreementBins:
        form = self._mapping("votes")
        match form:
            case {"list": str(column), **rest} if not rest:
                return ListOfVotes(column)
            case {"columns": list(columns), **rest} if columns and not rest:
                return VoteColumns(tuple(map(str, columns)))
            case {"annotator": str(annotator), "label": str(label), **rest} if not rest:
                return VoteRows(annotator, label)
            case {"bins": str(column), "shares": dict(shares), **rest} if shares and not rest:
                return AgreementBins(column, {spelled(v): self._share(v) for v in shares})
        self._wrong(("votes",), "does not say where the votes stand", f"give {_FORMS}")

    def _share(self, value: object) -> float:
        share = self.document.get("votes", "shares", value)
        if isinstance(share, int | float) and 0 < share <= 1:
            return float(share)
        self._wrong(("votes", "shares", value), f"is {share!r}", "give a share from 0 to 1")

    def _text(self, key: str) -> str:
        value = self.document.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
        wrong = "is missing" if value is None else "is not text"
        self._wrong((key,), wrong, "give text, in quotes where YAML reads it otherwise")

    def _text_or(self, key: str, absent: Absent) -> str | Absent:
        return absent if self.document.get(key) is None else self._text(key)

    def _mapping(self, key: str) -> dict[object, object]:
        value = self.document.get(key)
        if value is not None and not (isinstance(value, dict) and value):
            self._wrong((key,), "is no mapping", f"write `{key}: {{...}}`, or leave it out")
        return self.document.mapping(key)

    def _values(self, *path: str | object) -> tuple[str, ...]:
        value = self.document.get(*path)
        if value is None and len(path) == 1:
            return ()
        if isinstance(value, list) and value:
            return tuple(spelled(each) for each in value)
        self._wrong(path, "is no list of values", "write [VALUE, ...]")

    def _wrong(self, path: tuple[object, ...], wrong: str, right: str) -> NoReturn:
        raise UserError(f"{self.path}: {self.document.mistake(path, wrong, right)}")


def check_labels(source: VoteSource, label_names: tuple[str, ...]) -> dict[str, int]:
    """Return value in the file -> class index.

    Raises:
        UserError: A label that the description names is none of the task's.
    """
    labels = source.labels or {spelled(name): name for name in label_names}
    unknown = sorted(set(labels.values()) - set(label_names))
    if unknown:
        raise UserError(
            f"{source.name}: labels names {listed(unknown)}, and task {source.task} has "
            f"{listed(label_names)}: correct the description"
        )
    return {value: label_names.index(label) for value, label in labels.items()}
