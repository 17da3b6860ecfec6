"""The shipped tasks by name, and a user's own by the path of its file."""

import os.path
import shlex
from os import PathLike
from pathlib import Path
from typing import Any, cast

from builders.errors import UserError
from builders.tasks.base import Prompt, RealSource, Task
from builders.tasks.document import Document
from builders.tasks.mistakes import closest
from builders.tasks.reading import read_document
from builders.tasks.validation import document_mistakes

_FOLDER = Path(__file__).parent
_SUFFIXES = (".yaml", ".yml")


def list_tasks() -> tuple[Task, ...]:
    """Return the shipped tasks by remembered rank, the least subjective first, then by name."""
    tasks = [load_task(name) for name in task_names()]

    def order(task: Task) -> tuple[bool, int, str]:
        rank = task.subjectivity_rank_remembered
        return rank is None, rank or 0, task.name

    return tuple(sorted(tasks, key=order))


def task_names() -> tuple[str, ...]:
    """Return the names of the shipped tasks, sorted."""
    return tuple(sorted(each.stem for each in _FOLDER.glob("*.yaml")))


def load_task(name_or_path: str | PathLike[str]) -> Task:
    """Load a shipped task by its name, or any task by the path of its YAML file.

    A shipped name wins over a file of the same name; `./NAME` means the file.

    Raises:
        UserError: There is no such task or file, or the file has mistakes.
    """
    if isinstance(name_or_path, str) and name_or_path in task_names():
        return _read_task(_FOLDER / f"{name_or_path}.yaml")
    if not isinstance(name_or_path, str) or _is_path(name_or_path):
        return _read_task(Path(name_or_path))
    near = closest(name_or_path, task_names())
    meant = f"did you mean {near}? " if near else ""
    raise UserError(
        f"unknown task {name_or_path!r}: {meant}the tasks are {', '.join(task_names())}; "
        "or give the path of a task's YAML file"
    )


def _is_path(text: str) -> bool:
    separators = [each for each in (os.sep, os.altsep) if each]
    return (
        text.endswith(_SUFFIXES) or any(each in text for each in separators) or os.path.isfile(text)
    )


def _read_task(path: Path) -> Task:
    document = read_document(path)
    mistakes = document_mistakes(document)
    if mistakes:
        number = f"{len(mistakes)} mistake{'s' * (len(mistakes) > 1)}"
        raise UserError(
            f"{path} has {number}: {mistakes[0]} "
            f"(`understudy tasks check {shlex.quote(str(path))}` shows all)"
        )
    return _build(document)


def _build(document: Document) -> Task:
    """Make the task of a document without mistakes; a key that is null is as good as absent."""
    values = _given(document.data)
    values["prompt"] = Prompt(**_given(values["prompt"]))
    values["length_words"] = tuple(values["length_words"])
    if "real" in values:
        values["real"] = RealSource(**_given(values["real"]))
    return Task(**values)


def _given(mapping: object) -> dict[str, Any]:
    return {key: v for key, v in cast("dict[str, Any]", mapping).items() if v is not None}
