"""Reads a file of votes as its description says; what is left out is counted with its reason."""

import os
from pathlib import Path

import numpy as np

from builders.data import LabelledTexts
from builders.errors import NotAtHand, UserError
from builders.tasks.base import Task
from evaluation.subjectivity.vote_source import (
    AgreementBins,
    ListOfVotes,
    VoteColumns,
    VoteRows,
    VoteSource,
)
from evaluation.subjectivity.vote_table import Item, VoteTable, cell_text, vote_of
from evaluation.subjectivity.votes import RatedTexts, Votes

MIN_VOTES = 2
"""Of one annotator's vote, agreement says nothing."""


def votes_file(source: VoteSource, given: Path | None = None) -> Path:
    """Find the file of votes: `given`, or the description's, beside it or in `$UNDERSTUDY_DATA`.

    Raises:
        NotAtHand: The description ships and the data, which does not, is not at hand.
        UserError: There is no such file.
    """
    if given is None and source.folder is None:
        data = os.environ.get("UNDERSTUDY_DATA")
        path = Path(data or "") / source.file
        if not data or not path.is_file():
            raise NotAtHand(
                f"{source.name}: its votes do not ship and are not in $UNDERSTUDY_DATA as "
                f"{source.file}: give --votes FILE"
            )
        return path
    path = given if given is not None else (source.folder or Path()) / source.file
    if not path.is_file():
        raise UserError(f"{source.name}: {path} is no file; give --votes FILE")
    return path


def read_votes(
    source: VoteSource, task: Task, path: Path, min_votes: int = MIN_VOTES
) -> Votes | RatedTexts:
    """Read the votes, or where the file tells only bins of agreement the rated texts.

    Args:
        source: How to read the file.
        task: The task that the description names.
        path: The file.
        min_votes: Texts with fewer votes are left out.

    Raises:
        UserError: A column is missing or wrong, a value is not described, an id stands twice, or no
            text is left.
    """
    table = VoteTable(source, task.label_names, path)
    if isinstance(source.votes, AgreementBins):
        return _rated(table, source.votes)
    items = _items(table, source.votes)
    rows = [_counts(item, table) for item in items]
    table.refuse_unknown()
    kept = []
    for i, (counts, item) in enumerate(zip(rows, items, strict=True)):
        if sum(counts) < min_votes:
            table.left_out[f"texts with fewer than {min_votes} votes"] += 1
        elif source.gold is not None and item.gold is None:
            table.left_out["texts without a gold label"] += 1
        else:
            kept.append(i)
    table.refuse_nothing(len(kept))
    gold = [items[i].gold for i in kept]
    return Votes(
        ids=tuple(items[i].id for i in kept),
        texts=tuple(items[i].text for i in kept),
        label_names=task.label_names,
        values=(*task.label_names, *source.only_votes),
        counts=np.array([rows[i] for i in kept], dtype=np.int64),
        gold=None if source.gold is None else np.array(gold, dtype=np.int64),
        left_out=dict(table.left_out),
    )


def _items(table: VoteTable, votes: ListOfVotes | VoteColumns | VoteRows) -> list[Item]:
    if isinstance(votes, VoteRows):
        return _from_rows(table, votes)
    return _from_cells(table, votes)


def _from_cells(table: VoteTable, votes: ListOfVotes | VoteColumns) -> list[Item]:
    """Return an item a row."""
    columns = votes.columns if isinstance(votes, VoteColumns) else (votes.column,)
    items: dict[str, Item] = {}
    for number, (where, row) in enumerate(table.rows(*columns)):
        item = table.item(row, f"row-{number}")
        if item.id in items:
            raise UserError(f"{where}: the id {item.id!r} stands twice; keep one of the rows")
        cells = [row[column] for column in columns]
        if isinstance(votes, ListOfVotes):
            if not isinstance(cells[0], list):
                raise UserError(f"{where}: {votes.column!r} is no list; correct the description")
            cells = cells[0]
        item.votes = [vote_of(cell) for cell in cells]
        items[item.id] = item
    return list(items.values())


def _from_rows(table: VoteTable, votes: VoteRows) -> list[Item]:
    """Return an item an id."""
    items: dict[str, Item] = {}
    voted: set[tuple[str, str]] = set()
    for where, row in table.rows(table.source.id, votes.annotator, votes.label):
        item = table.item(row, "")
        by = (item.id, cell_text(row[votes.annotator]))
        if not all(by):
            raise UserError(f"{where}: the id or the annotator is empty; give both")
        first = items.setdefault(item.id, item)
        if (first.text, first.gold) != (item.text, item.gold):
            raise UserError(
                f"{where}: id {item.id!r} has another text or gold label than in a row before; "
                "give each text an id of its own"
            )
        if by in voted:
            raise UserError(f"{where}: {by[1]!r} votes on {by[0]!r} a second time; keep one vote")
        voted.add(by)
        first.votes.append(vote_of(row[votes.label]))
    return list(items.values())


def _counts(item: Item, table: VoteTable) -> list[int]:
    """Count the item's votes for each value: the task's labels, then what is a vote only."""
    source, n_labels = table.source, len(table.label_names)
    counts = [0] * (n_labels + len(source.only_votes))
    for vote in item.votes:
        if vote is None:
            continue
        if vote in table.labels:
            counts[table.labels[vote]] += 1
        elif vote in source.only_votes:
            counts[n_labels + source.only_votes.index(vote)] += 1
        elif vote in source.ignored:
            table.left_out[f"votes {vote!r}, which the description ignores"] += 1
        else:
            table.unknown[vote] += 1
    return counts


def _rated(table: VoteTable, bins: AgreementBins) -> RatedTexts:
    items, shares = [], []
    for number, (_, row) in enumerate(table.rows(bins.column)):
        item, level = table.item(row, f"row-{number}"), vote_of(row[bins.column])
        if item.gold is None or level is None:
            table.left_out["texts without a gold label or a bin"] += 1
        elif level not in bins.shares:
            table.unknown[level] += 1
        else:
            items.append(item)
            shares.append(bins.shares[level])
    table.refuse_unknown()
    table.refuse_nothing(len(items))
    texts = LabelledTexts(
        texts=tuple(item.text for item in items),
        labels=tuple(item.gold for item in items if item.gold is not None),
        label_names=table.label_names,
        ids=tuple(item.id for item in items),
    )
    return RatedTexts(texts, np.array(shares), dict(table.left_out))
