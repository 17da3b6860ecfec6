"""What `run.json` and `metrics.json` say of a fine-tuned classifier."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from builders.annotation import LabellingRecord
from builders.facts import CorpusRecord
from builders.tasks.base import Task
from trainers.base import Setting
from trainers.encoders import Encoder
from trainers.finetuning.plan import Plan
from trainers.finetuning.recipe import Recipe
from trainers.finetuning.texts import RunTexts
from trainers.finetuning.watched_run import WatchedRun
from trainers.run_folder import Scores, TrainedRun
from trainers.scoring import public_source

PACKAGES = ("understudy", "torch", "transformers", "accelerate", "numpy")


def trained_run(
    task: Task,
    texts: RunTexts,
    encoder: Encoder,
    seed: int,
    settings: dict[str, Setting],
    tests: tuple[Scores, ...],
) -> TrainedRun:
    """Return the record of a run; its files are added when it is written."""
    return TrainedRun(
        task=task.name,
        title=task.title,
        description=task.description,
        labels=dict(task.labels),
        arm=texts.arm,
        trainer="finetune",
        encoder=public_source(encoder.name),
        encoder_fingerprint=encoder.fingerprint,
        seed=seed,
        settings=settings,
        n_per_label=texts.train.counts(),
        train_hash=texts.train.content_hash,
        train_source=public_source(texts.real_source) if texts.real_source else "",
        corpus_source=texts.corpus_source,
        corpus=texts.corpus if isinstance(texts.corpus, CorpusRecord) else None,
        labelling=texts.corpus if isinstance(texts.corpus, LabellingRecord) else None,
        tests=tests,
        versions={"python": platform.python_version()}
        | {package: importlib.metadata.version(package) for package in PACKAGES},
    )


def settings_in(
    recipe: Recipe, plan: Plan, watched: WatchedRun, processes: int
) -> dict[str, Setting]:
    """Return how it was trained, and what that gave: steps, and the step that is kept."""
    return {
        **asdict(plan.settings),
        **plan.loss.settings,
        **_length(plan),
        "precision": "bf16" if watched.fitting.trainer.args.bf16 else "fp32",
        "train": " ".join(recipe.train),
        "validation": recipe.validation,
        "processes": processes,
        "steps": watched.steps,
        "best_step": watched.best_step,
        **watched.fitting.counted,
    }


def _length(plan: Plan) -> dict[str, Setting]:
    """Return the steps that were asked for, where steps were and not epochs."""
    steps = int(plan.arguments.get("max_steps", -1))
    return {} if steps < 1 else {"max_steps": steps, "epochs": "as max_steps has it"}


def metrics_of(watched: WatchedRun, tests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the content of `metrics.json`: nothing in it depends on how long a run took."""
    return {
        "steps": watched.steps,
        "best_step": watched.best_step,
        "tests": list(tests),
        "validation": watched.validation,
        "curve": watched.curve,
        "limit": watched.fitting.limit,
        "cut": watched.cut,
    }
