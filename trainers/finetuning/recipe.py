"""What a fine-tuning run is asked for: our own options beside those of `TrainingArguments`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import inf
from typing import Any

from builders.errors import UserError
from trainers.finetuning.settings import (
    ClassWeights,
    FinetuneSettings,
    Order,
    Precision,
)
from trainers.losses import CHECKER_PER_LABEL

_DEFAULT = FinetuneSettings()


def _help(text: str) -> dict[str, str]:
    return {"help": text}


@dataclass
class Recipe:
    """What is trained on what, and how; each field is an option and a key of a recipe."""

    task: str = field(default="", metadata=_help("a task's name, or the path of a task file"))
    train: list[str] = field(
        default_factory=lambda: ["synthetic"],
        metadata=_help(
            "what to train on: synthetic, real, or both, each as SOURCE[:N-per-label][:WEIGHT]"
        ),
    )
    corpus: str | None = field(
        default=None,
        metadata=_help("where synthetic texts are: a corpus folder, or OWNER/NAME on the Hub"),
    )
    config: str | None = field(
        default=None, metadata=_help("which configuration of the corpus (its only one if left out)")
    )
    revision: str | None = field(
        default=None, metadata=_help("which release of a corpus on the Hub, such as v1.0.0")
    )
    real: str | None = field(
        default=None,
        metadata=_help("real texts: a file, a folder, or hub ($UNDERSTUDY_DATA/real if left out)"),
    )
    validation: str = field(
        default="none",
        metadata=_help(
            "what to choose the best model on: none, a share of the training texts such as 0.1, "
            "or real:N-per-label"
        ),
    )
    patience: int | None = field(
        default=None,
        metadata=_help("stop after so many evaluations without a better macro-F1 on validation"),
    )
    encoder: str = field(
        default="minilm",
        metadata=_help("minilm (ships with the installation), a folder, or a repository"),
    )
    loss: str = field(default="cross_entropy", metadata=_help("what is minimised"))
    checker_per_label: int = field(
        default=CHECKER_PER_LABEL,
        metadata=_help("real texts a label for the quality checker of a loss that needs one"),
    )
    class_weights: ClassWeights = field(
        default=_DEFAULT.class_weights,
        metadata=_help("balanced counts every label alike, none every text"),
    )
    batch_size: int = field(
        default=_DEFAULT.batch_size,
        metadata=_help("texts a step, over all processes and passes together"),
    )
    max_length: int = field(default=_DEFAULT.max_length, metadata=_help("tokens of a text at most"))
    precision: Precision = field(
        default="auto",
        metadata=_help("fp32, bf16, or auto for bf16 where the hardware multiplies in it"),
    )
    processes: int | None = field(
        default=None,
        metadata=_help("how many processes this has to run as; another number is refused"),
    )
    curve_steps: int | None = field(
        default=None,
        metadata=_help("score macro-F1 on the real test texts every so many steps, to record it"),
    )


DEFAULTS: dict[str, Any] = {
    "num_train_epochs": _DEFAULT.epochs,
    "learning_rate": _DEFAULT.learning_rate,
    "weight_decay": _DEFAULT.weight_decay,
    "warmup_steps": _DEFAULT.warmup,
    "per_device_train_batch_size": 64,
    "per_device_eval_batch_size": 128,
    "seed": 0,
    "save_strategy": "epoch",
    "save_total_limit": 2,
    "logging_steps": 20,
    "report_to": "none",
}
"""Where a run without a word differs from `TrainingArguments` without one."""

AS_RECORDED = {
    "epochs": "num_train_epochs",
    "warmup": "warmup_steps",
    "order": "train_sampling_strategy",
}
"""Names that records of runs have -> how options and recipes spell them; a recipe takes both."""

DECIDED: dict[str, str] = {
    "gradient_accumulation_steps": "batch_size says how many texts a step takes, and passes of at "
    "most per_device_train_batch_size are worked out from it",
    "bf16": "say precision: bf16",
    "fp16": "say precision: bf16, or auto",
    "bf16_full_eval": "weights stay in float32, and so does the model that is kept",
    "fp16_full_eval": "weights stay in float32, and so does the model that is kept",
    "eval_on_start": "a run that goes on would evaluate, and count, its last model again",
    "eval_delay": "a checkpoint that was not evaluated could not be the best",
    "accelerator_config": "batch_size says how many texts a step takes, whoever shares them",
    "label_names": "the labels are the task's",
    "load_best_model_at_end": "validation says what to choose the best model on",
    "resume_from_checkpoint": "the same command goes on from its last checkpoint by itself",
    "push_to_hub": "understudy push model OUTPUT_DIR OWNER/NAME does it, with a card and a version",
    "auto_find_batch_size": "per_device_train_batch_size says how many texts one pass takes",
    "group_by_length": "say train_sampling_strategy: group_by_length",
    "metric_for_best_model": "the best model is the one of the highest macro-F1",
    "greater_is_better": "the best model is the one of the highest macro-F1",
    "remove_unused_columns": "the rows hold what a step needs",
    "train_batch_size": "say batch_size",
    "max_seq_length": "say max_length",
    "dataloader_drop_last": "every text of an epoch is trained on",
    "average_tokens_across_devices": "the loss of a step is the mean over all its texts",
    "data_seed": "seed draws the order of the texts too",
    "prediction_loss_only": "macro-F1 needs the predictions",
    "batch_eval_metrics": "macro-F1 is of all texts, not of a batch",
    "eval_do_concat_batches": "macro-F1 is of all texts, not of a batch",
    "save_only_model": "a checkpoint without the state of the optimiser cannot be gone on from",
}
"""Keys that a user may know, and what to say instead."""


_LEAST = {
    "batch_size": 1,
    "max_length": 1,
    "checker_per_label": 1,
    "patience": 1,
    "curve_steps": 1,
    "per_device_train_batch_size": 1,
    "per_device_eval_batch_size": 1,
    "eval_accumulation_steps": 1,
    "dataloader_num_workers": 0,
    "seed": 0,
}

_SEEDS = 2**32  # numpy takes no other


def settings_of(recipe: Recipe, arguments: dict[str, Any]) -> FinetuneSettings:
    """Return how the encoder is trained.

    Raises:
        UserError: A number is out of its range, or the order of texts is unknown.
    """
    _check_ranges(recipe, arguments)
    order: Order
    match arguments["train_sampling_strategy"]:
        case "random" | "group_by_length" | "sequential" as order:
            pass
        case other:
            raise UserError(
                f"train_sampling_strategy {other}: every batch is shared out by length here; use "
                "random, group_by_length or sequential"
            )
    return FinetuneSettings(
        epochs=arguments["num_train_epochs"],
        batch_size=recipe.batch_size,
        learning_rate=arguments["learning_rate"],
        weight_decay=arguments["weight_decay"],
        warmup=arguments["warmup_steps"],
        max_length=recipe.max_length,
        class_weights=recipe.class_weights,
        precision=recipe.precision,
        order=order,
    )


def _check_ranges(recipe: Recipe, arguments: Mapping[str, Any]) -> None:
    given = {**vars(recipe), **arguments}
    for name, least in _LEAST.items():
        if given[name] is not None and given[name] < least:
            raise UserError(f"{name} {given[name]}: give at least {least}")
    if given["seed"] >= _SEEDS:
        raise UserError(f"seed {given['seed']}: give less than {_SEEDS}")
    if given["max_steps"] == 0 or given["max_steps"] < -1:
        raise UserError(f"max_steps {given['max_steps']}: give at least 1, or leave it out")
    if not 0 < given["num_train_epochs"] < inf:
        raise UserError(f"num_train_epochs {given['num_train_epochs']:g}: give a number above 0")
    for name in ("learning_rate", "weight_decay", "warmup_steps"):
        if not 0 <= given[name] < inf:
            raise UserError(f"{name} {given[name]:g}: give a number of at least 0")
    if recipe.patience is not None and recipe.validation == "none":
        raise UserError(f"patience {recipe.patience}: needs a validation set; say validation: 0.1")


def own_names() -> list[str]:
    """Return the names of our own options."""
    return [each.name for each in fields(Recipe)]
