"""The command line of fine-tuning: our options, those of `TrainingArguments`, and a recipe."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from builders.errors import UserError

if TYPE_CHECKING:
    from transformers import HfArgumentParser

    from trainers.finetuning.run import Asked

_ABOUT = "Fine-tune an encoder on a corpus, on real texts, or on both; in one process or in many."


def make_parser() -> HfArgumentParser:
    """Return the parser of all options and of the recipe's path."""
    from transformers import HfArgumentParser, TrainingArguments

    from trainers.finetuning.recipe import DEFAULTS, Recipe

    class Parser(HfArgumentParser):
        """Says what is wrong in one line, without the usage block."""

        def error(self, message: str) -> NoReturn:
            """Raise it."""
            raise UserError(" ".join(message.split()))

    classes: list[Any] = [Recipe, TrainingArguments]
    parser = Parser(classes, prog="trainers.finetune", description=_ABOUT, allow_abbrev=False)
    parser.add_argument("recipe", nargs="?", type=Path, help="a YAML file of options")
    parser.set_defaults(**DEFAULTS)
    return parser


def parse(words: Sequence[str]) -> Asked:
    """Read a command line, and the recipe that it names.

    Raises:
        UserError: An option is unknown, or its value is none.
    """
    from transformers import TrainingArguments

    from trainers.finetuning.recipe import DECIDED, DEFAULTS, Recipe, own_names
    from trainers.finetuning.recipe_file import as_words, read_recipe, refusal
    from trainers.finetuning.run import Asked

    parser = make_parser()
    theirs = [each.name for each in dataclasses.fields(TrainingArguments) if each.init]
    known = {*own_names(), *theirs}
    words = list(words)
    if words and not words[0].startswith("-"):
        words = [*as_words(read_recipe(Path(words[0]), known)), *words[1:]]
    values, unknown = parser.parse_known_args(words)
    if unknown:
        raise UserError(refusal(unknown[0].lstrip("-").partition("=")[0].replace("-", "_"), known))
    found = vars(values)
    if found["recipe"] is not None:
        raise UserError(f"{found['recipe']}: name one recipe, and name it before the options")
    usual = vars(parser.parse_known_args([])[0])
    for name in DECIDED:
        if name in found and found[name] != usual[name]:
            raise UserError(refusal(name, known))
    if not found["task"]:
        raise UserError("task: is missing; name one of understudy tasks, or a task file")
    own = {name: found[name] for name in own_names()}
    written = {name: value for name, value in own.items() if value is not None}
    for name in theirs:
        if name in DEFAULTS or found[name] != usual[name]:
            written[name] = found[name]
    return Asked(Recipe(**own), {name: found[name] for name in theirs}, written)
