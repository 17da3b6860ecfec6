"""The command line of fine-tuning: our options, those of `TrainingArguments`, and a recipe."""

from __future__ import annotations

import dataclasses
from argparse import Action, Namespace
from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from builders.errors import UserError

if TYPE_CHECKING:
    from transformers import HfArgumentParser

    from trainers.finetuning.run import Asked

_ABOUT = "Fine-tune an encoder on a corpus, on real texts, or on both; in one process or in many."

_NOT_GIVEN = object()


def make_parser(*, with_path: bool = True) -> HfArgumentParser:
    """Return the parser of all options, and of the recipe's path unless it is read already."""
    from transformers import HfArgumentParser, TrainingArguments

    from trainers.finetuning.recipe import DEFAULTS, Recipe

    class Parser(HfArgumentParser):
        """Says what is wrong in one line, without the usage block."""

        def add_argument(self, *names: Any, **how: Any) -> Action:
            """Add an option; a run may report to several, for which the library's takes one."""
            if "--report_to" in names:
                how["nargs"] = "+"
            return super().add_argument(*names, **how)

        def error(self, message: str) -> NoReturn:
            """Raise it."""
            raise UserError(" ".join(message.split()))

    classes: list[Any] = [Recipe, TrainingArguments]
    parser = Parser(classes, prog="trainers.finetune", description=_ABOUT, allow_abbrev=False)
    if with_path:
        parser.add_argument("recipe", nargs="?", type=Path, help="a YAML file of options")
    parser.set_defaults(**DEFAULTS)
    return parser


def parse(words: Sequence[str]) -> Asked:
    """Read a command line, and the recipe that it names.

    Raises:
        UserError: An option is unknown, or its value is none.
    """
    from transformers import TrainingArguments

    from trainers.finetuning.recipe import DEFAULTS, Recipe, own_names
    from trainers.finetuning.recipe_file import as_words, read_recipe
    from trainers.finetuning.run import Asked

    parser = make_parser()
    theirs = [each.name for each in dataclasses.fields(TrainingArguments) if each.init]
    known = {*own_names(), *theirs}
    words = list(words)
    if words and not words[0].startswith("-"):
        words = [*as_words(read_recipe(Path(words[0]), known)), *words[1:]]
    usual = vars(parser.parse_known_args([])[0])
    given = _given(parser, words, usual, known)
    found = {**usual, **given}
    if not found["task"]:
        raise UserError("task: is missing; name one of understudy tasks, or a task file")
    own = {name: found[name] for name in own_names()}
    written = {name: value for name, value in own.items() if value is not None}
    for name in theirs:
        if name in DEFAULTS or found[name] != usual[name]:
            written[name] = _plain(found[name])
    arguments = {name: found[name] for name in theirs}
    return Asked(Recipe(**own), arguments, written, frozenset(given))


def _given(
    parser: HfArgumentParser, words: list[str], usual: Mapping[str, Any], known: Collection[str]
) -> dict[str, Any]:
    """Return the options that words give, and no others."""
    from trainers.finetuning.decided import DECIDED
    from trainers.finetuning.recipe_file import refusal

    blank = Namespace(**dict.fromkeys(usual, _NOT_GIVEN))
    values, unknown = parser.parse_known_args(words, blank)
    given = {name: value for name, value in vars(values).items() if value is not _NOT_GIVEN}
    # First of all, so that no other line shows what stands beside a token.
    for name in DECIDED:
        if name in given and given[name] != usual[name]:
            raise UserError(refusal(name, known))
    if unknown:
        raise UserError(refusal(unknown[0].lstrip("-").partition("=")[0].replace("-", "_"), known))
    if (stray := given.pop("recipe", None)) is not None:
        raise UserError(f"{stray}: name one recipe, and name it before the options")
    if (spread := str(given.get("fsdp")).lower()) in ("true", "false"):
        given["fsdp"] = spread == "true"  # words once, and now a truth value
    if len(reports := given.get("report_to", ())) == 1:
        (given["report_to"],) = reports
    return given


def _plain(value: Any) -> Any:
    """Return the name of what `TrainingArguments` has a type of its own for."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.value if isinstance(value, Enum) else value
