"""Which runs a study has, and the key of each: what decides a result, hashed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from builders.data import LabelledTexts
from evaluation.arms import LLM
from evaluation.records import RunRecord
from trainers.base import ClassifierTrainer
from trainers.encoders import Encoder
from understudy.materials import Materials
from understudy.settings import Grid, StudySettings

PROTOCOL = 2
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
        voted: Further texts to predict, by the name of the votes on them.
    """

    key: str
    arm: str
    seed: int
    train: LabelledTexts
    test: LabelledTexts
    evaluated_on: str
    voted: Mapping[str, LabelledTexts] = field(default_factory=dict)

    @property
    def predicted(self) -> LabelledTexts:
        """All texts that the run predicts: the test texts, then those with votes."""
        return self.test.joined(*self.voted.values())


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
        "task": task,
        "encoder": encoder.fingerprint,
        "trainer": trainer.name,
        "settings": trainer.settings,
        **planned,
    }
    return hashed(decides)


def plan_runs(
    materials: Materials,
    seeds: Sequence[int],
    encoder: Encoder,
    trainer: ClassifierTrainer,
) -> list[PlannedRun]:
    """Return the runs of one task that can be done, arm by arm; that of the LLM itself is apart."""
    planned: list[PlannedRun] = []
    voted = {name: each.rated.texts for name, each in materials.voted.items()}
    for arm in materials.arms:
        if arm in materials.absent or arm == LLM:
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
                "voted": {name: texts.content_hash for name, texts in voted.items()},
            }
            key = run_key(materials.task.name, decides, encoder, trainer)
            planned.append(PlannedRun(key, arm, seed, train, test, evaluated_on, voted))
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


def widened(grid: Grid, old: dict[str, Any] | None, task: str) -> tuple[list[str], list[int]]:
    """Return what is asked of a task: arms and seeds of this call, and those planned before.

    All arms of a task are compared at equal size, so that an arm that comes later may change the
    size of the others; they are planned together.
    """
    earlier = old["tasks"].get(task, {}).get("runs", []) if old else []
    arms = {*grid.arms, *(arm for arm, _, _ in earlier)}
    seeds = {*grid.seeds, *(seed for arm, seed, _ in earlier if arm != LLM)}
    return sorted(arms), sorted(seeds)


def hashed(decides: Mapping[str, Any]) -> str:
    """Return a key: SHA-256 over everything that decides a result, 32 hex digits of it."""
    text = json.dumps({"protocol": PROTOCOL, **decides}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
