"""Answers of an LLM that labels texts, for the servers of the tests; and made-up texts for it."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from chat_server import Answer, completion_of

from builders.data import LabelledTexts, Texts
from builders.tasks import Prompt, Task

TASK = Task(
    name="plants",
    title="Plants",
    description="Where does this plant grow?",
    labels={"in/door": "inside a house", "out door": "in the open"},
    prompt=Prompt("You are a gardener.", "Write {count} notes on {label}."),
    length_words=(3, 20),
)

_INDOORS = ("fern", "orchid", "cactus")
_OUTDOORS = ("oak", "nettle", "clover")


def texts(count: int) -> LabelledTexts:
    """Return so many texts, every third of the first label; no two are the same."""
    labels = tuple(int(i % 3 != 0) for i in range(count))
    kinds = (_INDOORS, _OUTDOORS)
    made = tuple(f"The {kinds[la][i % 2]} number {i} needs water." for i, la in enumerate(labels))
    ids = tuple(f"plants-train-{i}" for i in range(count))
    return LabelledTexts(made, labels, TASK.label_names, ids)


def unlabelled(count: int) -> Texts:
    """Return the same texts without their labels."""
    made = texts(count)
    return Texts(made.texts, made.ids)


def right(text: str) -> str:
    """Return the true label of such a text."""
    return TASK.label_names[not any(word in text for word in _INDOORS)]


def shown(body: Mapping[str, Any]) -> list[str]:
    """Return the texts that a request shows."""
    lines = str(body["messages"][-1]["content"]).splitlines()
    found = [re.fullmatch(r"(\d+): (\".*\")", line) for line in lines]
    numbered = [(int(line[1]), json.loads(line[2])) for line in found if line]
    assert [number for number, _ in numbered] == list(range(1, len(numbered) + 1))
    return [text for _, text in numbered]


def content(body: Mapping[str, Any], rule: Callable[[str], str] = right) -> str:
    """Return the answer of an LLM that labels every text by `rule`."""
    return json.dumps({"labels": [rule(text) for text in shown(body)]})


def said(body: Mapping[str, Any], answer: str, **more: Any) -> Answer:
    """Return a server's reply with this content."""
    return Answer(body=json.dumps({**completion_of(body, answer), **more}).encode())


def labels(body: Mapping[str, Any], rule: Callable[[str], str] = right) -> Answer:
    """Return the reply of an LLM that labels every text by `rule`."""
    return said(body, content(body, rule))
