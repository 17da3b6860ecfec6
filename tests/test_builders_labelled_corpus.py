"""Real texts with an LLM's labels on disk: what is written, what replaces it, and the card."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import DatasetCard
from label_answers import TASK, right, texts, unlabelled

from builders.annotation import Labelling, LabelOrder, label_texts
from builders.corpus import check_folder, read_corpus, read_records, write_corpus
from builders.errors import UserError
from builders.llms.recording import Recording
from builders.tasks.base import Task

POOL = texts(8)


def labelled(
    folder: Path,
    answers: list[str] | None = None,
    *,
    gold: bool = True,
    task: Task = TASK,
    n: int | None = None,
) -> Labelling:
    """Label eight texts, four a request, with a recording of these answers."""
    usual = [
        json.dumps({"labels": [right(text) for text in POOL.texts[i : i + 4]]}) for i in (0, 4)
    ]
    lines = []
    for i, answer in enumerate(answers or usual):
        choice = {"message": {"content": answer}}
        body = {"model": "gardener-2", "choices": [choice]}
        line: dict[str, Any] = {
            "custom_id": f"plants/annotate/train/t{i}",
            "ids": POOL.ids[4 * i : 4 * i + 4],
            "response": {"status_code": 200, "body": body},
        }
        lines.append(json.dumps(line) + "\n")
    path = folder / "recording" / "annotate" / "plants.train.responses.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines), encoding="utf-8")
    pool = POOL if gold else unlabelled(8)
    recording = Recording(folder / "recording")
    return label_texts(task, pool, recording, LabelOrder(n=n), source="a|source.csv")


def card_of(folder: Path, made: Labelling) -> str:
    """Write it and return its card."""
    write_corpus(made, folder / "out")
    return (folder / "out" / "README.md").read_text(encoding="utf-8")


def test_what_was_written_reads_back(tmp_path: Path) -> None:
    """Texts, labels, names and the record."""
    made = labelled(tmp_path)

    record = write_corpus(made, tmp_path / "out")

    assert read_corpus(tmp_path / "out", "llm_labelled", TASK.label_names) == made.texts
    assert read_records(tmp_path / "out") == [replace(record, path="")]
    assert record.content_hash == made.texts.content_hash


def test_the_same_labelling_gives_the_same_bytes(tmp_path: Path) -> None:
    """Written twice, to two places."""
    for name in ("one", "two"):
        write_corpus(labelled(tmp_path), tmp_path / name)

    files = [
        {
            str(p.relative_to(tmp_path / name)): p.read_bytes()
            for p in (tmp_path / name).rglob("*")
            if p.is_file() and p.name != ".lock"
        }
        for name in ("one", "two")
    ]
    assert files[0] == files[1]


def test_a_new_labelling_replaces_the_old_one(tmp_path: Path) -> None:
    """One Parquet file is left, under another name."""
    write_corpus(labelled(tmp_path), tmp_path / "out")
    before = list((tmp_path / "out").rglob("*.parquet"))

    write_corpus(labelled(tmp_path, n=5), tmp_path / "out")

    after = list((tmp_path / "out").rglob("*.parquet"))
    assert len(before) == len(after) == 1
    assert before != after
    assert len(read_corpus(tmp_path / "out", "llm_labelled", TASK.label_names)) == 5


def test_a_labelling_without_labels_is_not_written(tmp_path: Path) -> None:
    """`load_dataset` cannot read a split without rows."""
    made = labelled(tmp_path, ["?\n?", "?\n?"])

    with pytest.raises(UserError, match="plants llm_labelled: no text was kept"):
        write_corpus(made, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_of_real_texts_takes_no_written_ones(tmp_path: Path) -> None:
    """Nor the other way round."""
    from little_corpus import TASK as PLANTS
    from little_corpus import write

    write_corpus(labelled(tmp_path), tmp_path / "real")
    write(tmp_path / "written")

    with pytest.raises(UserError, match="holds real texts; real and written texts are kept apart"):
        check_folder(tmp_path / "real", TASK, "zero_shot")
    with pytest.raises(UserError, match="holds texts that an LLM wrote; real and written"):
        check_folder(tmp_path / "written", PLANTS, "llm_labelled")
    check_folder(tmp_path / "real", TASK, "llm_labelled")


def test_the_card_says_what_is_real_and_what_is_an_llms(tmp_path: Path) -> None:
    """The Hub's own class reads it: found texts, machine-made labels, and not synthetic."""
    card = card_of(tmp_path, labelled(tmp_path))

    data = vars(DatasetCard(card).data)
    assert data["language_creators"] == ["found"]
    assert data["annotations_creators"] == ["machine-generated"]
    assert data["tags"] == ["llm-labelled", "understudy"]
    assert data["configs"][0]["config_name"] == "llm_labelled"
    assert "The texts are real" in card
    assert "Source of the texts: a\\|source.csv, `train`" in card
    assert "These are other people's texts" in card
    assert "whether texts were cut is not known" in card


def test_the_card_counts_agreement_and_what_got_no_label(tmp_path: Path) -> None:
    """Two of four labels are wrong, one is none, and four texts have no answer."""
    answers = ['{"labels": ["out door", "in/door", "out door", "pond"]}', '{"labels": []}']

    card = card_of(tmp_path, labelled(tmp_path, answers))

    # the true labels of the first four texts: in/door, out door, out door, in/door
    assert "| labelled | 1 | 2 |\n" in card
    assert "Texts without a label: unknown label 1, wrong count 4." in card
    assert "Requests without anything usable: wrong count 1" in card
    assert "1 of 3 texts have the label that they have in their source." in card
    assert "| true label | in/door | out door |\n" in card
    assert "| in/door | 0 | 1 |\n| out door | 1 | 1 |\n" in card


def test_the_card_does_not_make_up_an_agreement(tmp_path: Path) -> None:
    """Where the true labels are not known."""
    card = card_of(tmp_path, labelled(tmp_path, gold=False))

    assert "The true labels are not known" in card
    assert "true label |" not in card


def test_the_card_holds_no_text_of_the_data_set(tmp_path: Path) -> None:
    """Other people's texts stand in the Parquet alone."""
    made = labelled(tmp_path)
    card = card_of(tmp_path, made)

    record = (tmp_path / "out" / "llm_labelled" / "corpus.json").read_text(encoding="utf-8")
    assert not any(text in card or text in record for text in POOL.texts)


def test_hostile_words_of_a_task_are_text_and_not_markup(tmp_path: Path) -> None:
    """Labels, meanings and the question, in lists, tables and in the words of the request."""
    labels = {"in/door": "<b>bold</b>\n# heading", "out door": "![x](http://e.example) `code`"}
    task = replace(TASK, labels=labels, title="yes: [no] #1", description="Is\n---\nthis?")

    card = card_of(tmp_path, labelled(tmp_path, task=task))

    block = yaml.safe_load(card.split("---\n")[1])
    assert block["pretty_name"] == "yes: [no] #1: real texts, labelled by an LLM"
    assert "- `in/door`: \\<b\\>bold\\</b\\> \\# heading\n" in card
    asked = card.partition("## How the LLM was asked")[2].partition("## Limits")[0]
    lines = [line for line in asked.splitlines() if "heading" in line or "---" in line]
    assert lines and all(line.startswith("    ") for line in lines)
