"""Which runs a study has, and the key of each: what decides a result, hashed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from builders.data import LabelledTexts
from evaluation.records import RunRecord
from trainers.base import ClassifierTrainer
from trainers.encoders import Encoder
from understudy.materials import Materials
from understudy.settings import Grid, StudySettings

PROTOCOL = 1
"""Raised when training or scoring changes in a way that makes older runs incomparable."""


@dataclass(frozen=True)
class PlannedRun:
    """A run that can be done.

    Attributes:
        key: Hash over all that decides its result (hex).
        arm: The arm.
        seed: The seed.
        train: Training texts.
        test: Test texts.
        evaluated_on: `real`, or the arm whose corpus stands in for a test set.
    """

    key: str
    arm: str
    seed: int
    train: LabelledTexts
    test: LabelledTexts
    evaluated_on: str


def run_key(
    task: str,
    planned: Mapping[str, Any],
    encoder: Encoder,
    trainer: ClassifierTrainer,
) -> str:
    """Return the key of a run: SHA-256 over everything that decides its result.

    Args:
        task: Task name.
        planned: Arm, seed, and the content hashes and sizes of training and test texts.
        encoder: Its fingerprint covers the weights.
        trainer: Its settings.
    """
    decides = {
        "protocol": PROTOCOL,
        "task": task,
        "encoder": encoder.fingerprint,
        "trainer": trainer.name,
        "settings": trainer.settings,
        **planned,
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:32]


def plan_runs(
    materials: Materials,
    seeds: Sequence[int],
    encoder: Encoder,
    trainer: ClassifierTrainer,
) -> list[PlannedRun]:
    """Return the runs of one task that can be done, arm by arm."""
    planned: list[PlannedRun] = []
    for arm in materials.arms:
        if arm in materials.absent:
            continue
        evaluated_on, test = materials.tested_on(arm)
        for seed in seeds:
            train = materials.train(arm, seed)
            decides = {
                "arm": arm,
                "seed": seed,
                "n": train.counts(),
                "train": train.content_hash,
                "test": test.content_hash,
                "evaluated_on": evaluated_on,
            }
            key = run_key(materials.task.name, decides, encoder, trainer)
            planned.append(PlannedRun(key, arm, seed, train, test, evaluated_on))
    return planned


def skipped_runs(
    materials: Materials, settings: StudySettings, seeds: Sequence[int]
) -> list[RunRecord]:
    """Return a `skipped` record for every run whose data is not at hand; its key is its name."""
    records = []
    for arm, reason in materials.absent.items():
        for seed in seeds:
            name = f"skipped/{materials.task.name}/{arm}/{seed}"
            records.append(
                RunRecord(
                    key=hashlib.sha256(name.encode()).hexdigest()[:32],
                    status="skipped",
                    task=materials.task.name,
                    arm=arm,
                    encoder=settings.encoder,
                    trainer=settings.trainer,
                    seed=seed,
                    reason=reason,
                )
            )
    return records


def task_plan(
    materials: Materials,
    runs: Sequence[PlannedRun],
    skipped: Sequence[RunRecord],
    measures: Sequence[str],
) -> dict[str, Any]:
    """Return one task's entry of the plan, as JSON holds it.

    Args:
        materials: The task's data.
        runs: Its runs.
        skipped: Its runs whose data is not at hand.
        measures: Keys of its figures.
    """
    return {
        "facts": asdict(materials.facts()),
        "runs": [
            *([run.arm, run.seed, run.key] for run in runs),
            *([record.arm, record.seed, record.key] for record in skipped),
        ],
        "corpora": [record.as_dict() for record in materials.records],
        "measures": list(measures),
    }


def widened(grid: Grid, old: dict[str, Any] | None, task: str) -> tuple[list[str], list[int]]:
    """Return what is asked of a task: arms and seeds of this call, and those planned before.

    All arms of a task are compared at equal size, so that an arm that comes later may change the
    size of the others; they are planned together.
    """
    earlier = old["tasks"].get(task, {}).get("runs", []) if old else []
    arms = {*grid.arms, *(arm for arm, _, _ in earlier)}
    seeds = {*grid.seeds, *(seed for _, seed, _ in earlier)}
    return sorted(arms), sorted(seeds)
