"""A study: a grid of runs, each done once, written down as it finishes, reported at the end."""

import importlib.metadata
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from builders.llms import create_llm
from evaluation.records import RunRecord
from trainers.base import ClassifierTrainer
from trainers.embeddings import Embeddings
from trainers.encoders import EMBEDDED, Encoder, load_encoder
from understudy.materials import Materials, gather
from understudy.measuring import measure
from understudy.planning import PlannedRun, merged_plan, plan_runs, skipped_runs, widened
from understudy.progress import Progress
from understudy.settings import Grid, StudySettings, check_llm
from understudy.study_folder import StudyFolder

PACKAGES = (
    "understudy",
    "torch",
    "transformers",
    "sentence-transformers",
    "datasets",
    "evaluate",
    "scikit-learn",
    "numpy",
)


@dataclass(frozen=True)
class StudyOutcome:
    """What a call of `run_study` did.

    Attributes:
        done: Runs finished by this call.
        known: Runs that were there already.
        skipped: (task, arm) -> why its data is not at hand.
        encoded: Texts that were embedded by this call.
    """

    done: int
    known: int
    skipped: dict[tuple[str, str], str]
    encoded: int


class Study:
    """One call on one study folder.

    Args:
        grid: Tasks, arms and seeds.
        settings: What all runs share.
        out: The study's folder.
        said: Called with each line that a person should read.
    """

    def __init__(
        self, grid: Grid, settings: StudySettings, out: Path, said: Callable[[str], object] = print
    ) -> None:
        self.grid = grid
        self.settings = settings
        self.folder = StudyFolder(out)
        self.said = said

    def run(self) -> StudyOutcome:
        """Do every run of the grid that is not there yet.

        Raises:
            UserError: The folder holds another study, the LLM cannot give what is asked for, or
                data is wrong; nothing was trained then.
        """
        self.folder.check(self.settings.as_dict())
        llm = create_llm(self.settings.llm)
        check_llm(llm, self.grid, self.settings)
        encoder = load_encoder(self.settings.encoder)
        with self.folder.locked():
            self.folder.check(self.settings.as_dict())
            self.folder.mend()
            old = self.folder.plan()
            progress = Progress()
            gathered: list[tuple[Materials, list[str], list[int]]] = []
            for task in progress.each(self.grid.tasks, "data"):
                arms, seeds = widened(self.grid, old, task.name)
                materials = gather(
                    task, tuple(arms), self.settings, llm, self.folder.path, self.said
                )
                gathered.append((materials, arms, seeds))
            return self._train(gathered, encoder, old, progress)

    def _train(
        self,
        gathered: list[tuple[Materials, list[str], list[int]]],
        encoder: Encoder,
        old: dict[str, Any] | None,
        progress: Progress,
    ) -> StudyOutcome:
        measuring = Embeddings(load_encoder(EMBEDDED), "mean", progress=progress.encoded)
        trainer = self._trainer(encoder, measuring, progress)
        planned = {
            m.task.name: plan_runs(m, arms, seeds, encoder, trainer) for m, arms, seeds in gathered
        }
        known = self.folder.runs()
        skipped = self._skip(gathered, known)
        plan = merged_plan(
            old,
            self.settings,
            [materials for materials, _, _ in gathered],
            {
                name: [(run.arm, run.seed, run.key) for run in runs]
                + [(record.arm, record.seed, record.key) for record in skipped[name]]
                for name, runs in planned.items()
            },
        )
        self.folder.write_plan(plan)
        todo = {name: [r for r in runs if r.key not in known] for name, runs in planned.items()}
        progress.start(sum(map(len, todo.values())))
        measures = self.folder.measures()
        for materials, arms, _ in gathered:
            name = materials.task.name
            progress.task(name)
            self._embed(trainer, todo[name])
            for run in todo[name]:
                self._run(materials, run, trainer)
                progress.ran()
            keys = measure(materials, arms, measuring, self.folder, measures)
            plan["tasks"][name]["measures"] = keys
            self.folder.write_plan(plan)
        progress.close()
        done = sum(map(len, todo.values()))
        return StudyOutcome(
            done=done,
            known=sum(map(len, planned.values())) - done,
            skipped={(m.task.name, arm): why for m, _, _ in gathered for arm, why in m.absent.items()},
            encoded=measuring.encoded + (trainer_encoded(trainer, measuring)),
        )

    def _skip(
        self, gathered: list[tuple[Materials, list[str], list[int]]], known: dict[str, RunRecord]
    ) -> dict[str, list[RunRecord]]:
        """Name what is skipped, on the terminal and in `runs.jsonl`."""
        skipped: dict[str, list[RunRecord]] = {}
        for materials, _, seeds in gathered:
            records = skipped_runs(materials, self.settings, seeds)
            skipped[materials.task.name] = records
            for arm, why in materials.absent.items():
                self.said(f"skipped: {materials.task.name} {arm}: {why}")
            for record in records:
                if record.key not in known:
                    self.folder.add_run(record)
        return skipped

    def _embed(self, trainer: ClassifierTrainer, runs: list[PlannedRun]) -> None:
        texts = {text for run in runs for part in (run.train, run.test) for text in part.texts}
        if texts:
            trainer.prepare(sorted(texts))

    def _run(self, materials: Materials, run: PlannedRun, trainer: ClassifierTrainer) -> None:
        from evaluation.metrics.accuracy import Accuracy
        from evaluation.metrics.macro_f1 import MacroF1

        outcome = trainer.run(run.train, run.test, run.seed)
        labels = np.asarray(run.test.labels, dtype=np.int64)
        given = {"predictions": outcome.predictions, "references": labels}
        n_labels = len(run.test.label_names)
        record = RunRecord(
            key=run.key,
            status="done",
            task=materials.task.name,
            arm=run.arm,
            encoder=self.settings.encoder,
            trainer=self.settings.trainer,
            seed=run.seed,
            n_train=len(run.train),
            n_per_label=run.train.counts(),
            n_test=len(run.test),
            macro_f1=float(MacroF1(labels=range(n_labels)).compute(**given)["macro_f1"]),
            accuracy=float(Accuracy().compute(**given)["accuracy"]),
            seconds=round(outcome.seconds, 3),
            evaluated_on=run.evaluated_on,
            train_hash=run.train.content_hash,
            test_hash=run.test.content_hash,
            real_source=materials.real.source if materials.real else "",
            versions=versions(),
            settings={**trainer.settings, **outcome.details},
        )
        # The predictions first: a record never names a file that is not there.
        place = self.folder.write_predictions(run.key, labels, outcome.predictions)
        self.folder.add_run(replace(record, predictions=place))

    def _trainer(
        self, encoder: Encoder, measuring: Embeddings, progress: Progress
    ) -> ClassifierTrainer:
        if self.settings.trainer == "finetune":
            from trainers.finetune import Finetune

            return Finetune(encoder)
        from trainers.probe import Probe

        if self.settings.pooling == "mean" and encoder.fingerprint == measuring.encoder.fingerprint:
            return Probe(encoder, measuring)
        pooling = "first" if self.settings.pooling == "first" else "mean"
        return Probe(encoder, Embeddings(encoder, pooling, progress=progress.encoded))


def trainer_encoded(trainer: ClassifierTrainer, measuring: Embeddings) -> int:
    """Count the texts that a trainer embedded in a cache of its own."""
    own = getattr(trainer, "embeddings", measuring)
    return 0 if own is measuring else int(own.encoded)


@cache
def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        found[package] = importlib.metadata.version(package)
    return found
