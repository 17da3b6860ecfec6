"""What is to be done for one task of a study."""

from dataclasses import asdict, dataclass
from typing import Any

from evaluation.arms import LLM
from evaluation.records import RunRecord
from trainers.base import ClassifierTrainer
from understudy.classified import Classified
from understudy.findings import PlannedFinding
from understudy.materials import Materials
from understudy.measuring import PlannedFigures
from understudy.planning import PlannedRun


@dataclass(frozen=True)
class TaskPlan:
    """What is to be done for one task.

    Attributes:
        materials: Its data.
        trainer: What trains its classifiers.
        runs: The runs that can be done.
        classified: What the LLM itself said of test texts, if it was asked.
        skipped: A record for each run whose data is not at hand.
        figures: Diversity, wording and closeness to real text of its arms.
        findings: What else is to be found out.
    """

    materials: Materials
    trainer: ClassifierTrainer
    runs: list[PlannedRun]
    classified: Classified | None
    skipped: list[RunRecord]
    figures: list[PlannedFigures]
    findings: list[PlannedFinding]

    @property
    def name(self) -> str:
        """The task's name."""
        return self.materials.task.name

    def as_dict(self) -> dict[str, Any]:
        """Return the task's entry of `study.json`."""
        runs = [(run.arm, run.seed, run.key) for run in self.runs]
        runs += [(record.arm, record.seed, record.key) for record in self.skipped]
        if self.classified is not None:
            runs.append((LLM, self.classified.seed, self.classified.key))
        return {
            "facts": asdict(self.materials.facts()),
            "runs": [list(run) for run in runs],
            "corpora": [record.as_dict() for record in self.materials.records],
            "labellings": [record.as_dict() for record in self.materials.labellings],
            "measures": [key for figure in self.figures for key in figure.keys.values()],
            "findings": [finding.key for finding in self.findings],
        }
