"""`TrainingArguments` of a fine-tuning run: what our settings decide, and what is left to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from builders.errors import UserError
from trainers.finetuning.failing_late import refuse_what_fails_late
from trainers.finetuning.precision import in_bf16
from trainers.finetuning.refusal import refused
from trainers.finetuning.settings import FinetuneSettings

if TYPE_CHECKING:
    from transformers import TrainingArguments


_LEFT_OUT = {"output_dir", "local_rank", "train_sampling_strategy", "resume_from_checkpoint"}
"""Where a run was, and an option of which ours stands in `run.json`."""


def training_arguments(settings: FinetuneSettings, given: Mapping[str, Any]) -> TrainingArguments:
    """Return the arguments of a `Trainer`.

    Args:
        settings: Our own; they decide where both name a thing.
        given: Arguments by name, `output_dir` among them.

    Raises:
        UserError: `TrainingArguments` refuses them, no training could end with them, or one
            process sees several GPUs.
    """
    import torch
    from transformers import TrainingArguments

    on_cpu = bool(given.get("use_cpu")) or not torch.accelerator.is_available()
    values = {
        "per_device_train_batch_size": settings.batch_size,
        "per_device_eval_batch_size": 128,
        **given,
        "num_train_epochs": settings.epochs,
        "learning_rate": settings.learning_rate,
        "weight_decay": settings.weight_decay,
        "warmup_steps": settings.warmup,
        "bf16": in_bf16(settings.precision, on_cpu=on_cpu),
        # `bf16` without a GPU is refused unless this says that there is to be none.
        "use_cpu": on_cpu,
        "remove_unused_columns": False,
        "logging_nan_inf_filter": False,
        "restore_callback_states_from_checkpoint": True,
        "dataloader_pin_memory": not on_cpu,
        # Batches are drawn by `Batches`; what a `Trainer` does with these reaches its predictions.
        "train_sampling_strategy": "random",
        "dataloader_drop_last": False,
    }
    with refused("TrainingArguments"):
        arguments = TrainingArguments(**values)
        processes = arguments.world_size
    # A launcher's own, in the environment, would win over float32.
    arguments.mixed_precision = "bf16" if arguments.bf16 else "no"
    if arguments.n_gpu > 1:
        raise UserError(
            f"{arguments.n_gpu} GPUs and {processes} process: start one process a GPU (torchrun "
            f"--nproc_per_node {arguments.n_gpu} --standalone -m trainers.finetune ...), or leave "
            "it one with CUDA_VISIBLE_DEVICES=0"
        )
    refuse_what_fails_late(arguments)
    return arguments


def resolved(arguments: TrainingArguments) -> dict[str, Any]:
    """Return every option with the value that a run had, defaults too, as JSON holds it.

    A later version may have other defaults than the one that a recipe was written under. What says
    where a run was or what it may push to is not among them.
    """
    values = arguments.to_dict()
    return {
        name: value
        for name, value in values.items()
        if name not in _LEFT_OUT and not name.startswith(("hub_", "push_to_hub"))
    }
