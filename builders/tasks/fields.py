"""Which keys a task file has, what each holds, and the check of keys and kinds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from builders.tasks.document import Document
from builders.tasks.mistakes import KeyPath, Mistake, closest, shown

Kind = Literal["text", "blank text", "whole number", "true or false", "list", "mapping"]
"""`blank text` may be empty or white space; every other text may not."""


@dataclass(frozen=True)
class Field:
    """What a key holds.

    Attributes:
        kind: Its kind.
        right: What a right value is, for whoever gave a wrong one.
        required: Whether it has to be there; a key that does not may also be null.
    """

    kind: Kind
    right: str
    required: bool = True


TASK_FIELDS: Mapping[str, Field] = {
    "name": Field("text", "give a short name of letters, digits, `_` and `-`"),
    "title": Field("text", "give a title for tables and pages"),
    "description": Field("text", "give the question that a label answers"),
    "labels": Field("mapping", "give each label with its meaning, as `label: meaning`"),
    "prompt": Field("mapping", "give `context` and `generate` below it"),
    "length_words": Field("list", "give least and most words of a text, as `[5, 30]`"),
    "real": Field("mapping", "say where real texts are, or leave it out", required=False),
    "forbid_label": Field("true or false", "give true or false, without quotes", required=False),
    "subjectivity_rank_remembered": Field(
        "whole number", "give a rank from 1 to 10, or leave it out", required=False
    ),
}
PROMPT_FIELDS: Mapping[str, Field] = {
    "context": Field("text", "give the text that tells the LLM who it is to be"),
    "generate": Field("text", "give the request for texts, with {count} and {label} in it"),
}
REAL_FIELDS: Mapping[str, Field] = {
    "path": Field("text", "give the data set's repository on the Hub, as `owner/name`"),
    "text": Field("text", "give the name of the column that holds the text"),
    "label": Field("text", "give the name of the column that holds the label"),
    "labels": Field("mapping", "give each value in the data with our label, as `0: label`"),
    "splits": Field("mapping", "give our splits with theirs, as `{train: train, test: null}`"),
    "name": Field("text", "give the data set's configuration, or leave it out", required=False),
    "revision": Field("text", "give a branch, tag or commit, or leave it out", required=False),
    "data_files": Field(
        "mapping", "give each of their splits with its files, or leave it out", required=False
    ),
    "join": Field(
        "blank text",
        "give what joins a column of tokens, as `' '`, or leave it out",
        required=False,
    ),
}
_FIELDS: Mapping[KeyPath, Mapping[str, Field]] = {
    (): TASK_FIELDS,
    ("prompt",): PROMPT_FIELDS,
    ("real",): REAL_FIELDS,
}


def field_mistakes(document: Document) -> Iterator[Mistake]:
    """Yield unknown keys, missing keys and values of the wrong kind."""
    for above, fields in _FIELDS.items():
        given = document.get(*above)
        if not isinstance(given, dict):
            continue
        unknown = [key for key in given if key not in fields]
        absent = [key for key in fields if key not in given]
        meant = {key: closest(key, absent) for key in unknown if isinstance(key, str)}
        for key in unknown:
            right = _instead(key, meant.get(key), above)
            yield document.mistake((*above, key), "is not a key that a task has here", right)
        for key in given:
            if key in fields:
                yield from _value_mistakes(document, (*above, key), fields[key])
        for key in absent:
            if fields[key].required and key not in meant.values():
                yield document.mistake((*above, key), "is missing", fields[key].right)


def _instead(key: object, meant: str | None, above: KeyPath) -> str:
    """Say what an unknown key should have been, or where it belongs."""
    if meant is not None:
        return f"did you mean `{meant}`?"
    elsewhere = [".".join(map(str, (*path, key))) for path, keys in _FIELDS.items() if key in keys]
    if elsewhere:
        return f"write it as {' or '.join(elsewhere)}"
    return f"remove it; the keys here are {', '.join(_FIELDS[above])}"


def _value_mistakes(document: Document, path: KeyPath, field: Field) -> Iterator[Mistake]:
    value = document.get(*path)
    if value is None and not field.required:
        return
    if field.kind in ("text", "blank text"):
        if not isinstance(value, str):
            yield document.not_text(path, field.right)
        elif field.kind == "text" and not value.strip():
            yield document.mistake(path, "is empty", field.right)
    elif not _is_kind(value, field.kind):
        kind = field.kind if field.kind == "true or false" else f"a {field.kind}"
        wrong = "has no value" if value is None else f"is {shown(value)}, not {kind}"
        yield document.mistake(path, wrong, field.right)
    elif value == {} and path not in _FIELDS:
        yield document.mistake(path, "is empty", field.right)


def _is_kind(value: object, kind: Kind) -> bool:
    match kind:
        case "whole number":
            return isinstance(value, int) and not isinstance(value, bool)
        case "true or false":
            return isinstance(value, bool)
        case "list":
            return isinstance(value, list)
        case _:
            return isinstance(value, dict)
