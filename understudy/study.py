"""A study: a grid of runs, each done once, written down as it finishes, reported at the end."""

import importlib.metadata
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from builders.composition import Live
from builders.errors import UserError
from builders.llms import LLM
from builders.tasks.base import Task
from evaluation.records import RunRecord
from trainers.base import ClassifierTrainer
from trainers.embeddings import Embeddings, Pooling
from trainers.encoders import EMBEDDED, Encoder, load_encoder
from understudy.gathering import Writer, gather
from understudy.llm_session import LLMSession
from understudy.materials import Materials
from understudy.measuring import PlannedFigure, compute_figure, plan_figures
from understudy.planning import PlannedRun, plan_runs, skipped_runs, task_plan, widened
from understudy.progress import Progress, say
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
    """What one call of `Study.run` did.

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


@dataclass(frozen=True)
class TaskPlan:
    """What is to be done for one task.

    Attributes:
        materials: Its data.
        runs: The runs that can be done.
        skipped: A record for each run whose data is not at hand.
        figures: Diversity and similarity of its arms.
    """

    materials: Materials
    runs: list[PlannedRun]
    skipped: list[RunRecord]
    figures: list[PlannedFigure]

    @property
    def name(self) -> str:
        """The task's name."""
        return self.materials.task.name

    def as_dict(self) -> dict[str, Any]:
        """Return the task's entry of `study.json`."""
        return task_plan(
            self.materials, self.runs, self.skipped, [figure.key for figure in self.figures]
        )


class Study:
    """One call on one study folder.

    Args:
        grid: Tasks, arms and seeds.
        settings: What all runs share.
        out: The study's folder.
        said: Called with each line that a person should read.
        session: What is said of the LLM; None for that of the settings, a recording.
    """

    def __init__(
        self,
        grid: Grid,
        settings: StudySettings,
        out: Path,
        said: Callable[[str], object] = say,
        session: LLMSession | None = None,
    ) -> None:
        self.session = session or LLMSession(settings.llm)
        self.grid = grid
        self.settings = settings
        self.folder = StudyFolder(out)
        self.said = said

    def run(self) -> StudyOutcome:
        """Do every run of the grid that is not there yet.

        Raises:
            UserError: The folder holds another study, the LLM cannot give what is asked for, data
                is wrong, or there is none for any run; nothing was written then.
        """
        self.folder.check(self.settings.as_dict())
        with self.session.opened() as (llm, live):
            check_llm(llm, self.grid, self.settings)
            return self._run_with(llm, live)

    def _run_with(self, llm: LLM, live: Live | None) -> StudyOutcome:
        encoder, embedded = load_encoder(self.settings.encoder), load_encoder(EMBEDDED)
        with self.folder.locked(), Progress() as progress:
            self.folder.check(self.settings.as_dict())
            measuring = Embeddings(embedded, "mean", progress=progress.encoded)
            trainer = self._trainer(encoder, measuring, progress)
            old = self.folder.plan()
            plans = [
                self._plan(task, Writer(llm, live), encoder, trainer, measuring, old)
                for task in progress.each(self.grid.tasks, "data")
            ]
            if not any(plan.runs for plan in plans):
                why = next(iter(plans[0].materials.absent.values()))
                raise UserError(f"nothing to run: {why}")
            for plan in plans:
                plan.materials.check_corpora(self.folder.path)
            return self._work(plans, old, trainer, measuring, progress)

    def _plan(
        self,
        task: Task,
        writer: Writer,
        encoder: Encoder,
        trainer: ClassifierTrainer,
        measuring: Embeddings,
        old: dict[str, Any] | None,
    ) -> TaskPlan:
        arms, seeds = widened(self.grid, old, task.name)
        materials = gather(task, arms, self.settings, writer, self.said)
        for arm, why in materials.absent.items():
            self.said(f"skipped: {task.name} {arm}: {why}")
        return TaskPlan(
            materials=materials,
            runs=plan_runs(materials, seeds, encoder, trainer),
            skipped=skipped_runs(materials, self.settings, seeds),
            figures=plan_figures(materials, measuring),
        )

    def _work(
        self,
        plans: list[TaskPlan],
        old: dict[str, Any] | None,
        trainer: ClassifierTrainer,
        measuring: Embeddings,
        progress: Progress,
    ) -> StudyOutcome:
        """Write the plan, then everything that it names and that is not there yet."""
        self.folder.mend()
        known, figures = self.folder.runs(), self.folder.measures()
        tasks = dict(old["tasks"]) if old else {}
        tasks |= {plan.name: plan.as_dict() for plan in plans}
        # First of all, so that a folder that a kill leaves behind is known as this study's.
        self.folder.write_plan({"settings": self.settings.as_dict(), "tasks": tasks})
        for record in (record for plan in plans for record in plan.skipped):
            if known.get(record.key) != record:
                self.folder.add_run(record)
        for plan in plans:
            plan.materials.write_corpora(self.folder.path)
        todo = {plan.name: [run for run in plan.runs if run.key not in known] for plan in plans}
        done = sum(map(len, todo.values()))
        progress.start(done)
        for plan in plans:
            progress.task(plan.name)
            self._embed(trainer, todo[plan.name])
            for run in todo[plan.name]:
                self._run(plan.materials, run, trainer)
                progress.ran()
            for figure in plan.figures:
                if figure.key not in figures:
                    self.folder.add_measure(compute_figure(figure, measuring))
        return StudyOutcome(
            done=done,
            known=sum(len(plan.runs) for plan in plans) - done,
            skipped={
                (plan.name, arm): why
                for plan in plans
                for arm, why in plan.materials.absent.items()
            },
            encoded=measuring.encoded + trainer_encoded(trainer, measuring),
        )

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

            return Finetune(encoder, progress=progress.stepped)
        from trainers.probe import Probe

        if self.settings.pooling == "mean" and encoder.fingerprint == measuring.encoder.fingerprint:
            return Probe(encoder, measuring)
        pooling: Pooling = "first" if self.settings.pooling == "first" else "mean"
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
