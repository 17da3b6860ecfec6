"""Corpora of a few made-up texts, as a build writes them, for the tests of what is pushed."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from builders.composition import Order, compose
from builders.corpus import write_corpus
from builders.llms.recording import Recording
from builders.tasks import Prompt, Task

TASK = Task(
    name="plants",
    title="Plants",
    description="Where does this plant grow?",
    labels={"sci/tech": "in a laboratory", "out door": "in a garden"},
    prompt=Prompt("You are a gardener.", "Write {count} notes on {label}."),
    length_words=(3, 12),
)
TEXTS = {
    "sci/tech": (
        "A microscope shows the cells of an onion.",
        "Seedlings under violet lamps grew twice as fast.",
        "The greenhouse computer forgot to water the ferns.",
    ),
    "out door": (
        "Slugs ate every lettuce last night.",
        "Prune the apple trees before spring.",
        "Roses along the fence need more sun.",
    ),
}
MORE = {**TEXTS, "out door": (*TEXTS["out door"], "Moss covers the north side of the shed.")}
"""The same with one more."""
FEWER = {**TEXTS, "out door": TEXTS["out door"][:2]}
"""The same without the last."""


def write(
    folder: Path,
    texts: Mapping[str, Sequence[str]] = TEXTS,
    strategy: str = "zero_shot",
    task: Task = TASK,
) -> Path:
    """Write a configuration of these texts into the corpus folder; return the folder."""
    with tempfile.TemporaryDirectory() as place:
        recording = Path(place) / "recording"  # its name stands in every row
        path = recording / strategy / f"{task.name}.responses.jsonl"
        path.parent.mkdir(parents=True)
        lines = []
        for label, own in texts.items():
            message = {"content": json.dumps({"texts": own}, ensure_ascii=False)}
            body = {"model": "gardener-2", "choices": [{"message": message}]}
            name = f"{task.name}/{strategy}/{label}/c0/t1"
            lines.append({"custom_id": name, "response": {"status_code": 200, "body": body}})
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        write_corpus(compose(task, Order(strategy), Recording(recording)), folder)
    return folder
