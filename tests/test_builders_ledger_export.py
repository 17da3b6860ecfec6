"""A ledger becomes a recording: what is written, and what cannot be."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from builders.errors import UserError
from builders.ledger import Ledger, request_key
from builders.ledger.export import export_recording
from builders.llms.recording import Recording
from builders.requests import Completion, Message, Request, RequestId


def ask(
    ledger: Ledger,
    name: str,
    answer: str,
    words: str = "Write.",
    model: str = "m",
    ids: tuple[str, ...] = (),
) -> None:
    """Record the answer to a request of that name."""
    messages: tuple[Message, ...] = ({"role": "user", "content": words},)
    request = Request(RequestId.parse(name), messages, 1, sampling={"temperature": 0.5}, ids=ids)
    key = request_key(
        endpoint="http://llm.test/v1",
        model=model,
        messages=request.messages,
        sampling=request.sampling,
        schema=request.schema,
        replicate=request.replicate,
    )
    completion = Completion(json.dumps({"texts": [answer]}), "stop", "m-1", prompt_tokens=3)
    ledger.record(key, request, "http://llm.test/v1", model, completion)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Return a ledger with two answers of two strategies."""
    opened = Ledger(tmp_path / "ledger.sqlite")
    ask(opened, "plants/zero_shot/in/door/c0/t1", "A fern likes shade.")
    ask(opened, "plants/few_shot/in/door/c0/t1", "An oak likes sun.", "Imitate: a real text")
    return opened


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a file."""
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


def test_each_strategy_and_task_has_a_file_that_a_recording_reads(
    ledger: Ledger, tmp_path: Path
) -> None:
    """Label with a slash, text and model come through."""
    done = export_recording(ledger, tmp_path / "mine")

    assert [str(path.relative_to(tmp_path)) for path in done.files] == [
        "mine/few_shot/plants.responses.jsonl.gz",
        "mine/zero_shot/plants.responses.jsonl.gz",
    ]
    held = Recording(tmp_path / "mine").holdings("plants", "zero_shot")
    assert held.texts == {"in/door": 1}


def test_requests_are_written_only_where_they_are_asked_for(ledger: Ledger, tmp_path: Path) -> None:
    """Those of few-shot quote real texts."""
    export_recording(ledger, tmp_path / "mine")
    assert not list(tmp_path.rglob("*.requests.*"))

    export_recording(ledger, tmp_path / "mine", requests=True)

    (row,) = rows_of(tmp_path / "mine" / "few_shot" / "plants.requests.jsonl.gz")
    assert row["body"]["messages"] == [{"role": "user", "content": "Imitate: a real text"}]
    assert row["body"]["temperature"] == 0.5


def test_the_same_ledger_gives_the_same_bytes(ledger: Ledger, tmp_path: Path) -> None:
    """No time stands in the files."""
    one, other = (export_recording(ledger, tmp_path / name).files[0] for name in ("a", "b"))

    assert one.read_bytes() == other.read_bytes()


def test_of_two_answers_of_one_name_the_later_counts(ledger: Ledger, tmp_path: Path) -> None:
    """After a change of the prompt the new answer is exported, and the old one counted."""
    ask(ledger, "plants/zero_shot/in/door/c0/t1", "Moss likes rain.", "Write better.")

    done = export_recording(ledger, tmp_path / "mine")

    (row,) = rows_of(done.files[1])
    assert "Moss" in row["response"]["body"]["choices"][0]["message"]["content"]
    assert (done.answers, done.older) == (2, 1)


def test_answers_of_several_models_are_not_mixed(ledger: Ledger, tmp_path: Path) -> None:
    """One has to be chosen; the models that there are are named."""
    ask(ledger, "plants/zero_shot/in/door/c0/t1", "Ivy climbs.", model="other")

    with pytest.raises(UserError, match="choose one with --model: m, other"):
        export_recording(ledger, tmp_path / "mine")
    with pytest.raises(UserError, match="--model x: the ledger holds answers of m, other only"):
        export_recording(ledger, tmp_path / "mine", "x")
    assert not (tmp_path / "mine").exists()

    done = export_recording(ledger, tmp_path / "mine", "other")

    assert (len(done.files), done.answers) == (1, 1)


def test_an_empty_ledger_is_refused(tmp_path: Path) -> None:
    """There is nothing to export."""
    with Ledger(tmp_path / "new.sqlite") as empty, pytest.raises(UserError, match="no answers yet"):
        export_recording(empty, tmp_path / "mine")


def test_labels_are_exported_with_the_names_of_their_texts(ledger: Ledger, tmp_path: Path) -> None:
    """Requests of one name for other texts are both kept; answers with texts have no names."""
    for words, ids in (("A fern.", ("a", "b")), ("An oak.", ("c",))):
        ask(ledger, "plants/annotate/train/c0/t1", "x", words, ids=ids)

    done = export_recording(ledger, tmp_path / "mine")

    labels, *texts = (rows_of(path) for path in done.files)
    assert [row["ids"] for row in labels] == [["a", "b"], ["c"]]
    assert not any("ids" in row for rows in texts for row in rows)
    assert done.older == 0
