"""What decides the result of a run: two runs with the same of it end with the same weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from builders.tasks.base import Task
from trainers.finetuning.plan import Plan
from trainers.finetuning.precision import meant_here
from trainers.finetuning.texts import RunTexts

_DECIDES_NOTHING = {
    # What is told on the way, and where
    "output_dir", "report_to", "run_name", "project", "trackio_space_id", "trackio_bucket_id",
    "trackio_static_space_id", "disable_tqdm", "logging_strategy", "logging_steps",
    "logging_first_step", "log_level", "log_level_replica", "log_on_each_node",
    "skip_memory_metrics", "debug",
    # What is kept, and how texts and gradients are handed on
    "save_total_limit", "dataloader_num_workers", "dataloader_pin_memory",
    "dataloader_persistent_workers", "dataloader_prefetch_factor",
    "dataloader_multiprocessing_context", "ddp_timeout", "eval_accumulation_steps",
    "torch_empty_cache_steps", "do_train", "do_eval", "do_predict",
    # What these lead to is told apart by its content
    "task", "encoder", "corpus", "config", "revision", "real", "processes",
}  # fmt: skip
"""Options that a run may be gone on with as others."""


def made_of(
    task: Task, plan: Plan, texts: RunTexts, processes: int, written: Mapping[str, Any]
) -> dict[str, Any]:
    """Return all that decides the result, as the checkpoints of a run are told apart.

    Args:
        task: The task.
        plan: How it is trained.
        texts: On what.
        processes: How many processes train.
        written: Every option that is not at its default, and all of our own.
    """
    given = {name: value for name, value in written.items() if name not in _DECIDES_NOTHING}
    return {
        "task": task.name,
        "labels": list(task.label_names),
        "encoder files": plan.encoder.fingerprint,
        "training texts": texts.train.content_hash,
        "validation texts": texts.validation.content_hash if texts.validation else "",
        "checker's texts": texts.checker.content_hash if texts.checker else "",
        "processes": processes,
        **given,
        "precision": meant_here(plan.settings.precision),
    }
