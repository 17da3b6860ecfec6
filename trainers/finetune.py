r"""Fine-tune an encoder on a corpus, on real texts, or on both; in one process or in many.

    python -m trainers.finetune trainers/recipes/cpu.yaml --task sms_spam \
        --corpus corpora/sms_spam --config few_shot --output_dir models/sms

    torchrun --nproc_per_node 2 --standalone -m trainers.finetune RECIPE --processes 2
    accelerate launch --config_file GPUS.yaml -m trainers.finetune RECIPE

A recipe is a YAML file of options; an option on the command line wins over it. Options are ours
(`trainers.finetuning.recipe`) and those of `transformers.TrainingArguments`. The same command goes
on where a run was killed. What it writes says `trainers.finetuning.out_folder`; how to use it says
`docs/training.md`, and where GPUS.yaml is: in `trainers/recipes/accelerate`.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from builders.errors import UserError
from trainers.finetuning.classifier import Finetune
from trainers.finetuning.processes import leave, rank
from trainers.finetuning.settings import FinetuneSettings

if TYPE_CHECKING:
    from transformers import HfArgumentParser

    from trainers.finetuning.run import Asked

__all__ = ["Finetune", "FinetuneSettings", "main", "make_parser"]

_GRACE_S = 20.0  # in which the first process says what all have met, and the launcher ends them


def make_parser() -> HfArgumentParser:
    """Return the parser of all options and of the recipe's path."""
    from transformers import HfArgumentParser, TrainingArguments

    from trainers.finetuning.recipe import DEFAULTS, Recipe

    class Parser(HfArgumentParser):
        """Says what is wrong in one line, without the usage block."""

        def error(self, message: str) -> NoReturn:
            """Raise it."""
            raise UserError(" ".join(message.split()))

    about = (__doc__ or "").partition("\n")[0]
    classes: list[Any] = [Recipe, TrainingArguments]
    parser = Parser(classes, prog="trainers.finetune", description=about, allow_abbrev=False)
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
    from trainers.finetuning.recipe_file import read_recipe, refusal
    from trainers.finetuning.run import Asked

    parser = make_parser()
    theirs = [each.name for each in dataclasses.fields(TrainingArguments) if each.init]
    known = {*own_names(), *theirs}
    words = list(words)
    if words and not words[0].startswith("-"):
        words = [*read_recipe(Path(words[0]), known), *words[1:]]
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


def main(words: Sequence[str] | None = None) -> int:
    """Train what a command line asks for; return the exit code."""

    def said(line: str) -> None:
        if rank() == 0:
            print(line, file=sys.stderr, flush=True)

    from trainers.finetuning.run import run

    try:
        # 1. What is asked for
        asked = parse(sys.argv[1:] if words is None else words)
        # 2. Texts, model, training, scores, folder
        trained = run(asked, said)
        # 3. What came of it
        if rank() == 0:
            print("\n".join(trained.summary(Path(asked.arguments["output_dir"]))))
        leave()
        return 0
    except UserError as error:
        return _failed(str(error))
    except OSError as error:
        if error.errno is None:
            raise  # not the system's, so not the user's to mend
        return _failed(f"{error.filename or 'output'}: {error.strerror}; see to it and start again")
    except KeyboardInterrupt:
        said("trainers.finetune: stopped; the same command goes on from its last checkpoint")
        return 130


def _failed(line: str) -> int:
    """Say in one line why there is no model: once, whatever the number of processes."""
    if rank():
        time.sleep(_GRACE_S)
    print(f"trainers.finetune: {' '.join(line.split())}", file=sys.stderr, flush=True)
    return 2


if __name__ == "__main__":
    sys.exit(main())
