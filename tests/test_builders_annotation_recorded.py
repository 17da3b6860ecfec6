"""Recorded labels: found by the names of texts, refused for others, never aligned by guess."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from label_answers import TASK, right, texts, unlabelled

from builders.annotation import (
    Agreement,
    Labelling,
    LabellingRecord,
    LabelOrder,
    label_texts,
    recorded_ids,
)
from builders.data import LabelledTexts
from builders.errors import UserError
from builders.llms.recording import EMBEDDED, Recording
from builders.real import load_real
from builders.tasks import load_task

TASKS = (
    *("ag_news", "relation_wiki", "imdb", "sms_spam", "reddit_emotion"),
    *("tweet_irony", "tweet_emotion", "sarcasm_news", "financial_phrasebank", "humor"),
)
POOL = texts(12)


def line(number: int, ids: Sequence[str], answer: str | None, **fields: Any) -> dict[str, Any]:
    """Return a line of a Batch output file with this answer."""
    message = {"role": "assistant", "content": answer}
    body = {"model": "gardener-2", "choices": [{"message": message, "finish_reason": "stop"}]}
    return {
        "custom_id": f"plants/annotate/train/t{number}",
        "ids": list(ids),
        "response": {"status_code": 200, "body": body},
        **fields,
    }


def answer_for(pool: LabelledTexts, start: int, stop: int) -> str:
    """Return the right labels of these texts."""
    return json.dumps({"labels": [right(text) for text in pool.texts[start:stop]]})


def whole() -> list[dict[str, Any]]:
    """Return three answers for four texts each."""
    return [
        line(i, POOL.ids[4 * i : 4 * i + 4], answer_for(POOL, 4 * i, 4 * i + 4)) for i in range(3)
    ]


def recording(
    folder: Path, lines: Sequence[Any], name: str = "plants.train.responses.jsonl"
) -> Recording:
    """Write a recording of these lines."""
    path = folder / "annotate" / name
    path.parent.mkdir(exist_ok=True)
    text = "".join(json.dumps(each) + "\n" for each in lines)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return Recording(folder)


def labelled(folder: Path, lines: Sequence[Any], **order: Any) -> Labelling:
    """Label the texts with a recording of these lines."""
    return label_texts(TASK, POOL, recording(folder, lines), LabelOrder(**order), source="here")


# ---- The embedded labels --------------------------------------------------------------------


def test_the_embedded_answers_hold_labels_and_names_and_no_text() -> None:
    """Each answer is a list of the task's labels; beside it stand names of texts, and no more."""
    fields = {"id", "custom_id", "ids", "response", "error"}
    for path in sorted((EMBEDDED / "annotate").iterdir()):
        task = load_task(path.name.partition(".")[0])
        for row in map(json.loads, gzip.decompress(path.read_bytes()).splitlines()):
            assert set(row) == fields and row["error"] is None
            assert set(row["response"]) == {"status_code", "request_id", "body"}
            (choice,) = row["response"]["body"]["choices"]
            answer = json.loads(choice["message"]["content"])
            assert set(answer) == {"labels"} and set(answer["labels"]) <= set(task.label_names)
            assert all(len(name.split()) == 1 and len(name) < 40 for name in row["ids"])


@pytest.mark.parametrize("task", TASKS)
def test_the_embedded_labels_are_those_of_real_texts(task: str, data_dir: Path) -> None:
    """400 training and 200 test texts, fewer where the data has fewer; all of them have a label."""
    loaded = load_task(task)
    real = load_real(loaded, str(data_dir / "real"))
    sizes = {"imdb": (200, 100), "reddit_emotion": (400, 195)}.get(task, (400, 200))

    for split, pool, size in (("train", real.train, sizes[0]), ("test", real.test, sizes[1])):
        record = label_texts(loaded, pool, Recording(), LabelOrder(split)).record
        assert len(recorded_ids(Recording(), loaded, split)) == size
        # Training texts that stand among the test texts are no longer in the data.
        assert record.labelled == record.asked == size - record.missing
        assert record.missing <= 2 * (split == "train")
        assert record.agreement is not None and (record.agreement.share or 0) > 0.8
        assert (record.unlabelled, record.failed_requests) == ({}, {})


def test_long_reviews_were_cut_and_are_counted(data_dir: Path) -> None:
    """Of 200 reviews 51 have more than 250 words."""
    imdb = load_task("imdb")

    record = label_texts(imdb, load_real(imdb, str(data_dir / "real")).train, Recording()).record

    assert (record.most_words, record.cut) == (250, 51)
    assert any("25 texts a request" in caveat for caveat in record.caveats)
    assert record.llm == "Claude, by Anthropic, November 2026 (recorded answers)"


# ---- What is found --------------------------------------------------------------------------


def test_labels_are_found_by_the_names_of_texts(tmp_path: Path) -> None:
    """In the order of the recording, whatever the order of the data; the true ones beside them."""
    shuffled = POOL.select([5, 3, 11, 0, 1, 2, 4, 6, 7, 8, 9, 10])

    found = label_texts(TASK, shuffled, recording(tmp_path, whole()))

    assert found.texts == POOL
    assert found.gold == POOL
    assert found.predictions == dict(zip(POOL.ids, POOL.labels, strict=True))
    assert found.record.agreement == Agreement(
        confusion={
            "in/door": {"in/door": 4, "out door": 0},
            "out door": {"in/door": 0, "out door": 8},
        }
    )


def test_the_record_counts_everything(tmp_path: Path) -> None:
    """And comes back from JSON as it was."""
    record = labelled(tmp_path, whole(), n=10).record

    assert (record.at_hand, record.requested, record.asked, record.labelled) == (12, 10, 10, 10)
    assert record.kept == {"in/door": 4, "out door": 6}
    assert (record.requests, record.texts_per_request, record.split) == (3, 4, "train")
    assert (record.recorded, record.source, record.models) == (True, "here", ("gardener-2",))
    assert (record.most_words, record.cut) == (None, None)
    assert LabellingRecord.from_dict(json.loads(json.dumps(record.as_dict()))) == record


def test_tokens_that_were_not_recorded_are_estimated_and_marked(tmp_path: Path) -> None:
    """Four bytes a token of the answers; of prompts as a live LLM would get them."""
    answers = [answer_for(POOL, 4 * i, 4 * i + 4) for i in range(3)]

    record = labelled(tmp_path, whole()).record

    assert (record.prompt_tokens, record.answer_tokens, record.estimated_requests) == (0, 0, 3)
    assert record.estimated_answer_tokens == sum(map(len, answers)) / 4
    assert record.estimated_prompt_tokens > sum(map(len, POOL.texts)) / 4
    assert record.use.per_text(12).estimated


def test_texts_without_true_labels_have_no_agreement(tmp_path: Path) -> None:
    """It is not known, which is no agreement of 0."""
    found = label_texts(TASK, unlabelled(12), recording(tmp_path, whole()))

    assert found.gold is None
    assert found.record.agreement is None
    assert len(found.texts) == 12


def test_texts_of_the_recording_that_are_not_at_hand_are_counted(tmp_path: Path) -> None:
    """Removed as an overlap, or capped: their labels are left out, the others keep theirs."""
    found = label_texts(TASK, POOL.select(range(3, 12)), recording(tmp_path, whole()))

    assert found.record.missing == 3
    assert found.texts == POOL.select(range(3, 12))


@pytest.mark.parametrize("labels", [3, 5])
def test_an_answer_with_a_wrong_number_of_labels_gives_no_label(
    labels: int, tmp_path: Path
) -> None:
    """Its four texts are counted as failed, and the others keep their labels."""
    lines = whole()
    lines[1] = line(1, POOL.ids[4:8], json.dumps({"labels": ["in/door"] * labels}))

    found = labelled(tmp_path, lines)

    assert found.texts == POOL.select([0, 1, 2, 3, 8, 9, 10, 11])
    assert found.record.unlabelled == {"wrong count": 4}
    assert found.record.failed_requests == {"wrong count": 1}
    assert [o.reason for o in found.outcomes[4:8]] == ["wrong count"] * 4


def test_a_label_that_the_task_does_not_have_costs_its_text_alone(tmp_path: Path) -> None:
    """Three of four have a label."""
    lines = whole()
    lines[0] = line(0, POOL.ids[:4], '{"labels": ["In/Door", "pond", "out door", "in/door"]}')

    found = labelled(tmp_path, lines)

    assert found.record.unlabelled == {"unknown label": 1}
    assert found.record.failed_requests == {}
    assert found.texts.ids == POOL.ids[:1] + POOL.ids[2:]
    assert found.record.agreement is not None and found.record.agreement.texts == 11


def test_a_failed_request_is_counted_by_its_reason(tmp_path: Path) -> None:
    """A line with an error instead of an answer."""
    failed = {
        "custom_id": "plants/annotate/train/t0",
        "ids": list(POOL.ids[:4]),
        "response": {"status_code": 429},
    }

    record = labelled(tmp_path, [failed, *whole()[1:]]).record

    assert record.unlabelled == {"failed request": 4}
    assert record.failed_requests == {"http 429": 1}
    assert record.requests == 2


def test_what_was_asked_again_one_at_a_time_counts_as_answered(tmp_path: Path) -> None:
    """As a ledger is exported: the portion without use, then its texts singly."""
    spoiled = line(0, POOL.ids[:4], '{"labels": ["in/door"]}')
    singly = [
        {
            **line(0, [name], answer_for(POOL, i, i + 1)),
            "custom_id": f"plants/annotate/train/singly/c{i}/t1",
        }
        for i, name in enumerate(POOL.ids[:4])
    ]

    found = labelled(tmp_path, [spoiled, *whole()[1:], *singly])

    assert found.texts == POOL
    assert found.record.texts_per_request == 4
    assert found.record.failed_requests == {"wrong count": 1}


@pytest.mark.parametrize(
    "name",
    ["plants.train.responses.jsonl.gz", "plants.responses.jsonl", "plants.responses.jsonl.gz"],
)
def test_a_recording_may_be_packed_and_hold_all_splits_of_a_task(name: str, tmp_path: Path) -> None:
    """Lines of another split, task or strategy are not looked at."""
    others = [
        {"custom_id": "plants/annotate/test/t0"},
        {"custom_id": "trees/annotate/train/t0"},
        {"custom_id": "plants/zero_shot/in/door/c0/t1"},
    ]

    found = label_texts(TASK, POOL, recording(tmp_path, [*others, *whole()], name))

    assert found.texts == POOL


def test_a_single_file_is_a_recording_of_labels_too(tmp_path: Path) -> None:
    """`recording:FILE`."""
    recording(tmp_path, whole())

    found = label_texts(
        TASK, POOL, Recording(tmp_path / "annotate" / "plants.train.responses.jsonl")
    )

    assert found.texts == POOL


# ---- What is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"seed": 1}, "--seed 1: the recording of labels of plants train was drawn once"),
        ({"texts_per_request": 25}, "--texts-per-request 25: .* was made with 4; leave"),
        ({"most_words": 9}, "--max-words 9: .* a number that is not known; leave"),
        ({"n": 13}, "--n 13: .* has labels for 12 of the texts at hand; use --n 12 or less"),
        ({"split": "test"}, "has no labels of plants test: it knows certain real texts"),
    ],
)
def test_another_order_than_the_recorded_one_is_refused(
    order: dict[str, Any], words: str, tmp_path: Path
) -> None:
    """Seed, portion, cut, number and split: with the reason and the remedy."""
    with pytest.raises(UserError, match=words):
        labelled(tmp_path, whole(), **order)


def test_other_data_than_the_recorded_is_refused(tmp_path: Path) -> None:
    """The same texts under other names are not known: a name may not be guessed from a text."""
    renamed = LabelledTexts(POOL.texts, POOL.labels, POOL.label_names, tuple("abcdefghijkl"))

    with pytest.raises(UserError, match=r"by their names, such as plants-train-0, and no text of"):
        label_texts(TASK, renamed, recording(tmp_path, whole()))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            [line(0, POOL.ids[:1], '["in/door"]'), line(1, POOL.ids[:1], '["out door"]')],
            "two labels",
        ),
        ([line(0, [], "[]")], "line 1: does not say which texts its labels are for"),
        ([{**whole()[0], "ids": "plants-train-0"}], "line 1: does not say which texts"),
        ([{**whole()[0], "ids": [1, 2]}], "line 1: does not say which texts"),
        ([["no object"]], "line 1: not a line of a Batch file"),
        ([{**whole()[0], "response": {"status_code": 200, "body": "x"}}], "not that of a chat"),
    ],
)
def test_a_damaged_recording_is_refused_with_its_place(
    lines: list[Any], words: str, tmp_path: Path
) -> None:
    """A text with two labels, lines without names, lines of another form."""
    with pytest.raises(UserError, match=words):
        labelled(tmp_path, lines)


def test_a_recording_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """Plain and packed: neither is silently preferred."""
    recording(tmp_path, whole(), "plants.train.responses.jsonl.gz")

    with pytest.raises(UserError, match="is there plain and gzipped; keep one"):
        labelled(tmp_path, whole())
