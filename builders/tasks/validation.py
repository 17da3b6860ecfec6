"""The check of a task file: every mistake at once, each with its key, its line and the fix."""

from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path

from builders.tasks import real_rules, rules
from builders.tasks.document import Document
from builders.tasks.fields import field_mistakes
from builders.tasks.mistakes import Mistake
from builders.tasks.reading import read_document

_RULES: tuple[Callable[[Document], Iterator[Mistake]], ...] = (
    field_mistakes,
    rules.name_mistakes,
    rules.label_mistakes,
    rules.prompt_mistakes,
    rules.length_mistakes,
    rules.rank_mistakes,
    rules.character_mistakes,
    real_rules.value_mistakes,
    real_rules.split_mistakes,
    real_rules.file_mistakes,
)


def check_task_file(path: str | PathLike[str]) -> list[Mistake]:
    """Return every mistake in the task file at `path`, in the order of its lines.

    Raises:
        UserError: The file is not there or cannot be read.
    """
    return document_mistakes(read_document(Path(path)))


def document_mistakes(document: Document) -> list[Mistake]:
    """Return every mistake in `document`; those of keys that are not there come last."""
    mistakes = list(document.mistakes)
    if document.data is not None:
        mistakes += [mistake for rule in _RULES for mistake in rule(document)]
    return sorted(mistakes, key=lambda mistake: (mistake.line is None, mistake.line or 0))
