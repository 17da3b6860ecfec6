"""What must hold of a task's values beyond their kinds."""

import re
import unicodedata
from collections.abc import Iterator

from builders.tasks.document import Document
from builders.tasks.mistakes import Mistake, shown
from builders.tasks.placeholders import PLACEHOLDERS, placeholder_mistakes

# A repository on the Hub that is named after the task may not be longer than this.
_LONGEST_NAME = 96
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_EVERY_TASK = "all"
_LENGTH_RIGHT = "give least and most words of a text, as `[5, 30]`"
_LINE_SEPARATORS = "\u2028\u2029"
_RANKS = range(1, 11)


def name_mistakes(document: Document) -> Iterator[Mistake]:
    """Yield what keeps the name from being a file name and an option's value."""
    name = document.get("name")
    if not isinstance(name, str) or not name.strip():
        return
    if not _NAME.fullmatch(name):
        wrong = f"is {shown(name)}, which is no safe file name"
        yield document.mistake(
            ("name",), wrong, "use letters, digits, `_` and `-`; begin with a letter or a digit"
        )
    elif len(name) > _LONGEST_NAME:
        wrong = f"has {len(name)} characters"
        yield document.mistake(("name",), wrong, f"use at most {_LONGEST_NAME}")
    elif name.casefold() == _EVERY_TASK:
        wrong = f"is {shown(name)}, which stands for every shipped task"
        yield document.mistake(("name",), wrong, "give it another name")


def label_mistakes(document: Document) -> Iterator[Mistake]:
    """Yield labels that are too few, no text, unclean, alike or without a meaning."""
    labels = document.get("labels")
    if not isinstance(labels, dict):
        return
    if len(labels) == 1:
        yield document.mistake(("labels",), "has only one label", "give at least two labels")
    folded: dict[str, str] = {}
    for label, meaning in labels.items():
        path = ("labels", label)
        if isinstance(label, str):
            yield from _unclean_label(document, label)
            # Compared as a reader would: composed and full-width forms look the same.
            form = unicodedata.normalize("NFKC", label).casefold().strip()
            first = folded.setdefault(form, label)
            if first != label:
                wrong = f"differs from the label {first!r} by case or form only"
                yield document.mistake(path, wrong, "give it another name")
        else:
            yield document.key_not_text(path, "give the label as text")
        if not isinstance(meaning, str):
            yield document.not_text(path, "give the label's meaning after the colon")
        elif not meaning.strip():
            yield document.mistake(path, "has an empty meaning", "say what the label means")


def _unclean_label(document: Document, label: str) -> Iterator[Mistake]:
    path = ("labels", label)
    if not label.strip():
        yield document.mistake(path, "is an empty label", "give the label as text")
    elif label != label.strip():
        wrong = "begins or ends with white space"
        yield document.mistake(path, wrong, f"write {label.strip()!r}")
    if any(_is_control(each) or each in _LINE_SEPARATORS for each in label):
        yield document.mistake(path, "holds a line break or control character", "remove it")


def length_mistakes(document: Document) -> Iterator[Mistake]:
    """Yield what keeps `length_words` from being two positive whole numbers in order."""
    length = document.get("length_words")
    if not isinstance(length, list):
        return
    path = ("length_words",)
    whole = all(isinstance(each, int) and not isinstance(each, bool) for each in length)
    if len(length) != 2 or not whole:
        wrong = f"is {shown(length)}, not two whole numbers"
        yield document.mistake(path, wrong, _LENGTH_RIGHT)
    elif min(length) < 1:
        yield document.mistake(path, f"is {shown(length)}", "give numbers of 1 or more")
    elif length[0] > length[1]:
        wrong = f"is {shown(length)}: the least is more than the most"
        yield document.mistake(path, wrong, f"write {shown(length[::-1])}")


def rank_mistakes(document: Document) -> Iterator[Mistake]:
    """Yield a rank of subjectivity that is not among the ten."""
    rank = document.get("subjectivity_rank_remembered")
    if isinstance(rank, int) and not isinstance(rank, bool) and rank not in _RANKS:
        path = ("subjectivity_rank_remembered",)
        yield document.mistake(path, f"is {rank}", "give a rank from 1 to 10, or leave it out")


def prompt_mistakes(document: Document) -> Iterator[Mistake]:
    """Yield the faults of the prompt's placeholders."""
    generate, context = document.get("prompt", "generate"), document.get("prompt", "context")
    if isinstance(generate, str) and generate.strip():
        for wrong, right in placeholder_mistakes(generate):
            yield document.mistake(("prompt", "generate"), wrong, right)
    if isinstance(context, str):
        for name in PLACEHOLDERS:
            if f"{{{name}}}" in context:
                wrong = f"holds {{{name}}}, which is filled in `prompt.generate` only"
                yield document.mistake(("prompt", "context"), wrong, "move it there")


def character_mistakes(document: Document) -> Iterator[Mistake]:
    """Yield texts that hold characters which no prompt, table or file can carry."""
    for path in document.places:
        value = document.get(*path)
        if not isinstance(value, str):
            continue
        unfit = next((c for c in value if c not in "\n\t" and _is_control(c)), None)
        if unfit is not None:
            wrong = f"holds the control character U+{ord(unfit):04X}"
            yield document.mistake(path, wrong, "remove it")
    title = document.get("title")
    if isinstance(title, str) and "\n" in title:
        yield document.mistake(("title",), "holds a line break", "write it on one line")


def _is_control(character: str) -> bool:
    # Cs: half of a surrogate pair, which UTF-8 cannot write.
    return unicodedata.category(character) in ("Cc", "Cs")
