"""Reads a YAML file with the safe loader, refuses what it would pass over, and says where."""

import os.path
from pathlib import Path

import yaml

from builders.errors import UserError
from builders.tasks.document import Document, Place
from builders.tasks.mistakes import KeyPath, Mistake, key_name

ROOT_RIGHT = "start with `name: ...` and give every key of a task a line of its own"
"""What is right where a file holds no keys."""

_MERGE_TAG = "tag:yaml.org,2002:merge"
_HINTS = {
    "mapping values are not allowed": 'quote a value that holds a colon: "like: this"',
    "'\\t'": "indent with spaces, not with tabs",
    "cannot start any token": "quote a value that begins with this character",
    "expected a single document": "keep one task a file",
    "special characters": "remove the control character",
}


def read_document(path: Path) -> Document:
    """Read the YAML file at `path`.

    Raises:
        UserError: It is not there, is no file, or cannot be opened.
    """
    if os.path.isdir(path):
        raise UserError(f"{path} is a folder; give the path of a task's YAML file")
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path} is not there; give the path of a task's YAML file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError(f"{path} cannot be read ({reason}); give a file that can") from None
    try:
        return parse_document(raw.decode())
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        wrong = f"is not UTF-8 text (byte 0x{raw[error.start]:02x} at offset {error.start})"
        return Document(None, (Mistake("", wrong, "save it as UTF-8", line),))


def parse_document(text: str) -> Document:
    """Parse `text` as one YAML mapping; what is wrong with it stands in the result."""
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            return Document(None, (_no_mapping(root),))
        places, duplicates = _survey(loader, root)
        data = loader.construct_document(root)
    except RecursionError:
        wrong = "is nested too deep to be read"
        return Document(None, (Mistake("", wrong, "nest values no deeper than a task needs"),))
    except yaml.YAMLError as error:
        return Document(None, (_unparsable(error, text),))
    return Document(data, tuple(duplicates), places)


class _Loader(yaml.SafeLoader):
    """The safe loader, which says where a value does not fit its type (a 13th month)."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError) as error:
            raise yaml.constructor.ConstructorError(
                None, None, f"value that does not fit its type ({error})", node.start_mark
            ) from None


def _survey(loader: _Loader, root: yaml.MappingNode) -> tuple[dict[KeyPath, Place], list[Mistake]]:
    """Find the place of every key, and the keys that stand twice in one mapping.

    Each node is visited once, so that aliases cost nothing, however they are nested.
    """
    places: dict[KeyPath, Place] = {}
    duplicates: list[Mistake] = []
    visited: set[int] = set()
    waiting: list[tuple[KeyPath, KeyPath, yaml.Node]] = [((), (), root)]
    while waiting:
        above, above_written, node = waiting.pop()
        if not isinstance(node, yaml.MappingNode) or id(node) in visited:
            continue
        visited.add(id(node))
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == _MERGE_TAG:
                continue
            path = (*above, loader.construct_object(key_node, deep=True))
            written = (*above_written, key_node.value)
            line = key_node.start_mark.line + 1
            if path in places:
                duplicates.append(_duplicate(written, line, places[path]))
            value = value_node.value if isinstance(value_node, yaml.ScalarNode) else None
            places[path] = Place(line, key_node.value, value)
            waiting.append((path, written, value_node))
    return places, duplicates


def _duplicate(written: KeyPath, line: int, first: Place) -> Mistake:
    same = first.key == written[-1]
    also = "" if same else f", written {first.key!r}, which YAML reads as the same"
    wrong = f"stands twice: the first is on line {first.line}{also}"
    return Mistake(key_name(written), wrong, "keep one of the two", line)


def _no_mapping(root: yaml.Node | None) -> Mistake:
    if root is None:
        return Mistake("", "is empty", ROOT_RIGHT)
    what = "a list" if isinstance(root, yaml.SequenceNode) else "a single value"
    return Mistake("", f"holds {what}, not keys", ROOT_RIGHT, root.start_mark.line + 1)


def _unparsable(error: yaml.YAMLError, text: str) -> Mistake:
    """Tell line, column and cause of a parse error in one line."""
    line, column = 1, 1
    what = str(error)
    if isinstance(error, yaml.reader.ReaderError):
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        what = f"the character {error.character:#06x}: {error.reason}"
    elif isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        if mark is not None:
            line, column = mark.line + 1, mark.column + 1
        what = ", ".join(part for part in (error.context, error.problem) if part)
    what = " ".join(what.split())
    right = next((hint for sign, hint in _HINTS.items() if sign in what), "mend the YAML there")
    return Mistake("", f"does not parse at column {column}: {what}", right, line)
