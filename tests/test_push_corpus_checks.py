"""What is looked at in a corpus folder before a push: every column that holds words."""

import json
from dataclasses import replace
from pathlib import Path

import little_corpus
import pytest
from label_answers import TASK, right, texts

from builders.annotation import label_texts
from builders.corpus import write_corpus
from builders.errors import UserError
from builders.llms.recording import Recording
from push_scripts.corpus_checks import check_folder
from push_scripts.corpus_release import read_folder


def labelled(folder: Path, *ids: str) -> Path:
    """Write a corpus of labelled texts that have these names in their source."""
    pool = replace(texts(len(ids)), ids=ids)
    path = folder / "recording" / "annotate" / "plants.train.responses.jsonl"
    path.parent.mkdir(parents=True)
    content = json.dumps({"labels": [right(text) for text in pool.texts]})
    body = {"choices": [{"message": {"content": content}}]}
    name = "plants/annotate/train/t1"
    line = {"custom_id": name, "ids": ids, "response": {"status_code": 200, "body": body}}
    path.write_text(json.dumps(line), encoding="utf-8")
    write_corpus(label_texts(TASK, pool, Recording(folder / "recording")), folder / "corpus")
    return folder / "corpus"


def check(folder: Path, *allow: str) -> str:
    """Check a folder with nothing to compare it with."""
    return check_folder(folder, read_folder(folder), None, None, allow)


def test_personal_data_in_an_id_stops_a_push_and_names_the_column(tmp_path: Path) -> None:
    """A name of a text in its source may be a person's address."""
    folder = labelled(tmp_path, "t1", "jo.doe@mail.org", "al.roe@mail.org")

    said = r"llm_labelled: personal_data: e-mail address in 2 of 3 values of id \(first in row 1"
    with pytest.raises(UserError, match=said):
        check(folder)
    assert "personal_data: e-mail address in 2 values of `id`." in check(folder, "personal_data")


def test_the_card_says_which_columns_were_looked_at(tmp_path: Path) -> None:
    """All that hold words, of every configuration."""
    table = check(little_corpus.write(tmp_path / "plants"))

    assert "| secrets: OpenAI key | 0 |" in table
    assert table.endswith("Secrets and personal data in `id`, `strategy`, `llm`: none.")


def test_a_check_that_there_is_not_cannot_be_allowed(tmp_path: Path) -> None:
    """Leaks are looked for in the texts alone, and may be allowed all the same."""
    folder = little_corpus.write(tmp_path / "plants")

    assert check(folder, "leak")
    with pytest.raises(UserError, match="--allow leaks: is no check; the checks are leak, secrets"):
        check(folder, "leaks")
