"""What a fine-tuning run is asked for: our own options beside those of `TrainingArguments`."""

from dataclasses import dataclass, field, fields
from typing import Any

from builders.errors import UserError
from trainers.finetuning.ranges import check_ranges
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

SEVERAL = ("train", "report_to", "debug", "include_for_metrics")
"""Options that take more than one value."""


def settings_of(recipe: Recipe, arguments: dict[str, Any]) -> FinetuneSettings:
    """Return how the encoder is trained.

    Raises:
        UserError: A number is out of its range, or the order of texts is unknown.
    """
    check_ranges({**vars(recipe), **arguments})
    if recipe.patience is not None and recipe.validation == "none":
        raise UserError(f"patience {recipe.patience}: needs a validation set; say validation: 0.1")
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


def own_names() -> list[str]:
    """Return the names of our own options."""
    return [each.name for each in fields(Recipe)]
