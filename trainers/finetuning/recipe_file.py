"""Recipes as YAML: read as if each key were an option, and written so that they can be read again.

python -m trainers.finetune recipe.yaml --learning_rate 2e-5     # the command line wins
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from builders.errors import UserError
from builders.tasks.mistakes import closest
from builders.tasks.reading import ROOT_RIGHT, parse_document
from trainers.finetuning.decided import AS_RECORDED, DECIDED
from trainers.finetuning.recipe import SEVERAL


def read_recipe(path: Path, known: Collection[str]) -> dict[str, Any]:
    """Return the options that a recipe states, by name.

    Args:
        path: The YAML file.
        known: Every key that there is.

    Raises:
        UserError: It cannot be read, it has a key that is unknown or stands twice, or a key has a
            value of a kind that its option does not take.
    """
    try:
        document = parse_document(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); name a recipe") from error
    except ValueError as error:
        raise UserError(f"{path}: is no text in UTF-8 ({error}); save it as that") from error
    if document.mistakes and document.mistakes[0].right != ROOT_RIGHT:
        first = document.mistakes[0]  # in the words of a task file, which is read by the same code
        right = first.right.replace("task", "recipe")
        raise UserError(f"{path}: {dataclasses.replace(first, right=right)}")
    if not document.data:
        raise UserError(f"{path}: is no recipe; write one `option: value` a line")
    options: dict[str, Any] = {}
    for key, value in document.data.items():
        name = AS_RECORDED.get(str(key), str(key))
        if name not in known or name in DECIDED:
            raise UserError(f"{path}: {refusal(name, known)}")
        if name in options:
            raise UserError(f"{path}: {name} stands there twice; say it once")
        if wrong := _unfit(name, value):
            raise UserError(f"{path}: {name}: {wrong}")
        # YAML reads a bare `no` as false.
        options[name] = "no" if value is False and name.endswith("_strategy") else value
    return options


def as_words(options: Mapping[str, Any]) -> list[str]:
    """Return options as a command line has them."""
    return [word for name, value in options.items() for word in _words(name, value)]


def refusal(key: str, known: Collection[str]) -> str:
    """Say of an unknown key, or of one that is not to be given, what to give instead."""
    if key in DECIDED:
        return f"{key} is not to be given: {DECIDED[key]}"
    near = closest(key, known)
    return f"unknown option {key!r}" + (f"; did you mean {near}?" if near else "; see --help")


def write_recipe(values: Mapping[str, Any], path: Path, comment: str) -> None:
    """Write options so that `read_recipe` gives them again."""
    text = yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True)
    path.write_text(f"# {comment}\n{text}", encoding="utf-8")


def _unfit(name: str, value: Any) -> str:
    """Say what is wrong with a value as YAML gives it and what to do; nothing if it is right."""
    if value is None:
        return "has no value; give one, or remove the line"
    if isinstance(value, list) and name not in SEVERAL:
        return f"takes one value and has a list of {len(value)}; give one"
    if isinstance(value, (list, dict, set, bytes)):
        try:
            json.dumps(value)
        except TypeError as error:
            return f"{error}; put in quotes what is meant as a word"
        except ValueError as error:
            return f"{error}; write out what an alias (*name) stands for"
    return ""


def _words(key: str, value: Any) -> list[str]:
    """Write one key as options: `--key=value`, which also holds where a value starts with `-`."""
    match value:
        case None:
            return []
        case bool():
            return [f"--{key}={str(value).lower()}"]
        case list():
            return [f"--{key}", *map(str, value)]
        case dict():
            return [f"--{key}={json.dumps(value)}"]
        case _:
            return [f"--{key}={value}"]
