"""Which numbers an option may have."""

from collections.abc import Mapping
from math import inf
from typing import Any

from builders.errors import UserError

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
    "dataloader_prefetch_factor": 1,
    "max_grad_norm": 0,
    "seed": 0,
}

_FINITE = ("learning_rate", "weight_decay", "warmup_steps", "neftune_noise_alpha")

_EVERY_SO_MANY = ("eval_steps", "save_steps", "logging_steps")

_SEEDS = 2**32  # numpy takes no other


def check_ranges(given: Mapping[str, Any]) -> None:
    """Refuse a number that an option cannot have; None is an option that is not used.

    Args:
        given: Every option by name, ours and those of `TrainingArguments`.

    Raises:
        UserError: A number is out of its range.
    """
    for name, least in _LEAST.items():
        if given[name] is not None and not given[name] >= least:
            raise UserError(f"{name} {given[name]}: give at least {least}")
    if given["seed"] >= _SEEDS:
        raise UserError(f"seed {given['seed']}: give less than {_SEEDS}")
    if given["max_steps"] == 0 or given["max_steps"] < -1:
        raise UserError(f"max_steps {given['max_steps']}: give at least 1, or leave it out")
    if not 0 < given["num_train_epochs"] < inf:
        raise UserError(f"num_train_epochs {given['num_train_epochs']:g}: give a number above 0")
    for name in _FINITE:
        if given[name] is not None and not 0 <= given[name] < inf:
            raise UserError(f"{name} {given[name]:g}: give a number of at least 0")
    for name in _EVERY_SO_MANY:
        if given[name] is not None and not 0 < given[name] < inf:
            raise UserError(
                f"{name} {given[name]:g}: give a number of steps, or a share of them all below 1"
            )
