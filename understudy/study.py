"""A study: a grid of runs, each done once, written down as it finishes, reported at the end."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from builders.composition import Live
from builders.errors import UserError
from builders.llms import LLM
from builders.tasks.base import Task
from evaluation.records import RunRecord
from evaluation.report.wording import number_of
from trainers.base import ClassifierTrainer, Outcome
from trainers.embeddings import Embeddings, Pooling
from trainers.encoders import EMBEDDED, Encoder, load_encoder
from understudy.classified import classified_record, plan_classified
from understudy.findings import plan_findings
from understudy.foreign_texts import plan_word_pieces
from understudy.gathering import gather
from understudy.llm_session import LLMSession
from understudy.measuring import compute_figures, plan_figures
from understudy.planning import PlannedRun, plan_runs, skipped_runs, widened
from understudy.progress import Progress, say
from understudy.run_scores import run_record, voted_predictions
from understudy.settings import Grid, StudySettings, check_llm
from understudy.study_folder import StudyFolder
from understudy.task_plan import TaskPlan
from understudy.trainer_choice import create_trainer
from understudy.votes import check_votes, parse_votes
from understudy.workers import Workers
from understudy.writer import Writer


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


class Study:
    """One call on one study folder.

    Args:
        grid: Tasks, arms and seeds.
        settings: What all runs share.
        out: The study's folder.
        said: Called with each line that a person should read.
        session: What is said of the LLM; None for that of the settings, a recording.
        processes: How many processes share the runs of fine-tuning; see `Workers`.
    """

    def __init__(
        self,
        grid: Grid,
        settings: StudySettings,
        out: Path,
        said: Callable[[str], object] = say,
        session: LLMSession | None = None,
        processes: int = 1,
    ) -> None:
        self.session = session or LLMSession(settings.llm)
        self.votes = parse_votes(settings.votes)
        self.grid = grid
        self.settings = settings
        self.folder = StudyFolder(out)
        self.said = said
        self.processes = processes

    def run(self) -> StudyOutcome:
        """Do every run of the grid that is not there yet.

        Raises:
            UserError: The folder holds another study, the LLM cannot give what is asked for, data
                is wrong, or there is none for any run; nothing was written then.
        """
        self.folder.check(self.settings.as_dict())
        check_votes(self.votes, self.grid.tasks)
        with self.session.opened() as (llm, live):
            check_llm(llm, self.grid, self.settings)
            return self._run_with(llm, live)

    def _run_with(self, llm: LLM, live: Live | None) -> StudyOutcome:
        encoder, embedded = load_encoder(self.settings.encoder), load_encoder(EMBEDDED)
        with self.folder.locked(), Progress() as progress:
            self.folder.check(self.settings.as_dict())
            measuring = Embeddings(embedded, "mean", progress=progress.encoded)
            own = self._embeddings(encoder, measuring, progress)
            old = self.folder.plan()
            plans = [
                self._plan(task, Writer(llm, live), encoder, measuring, own, progress, old)
                for task in progress.each(self.grid.tasks, "data")
            ]
            if not any(plan.runs or plan.classified for plan in plans):
                reasons = [why for plan in plans for why in plan.materials.absent.values()]
                raise UserError(f"nothing to run: {(*reasons, 'no arm has any texts')[0]}")
            plans = [plan for plan in plans if not self._stays(plan, old)]
            for plan in plans:
                plan.materials.check_corpora(self.folder.path)
            return self._work(plans, old, {measuring, own}, measuring, progress)

    def _plan(
        self,
        task: Task,
        writer: Writer,
        encoder: Encoder,
        measuring: Embeddings,
        own: Embeddings,
        progress: Progress,
        old: dict[str, Any] | None,
    ) -> TaskPlan:
        asked, seeds = widened(self.grid, old, task.name)
        materials = gather(task, asked, self.settings, writer, self.said, self.votes)
        for arm, why in materials.absent.items():
            self.said(f"skipped: {task.name} {arm}: {why}")
        train = materials.real.train if materials.real else None
        trainer = create_trainer(self.settings, encoder, own, train, progress.stepped)
        runs = plan_runs(materials, seeds, encoder, trainer)
        return TaskPlan(
            materials=materials,
            trainer=trainer,
            runs=runs,
            classified=plan_classified(materials, seeds),
            skipped=skipped_runs(materials, self.settings, seeds),
            figures=plan_figures(materials, measuring),
            findings=[
                *plan_word_pieces(materials, trainer, encoder, measuring.encoder),
                *plan_findings(materials, runs, measuring),
            ],
        )

    def _stays(self, plan: TaskPlan, old: dict[str, Any] | None) -> bool:
        """Say whether a task is left as it is: its finished runs had real texts, and it has none.

        What was measured stays true where its texts are out of reach for once.
        """
        entry = old["tasks"].get(plan.name) if old else None
        if (
            entry is None
            or plan.materials.real is not None
            or not entry["facts"].get("real_source")
        ):
            return False
        known = self.folder.runs()
        done = sum(key in known and known[key].status == "done" for _, _, key in entry["runs"])
        if done:
            self.said(f"kept: {plan.name}: {number_of(done, 'finished run')} as they are")
        return done > 0

    def _work(
        self,
        plans: list[TaskPlan],
        old: dict[str, Any] | None,
        embeddings: set[Embeddings],
        measuring: Embeddings,
        progress: Progress,
    ) -> StudyOutcome:
        """Write the plan, then everything that it names and that is not there yet."""
        self.folder.mend()
        known = self.folder.runs()
        tasks = dict(old["tasks"]) if old else {}
        tasks |= {plan.name: plan.as_dict() for plan in plans}
        # First of all, so that a folder that a kill leaves behind is known as this study's.
        self.folder.write_plan({"settings": self.settings.as_dict(), "tasks": tasks})
        for record in (record for plan in plans for record in plan.skipped):
            if known.get(record.key) != record:
                self.folder.add_run(record)
        for plan in plans:
            plan.materials.write_corpora(self.folder.path)
            for voted in plan.materials.voted.values():
                self.folder.write_voted(voted.facts(plan.name).path, voted.rated)
        todo = {plan.name: [run for run in plan.runs if run.key not in known] for plan in plans}
        progress.start(sum(map(len, todo.values())))
        done = 0
        with Workers(self.processes) as workers:
            for plan in plans:
                progress.task(plan.name)
                self._embed(plan.trainer, todo[plan.name])
                done += self._classify(plan, known)
                for run, outcome in workers.train(plan.trainer, todo[plan.name]):
                    self._keep(plan, run, outcome)
                    done += 1
                    progress.ran()
                self._find_out(plan, measuring)
        return StudyOutcome(
            done=done,
            known=sum(len(plan.runs) + (plan.classified is not None) for plan in plans) - done,
            skipped={
                (plan.name, arm): why
                for plan in plans
                for arm, why in plan.materials.absent.items()
            },
            encoded=sum(each.encoded for each in embeddings),
        )

    def _find_out(self, plan: TaskPlan, measuring: Embeddings) -> None:
        """Compute figures and findings that are not there yet."""
        figures, findings = self.folder.measures(), self.folder.findings()
        for figure in plan.figures:
            if any(key not in figures for key in figure.keys.values()):
                for measure in compute_figures(figure, measuring):
                    if measure.key not in figures:
                        self.folder.add_measure(measure)
        for finding in plan.findings:
            if finding.key not in findings:
                self.folder.add_finding(finding.record(self.folder.predictions))

    def _classify(self, plan: TaskPlan, known: dict[str, RunRecord]) -> int:
        """Write down what the LLM itself said of test texts; return how many runs that was."""
        classified = plan.classified
        if classified is None or classified.key in known:
            return 0
        labels = np.asarray(classified.test.labels, dtype=np.int64)[classified.rows]
        place = self.folder.write_predictions(
            classified.key, labels, classified.predictions, rows=classified.rows
        )
        self.folder.add_run(classified_record(classified, plan.materials, place))
        return 1

    def _embed(self, trainer: ClassifierTrainer, runs: list[PlannedRun]) -> None:
        texts = {text for run in runs for part in (run.train, run.predicted) for text in part.texts}
        if texts:
            trainer.prepare(sorted(texts))

    def _keep(self, plan: TaskPlan, run: PlannedRun, outcome: Outcome) -> None:
        record = run_record(run, outcome, plan.materials, plan.trainer, self.settings)
        labels = np.asarray(run.test.labels, dtype=np.int64)
        # The predictions first: a record never names a file that is not there.
        place = self.folder.write_predictions(
            run.key,
            labels,
            outcome.predictions[: len(labels)],
            voted=voted_predictions(run, outcome),
        )
        self.folder.add_run(replace(record, predictions=place))

    def _embeddings(
        self, encoder: Encoder, measuring: Embeddings, progress: Progress
    ) -> Embeddings:
        """Return the vectors that the probe is trained on."""
        same = encoder.fingerprint == measuring.encoder.fingerprint
        if self.settings.pooling == "mean" and same:
            return measuring
        pooling: Pooling = "first" if self.settings.pooling == "first" else "mean"
        return Embeddings(encoder, pooling, progress=progress.encoded)
