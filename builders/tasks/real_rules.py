"""What must hold of a task's `real` block: where real texts are, and how their values map."""

import re
from collections.abc import Iterator

from builders.tasks.document import Document
from builders.tasks.mistakes import KeyPath, Mistake, closest, listed, shown

SPLITS = ("train", "validation", "test")
"""Our names of the splits."""

_SPLIT_RIGHT = "give the name of their split, or null where they have none"
_FILES_RIGHT = "give a file or a pattern such as `train/*.parquet`"
# Slices and sums of splits (`train[:80%]`, `train+test`) are not looked up among the files.
_PLAIN_SPLIT = re.compile(r"\w+(\.\w+)*")


def value_mistakes(document: Document) -> Iterator[Mistake]:
    """Yield faults of `real.labels`: values that YAML changed, labels that are not the task's."""
    if not isinstance(document.get("real", "labels"), dict):
        return
    ours = [label for label in document.mapping("labels") if isinstance(label, str)]
    mapped = document.mapping("real", "labels")
    for value, label in mapped.items():
        path = ("real", "labels", value)
        if not isinstance(value, str | int | float | bool):
            yield document.key_not_text(path, "give the value that stands in the data")
        if not isinstance(label, str):
            yield document.not_text(path, f"give one of the task's labels: {listed(ours)}")
        elif ours and label not in ours:
            near = closest(label, ours)
            meant = f"did you mean {near!r}?" if near else f"use one of {listed(ours)}"
            yield document.mistake(path, f"{label!r} is not a label of the task", meant)
    for label in ours:
        if label not in mapped.values():
            wrong = f"no value maps to the label {label!r}"
            right = f"add the value that stands for it in the data, as `value: {label}`"
            yield document.mistake(("real", "labels"), wrong, right)


def split_mistakes(document: Document) -> Iterator[Mistake]:
    """Yield faults of `real.splits`: no training split, unknown splits, one split read twice."""
    splits = document.get("real", "splits")
    if not isinstance(splits, dict):
        return
    if splits.get("train") is None:
        wrong = "is null" if "train" in splits else "is missing"
        yield document.mistake(("real", "splits", "train"), wrong, "give their training split")
    first: dict[str, object] = {}
    for split, theirs in splits.items():
        path = ("real", "splits", split)
        if split not in SPLITS:
            near = closest(split, SPLITS) if isinstance(split, str) else None
            right = f"did you mean `{near}`?" if near else f"use {', '.join(SPLITS)}"
            yield document.mistake(path, "is not one of our splits", right)
        if isinstance(theirs, str) and first.setdefault(theirs, split) != split:
            wrong = f"reads {theirs!r}, as does real.splits.{first[theirs]}"
            yield document.mistake(path, wrong, "give null where they have no split of its own")
        elif theirs is not None:
            yield from _source_mistakes(document, path, theirs)


def _source_mistakes(document: Document, path: KeyPath, theirs: object) -> Iterator[Mistake]:
    files = document.mapping("real", "data_files")
    if not isinstance(theirs, str):
        yield document.not_text(path, _SPLIT_RIGHT)
    elif not theirs.strip():
        yield document.mistake(path, "is empty", _SPLIT_RIGHT)
    elif files and _PLAIN_SPLIT.fullmatch(theirs) and theirs not in files:
        wrong = f"{theirs!r} is not in real.data_files"
        right = f"use one of {', '.join(map(shown, files))}, or give its files there"
        yield document.mistake(path, wrong, right)


def file_mistakes(document: Document) -> Iterator[Mistake]:
    """Yield faults of `real.data_files`."""
    for split, pattern in document.mapping("real", "data_files").items():
        path = ("real", "data_files", split)
        if not isinstance(split, str):
            yield document.key_not_text(path, "give the name of their split")
        if not isinstance(pattern, str):
            yield document.not_text(path, _FILES_RIGHT)
        elif not pattern.strip():
            yield document.mistake(path, "is empty", _FILES_RIGHT)
