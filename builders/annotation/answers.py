"""Takes the labels out of an LLM's answer: as many as texts were shown, or none at all.

A label belongs to a text by its place alone, or by the number that stands before it. So an answer
with a label too few or too many, or one of which a part cannot be read, says nothing of any text.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from builders.answer_lists import declines
from builders.normalisation import comparison_key
from builders.parsing import json_values, readable
from builders.requests import Completion

Failure = Literal["refusal", "cut off", "unparsable", "wrong count"]


@dataclass(frozen=True)
class ParsedLabels:
    """What an answer gives the texts that were shown, or why it gives them nothing.

    Attributes:
        labels: For each text what stands in the answer; whether it is a label of the task is for
            `LabelNames` to say.
        failure: `refusal`: the LLM, or a filter of its server, declined; `cut off`: the answer ends
            at its most tokens; `unparsable`: no list can be told from talk, or there are several;
            `wrong count`: not as many labels as texts. None if there are labels.
    """

    labels: tuple[str, ...]
    failure: Failure | None = None


_PLACES = ("number", "n", "index", "id", "text")
"""Names under which an object of an answer holds the number of its text."""


class _Item(NamedTuple):
    """What was given to a text, and the text's number where the answer says it."""

    label: str
    number: int | None = None


def parse_labels(completion: Completion, n_texts: int) -> ParsedLabels:
    """Return the labels in `completion`; whatever it holds, there is no error.

    Args:
        completion: The answer.
        n_texts: How many texts were shown.
    """
    if completion.declined:
        return ParsedLabels((), "refusal")
    answer = readable(completion.content)
    items = _from_json(answer)
    if items is None:
        items = _from_lines(answer)
    if items is None and n_texts == 1 and _is_one_line(answer):
        items = [_Item(answer)]
    labels = None if items is None else _in_order(items)
    if labels is not None and len(labels) == n_texts:
        return ParsedLabels(labels)
    if completion.finish_reason == "length":
        return ParsedLabels((), "cut off")
    if labels is not None:
        return ParsedLabels((), "wrong count")
    return ParsedLabels((), "refusal" if declines(answer) else "unparsable")


class LabelNames:
    """Finds the label of a task that an answer means.

    A label may be written in other case, with other punctuation or spacing, as long as no other
    label of the task is the same text then.

    Args:
        names: The labels.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._index = {name: i for i, name in enumerate(names)}
        keys = [comparison_key(name) for name in self._index]
        self._by_key = {key: i for i, key in enumerate(keys) if keys.count(key) == 1}

    def index(self, text: str) -> int | None:
        """Return the class index of `text`, None where it is no label."""
        found = self._index.get(text.strip())
        return self._by_key.get(comparison_key(text)) if found is None else found


def _from_json(answer: str) -> list[_Item] | None:
    """Return the items of the one list of labels in `answer`; None if there is not just one."""
    lists: list[list[_Item]] = []
    for value, _, whole in json_values(answer):
        items = _items_of(value)
        if items is not None:
            if not whole:
                return None
            lists.append(items)
    return lists[0] if lists and all(each == lists[0] for each in lists) else None


def _items_of(value: Any) -> list[_Item] | None:
    """Return the items of a list, or of an object that holds one; None of anything else."""
    if isinstance(value, list):
        items = [_item(each) for each in value]
        return None if None in items else [item for item in items if item is not None]
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("labels"), list | dict):
        return _items_of(value["labels"])
    inner = [each for each in value.values() if isinstance(each, list | dict)]
    if len(inner) == 1 and not isinstance(value.get("label"), str):
        return _items_of(inner[0])
    if value and all(_is_number(key) and isinstance(each, str) for key, each in value.items()):
        return [_Item(each, int(key)) for key, each in value.items()]
    item = _item(value)
    return None if item is None else [item]


def _item(value: Any) -> _Item | None:
    """Return a string, or what an object says of one text; None where that is not clear.

    Its `label` is the label, else the one string that it has; its number has a name that says so.
    """
    if isinstance(value, str) or _is_whole(value):
        return _Item(str(value))
    if not isinstance(value, dict):
        return None
    numbers = [value[name] for name in _PLACES if _is_whole(value.get(name))]
    number = numbers[0] if numbers else None
    if "label" in value:
        label = value["label"]
        return _Item(str(label), number) if isinstance(label, str) or _is_whole(label) else None
    strings = [each for each in value.values() if isinstance(each, str)]
    if len(strings) != 1 or len(numbers) > 1 or len(value) != 1 + len(numbers):
        return None
    return _Item(strings[0], number)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(key: str) -> bool:
    return re.fullmatch(r"[0-9]{1,4}", key) is not None


def _is_one_line(answer: str) -> bool:
    return bool(answer) and "\n" not in answer and not declines(answer)


_LINE = re.compile(r"[\s*\-]*(?P<number>[0-9]{1,4})\s*[.:)]\**\s*(?P<label>.*\S)\s*")


def _from_lines(answer: str) -> list[_Item] | None:
    """Return the items of lines that begin with a number; None if there is no such line."""
    found = [_LINE.fullmatch(line) for line in answer.splitlines()]
    return [_Item(line["label"], int(line["number"])) for line in found if line] or None


def _in_order(items: list[_Item]) -> tuple[str, ...] | None:
    """Return the labels in the order of their texts; None where numbers do not tell it."""
    if all(item.number is None for item in items):
        return tuple(item.label for item in items)
    by_number = {item.number: item.label for item in items}
    if set(by_number) != set(range(1, len(items) + 1)):
        return None
    return tuple(by_number[number] for number in range(1, len(items) + 1))
