"""Options that `TrainingArguments` takes and that would fail in a step, or after the last one."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from builders.errors import UserError
from trainers.finetuning.refusal import refused

if TYPE_CHECKING:
    from transformers import TrainingArguments


def refuse_what_fails_late(arguments: TrainingArguments) -> None:
    """Try now what a `Trainer` would come to after work was done.

    Raises:
        UserError: It would fail.
    """
    _check_workers(arguments)
    if arguments.torch_compile:
        _check_compiling(arguments)
    _check_checkpointing(arguments)
    if arguments.fsdp and arguments.parallel_mode.value != "distributed":
        raise UserError(
            "fsdp: there is one process, and it spreads a model over several; start one a GPU "
            "(torchrun --nproc_per_node N --standalone -m trainers.finetune ...), or leave it out"
        )


def _check_workers(arguments: TrainingArguments) -> None:
    """Refuse what is told workers that there are none of: the test texts are loaded with it too."""
    if arguments.dataloader_num_workers > 0:
        return
    for name in ("dataloader_persistent_workers", "dataloader_multiprocessing_context"):
        if getattr(arguments, name):
            raise UserError(f"{name}: there is no worker; say dataloader_num_workers: 1 with it")


def _check_compiling(arguments: TrainingArguments) -> None:
    """Compile a model of nothing: names are looked up at once, and nothing is compiled yet."""
    import torch

    backend, mode = arguments.torch_compile_backend or "inductor", arguments.torch_compile_mode
    given = f"torch_compile with the backend {backend}" + (f" and the mode {mode}" if mode else "")
    with refused(given, RuntimeError):
        torch.compile(torch.nn.Identity(), backend=backend.lower(), mode=mode)


def _check_checkpointing(arguments: TrainingArguments) -> None:
    given = arguments.activation_checkpointing_kwargs
    if given is None:
        return
    name = "activation_checkpointing_kwargs"
    if not arguments.activation_checkpointing:
        raise UserError(f"{name}: say activation_checkpointing: true with it, or leave it out")
    if not isinstance(given, dict):
        raise UserError(f"{name} {given}: is no mapping; write {{use_reentrant: false}}")
    import torch
    from torch.utils.checkpoint import checkpoint

    own = dict(given)
    layers = own.pop("every_n_layers", 1)
    if not isinstance(layers, int) or layers < 1:
        raise UserError(f"{name}: every_n_layers {layers}: give a whole number of at least 1")
    if own.pop("offload", False) and not torch.accelerator.is_available():
        raise UserError(f"{name}: offload: there is no GPU to take anything from; leave it out")
    with warnings.catch_warnings(), refused(name, RuntimeError):
        warnings.simplefilter("ignore")  # the training says it again
        tried = checkpoint(torch.nn.Identity(), torch.zeros(1, requires_grad=True), **own)
        tried.sum().backward()
