"""A recipe as a study takes it: how every run fine-tunes; what it trains on a study says itself."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from pathlib import Path

from builders.errors import UserError
from trainers.finetuning.command_line import make_parser
from trainers.finetuning.recipe import Recipe, own_names, settings_of
from trainers.finetuning.recipe_file import as_words, read_recipe
from trainers.finetuning.settings import FinetuneSettings

PAPER = Path(__file__).parents[1] / "recipes" / "paper.yaml"
"""How Li et al. (2023) fine-tuned, as far as it is known."""

_HOW = (
    "num_train_epochs",
    "batch_size",
    "learning_rate",
    "weight_decay",
    "warmup_steps",
    "max_length",
    "class_weights",
    "precision",
    "train_sampling_strategy",
)
_TAKEN = (*_HOW, "encoder", "per_device_train_batch_size", "validation")


@dataclass(frozen=True)
class StudyRecipe:
    """What a recipe says of the runs of a study.

    Attributes:
        settings: How an encoder is fine-tuned; what the recipe leaves open is as without one.
        encoder: The encoder that it names, or None.
        pass_size: Texts that go through the model at once at most, None for all of a batch.
    """

    settings: FinetuneSettings
    encoder: str | None
    pass_size: int | None


def read_study_recipe(path: Path) -> StudyRecipe:
    """Read a recipe of `trainers.finetune` for the runs of a study.

    Raises:
        UserError: It cannot be read, a key is unknown or not for a study, or a value does not fit.
    """
    from transformers import TrainingArguments

    theirs = [each.name for each in dataclasses.fields(TrainingArguments) if each.init]
    options = read_recipe(path, {*own_names(), *theirs})
    for name, value in options.items():
        if name not in _TAKEN:
            raise UserError(
                f"{path}: {name} is for trainers.finetune alone; a study's runs are told "
                f"{', '.join(_TAKEN)}"
            )
        if name == "validation" and value != "none":
            raise UserError(
                f"{path}: validation {value}: a run of a study trains on all its texts to the end; "
                "leave it out, or use trainers.finetune"
            )
    try:
        _check_encoder(options.get("encoder", Recipe.encoder))
        found = vars(make_parser(with_path=False).parse_args(as_words(options)))
        recipe = Recipe(**{name: found[name] for name in own_names()})
        settings = settings_of(recipe, {name: found[name] for name in theirs})
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    if "precision" not in options:  # a study is in float32 if nobody says otherwise
        settings = replace(settings, precision=FinetuneSettings().precision)
    encoder, pass_size = (
        found[name] if name in options else None
        for name in ("encoder", "per_device_train_batch_size")
    )
    return StudyRecipe(settings, encoder, pass_size)


def _check_encoder(named: object) -> None:
    """Refuse what YAML does not read as a word: a number or a date is no name that was meant."""
    if not isinstance(named, str) or not named.strip():
        raise UserError(f"encoder {named!r}: name minilm, a folder or a repository, in quotes")
