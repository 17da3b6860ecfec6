"""Texts without labels from files: columns, names, rows without a text."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from label_answers import TASK

from builders.data import Texts
from builders.errors import UserError
from builders.real.unlabelled import read_texts
from builders.tasks.base import RealSource

SOURCE = RealSource("acme/plants", "words", "kind", {}, {"train": "train"}, join=" ")


def written(folder: Path, rows: Sequence[Any]) -> Path:
    """Write JSON lines."""
    path = folder / "texts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_column_called_text_is_read_and_one_of_labels_is_not(tmp_path: Path) -> None:
    """White space becomes single spaces; rows are named by their place."""
    path = written(tmp_path, [{"text": " A\n fern ", "label": "wrong"}, {"text": "An oak"}])

    assert read_texts(path, TASK) == (Texts(("A fern", "An oak"), ("texts-0", "texts-1")), 0)


def test_the_column_of_the_tasks_real_data_comes_first(tmp_path: Path) -> None:
    """As do its tokens, joined as the task says."""
    path = written(tmp_path, [{"words": ["An", "oak"], "text": "other"}])

    texts, _ = read_texts(path, replace(TASK, real=SOURCE))

    assert texts.texts == ("An oak",)


def test_a_column_that_is_named_is_the_one(tmp_path: Path) -> None:
    """Whatever else there is."""
    path = written(tmp_path, [{"words": "a", "text": "b", "note": "c"}])

    assert read_texts(path, replace(TASK, real=SOURCE), "note")[0].texts == ("c",)


def test_names_are_kept_where_they_are_good_and_are_never_the_same(tmp_path: Path) -> None:
    """A number is a name; one that is there already, or is missing, is replaced."""
    ids = [7, 7, None, "x", ""]
    path = written(tmp_path, [{"text": f"Text {i}", "id": name} for i, name in enumerate(ids)])

    assert read_texts(path, TASK)[0].ids == ("7", "texts-1", "texts-2", "x", "texts-4")


def test_rows_without_a_text_are_counted(tmp_path: Path) -> None:
    """Missing, empty, or nothing but white space."""
    path = written(tmp_path, [{"text": "A fern"}, {"other": 1}, {"text": ""}, {"text": " \n"}])

    texts, blank = read_texts(path, TASK)

    assert (texts.texts, blank) == (("A fern",), 3)


@pytest.mark.parametrize(
    ("rows", "column", "words"),
    [
        ([{"note": "x"}], None, "no column 'text'; it has 'note': name the one of the texts with"),
        ([{"text": "x"}], "note", "no column 'note'; it has 'text'"),
        ([{"text": {"a": 1}}], None, "column 'text': is no text but a dict"),
        ([{"text": ["a"]}], None, "column 'text': is a list; say in the task's real.join"),
        ([], None, "no rows"),
    ],
)
def test_a_file_without_texts_is_refused_in_one_line(
    rows: list[Any], column: str | None, words: str, tmp_path: Path
) -> None:
    """With the column that is missing, and the remedy."""
    with pytest.raises(UserError, match=words):
        read_texts(written(tmp_path, rows), TASK, column)


def test_a_folder_is_no_file_of_texts(tmp_path: Path) -> None:
    """`--real` takes folders."""
    with pytest.raises(UserError, match=f"--texts {tmp_path}: no such file"):
        read_texts(tmp_path, TASK)
