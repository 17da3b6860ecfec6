"""Real texts that an LLM labelled, pushed over real HTTP: refused where they are known, private."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import HubServer, running_hub
from label_answers import TASK, right, texts

from builders.annotation import label_texts
from builders.corpus import write_corpus
from builders.llms.recording import Recording

POOL = texts(6)
TASK_FILE = """\
name: plants
title: Plants
description: Where does this plant grow?
labels: {in/door: inside a house, out door: in the open}
prompt: {context: You are a gardener., generate: "Write {count} notes on {label}."}
length_words: [3, 20]
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    """Run a Hub for the module."""
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with labelled texts, their task's file, and the real data they are from."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "plants.yaml").write_text(TASK_FILE, encoding="utf-8")
    recording = folder / "recording" / "annotate" / "plants.train.responses.jsonl"
    recording.parent.mkdir(parents=True)
    content = json.dumps({"labels": [right(text) for text in POOL.texts]})
    line = {
        "custom_id": "plants/annotate/train/t1",
        "ids": POOL.ids,
        "response": {"status_code": 200, "body": {"choices": [{"message": {"content": content}}]}},
    }
    recording.write_text(json.dumps(line), encoding="utf-8")
    write_corpus(label_texts(TASK, POOL, Recording(folder / "recording")), folder / "labelled")
    (folder / "real").mkdir()
    for split, own in (("train", POOL.texts), ("test", ("An elm by the sea.", "A palm in a pot."))):
        rows = [
            json.dumps({"text": text, "label": TASK.label_names[i % 2]})
            for i, text in enumerate(own)
        ]
        (folder / "real" / f"plants.{split}.jsonl").write_text("\n".join(rows), encoding="utf-8")
    return folder


def pushed(hub: HubServer, place: Path, name: str, *more: str) -> subprocess.CompletedProcess[str]:
    """Push the labelled texts."""
    command = [sys.executable, "-m", "understudy", "push", "dataset", "labelled", name, *more]
    return subprocess.run(
        command, cwd=place, env=hub.environment(), capture_output=True, text=True, check=False
    )


KNOWN = ("--real", "real", "--task", "plants.yaml")


@pytest.mark.slow
def test_texts_that_are_known_as_real_ones_are_refused(hub: HubServer, place: Path) -> None:
    """They are other people's: the message says so, and nothing is sent."""
    result = pushed(hub, place, "acme/refused", *KNOWN)

    assert result.returncode == 2
    assert "leak: real training text in 6 of 6 texts" in result.stderr
    assert "an LLM labelled these texts, and others wrote them" in result.stderr
    assert hub.store.load("datasets", "acme/refused") is None


@pytest.mark.slow
def test_texts_that_may_be_published_are_released_in_private(hub: HubServer, place: Path) -> None:
    """`--allow leak` is a person's word for it; the card and the rows arrive whole."""
    result = pushed(hub, place, "acme/allowed", *KNOWN, "--allow", "leak")

    assert (result.returncode, result.stderr) == (0, "")
    files = hub.store.contents("datasets", "acme/allowed", "v1.0.0")
    assert "llm_labelled/corpus.json" in files
    card = files["README.md"].decode()
    assert 'corpus = load_dataset("acme/allowed", "llm_labelled")' in card
    assert "These are other people's texts" in card
    state = hub.store.load("datasets", "acme/allowed")
    assert state is not None and state["private"]

    again = pushed(hub, place, "acme/allowed", *KNOWN, "--allow", "leak")

    assert "v1.0.0 holds these rows, labels and prompts; nothing to push" in again.stdout
