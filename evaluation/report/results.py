"""The scores of a study: tasks, their arms, means over seeds and intervals."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from evaluation.records import TaskFacts
from evaluation.uncertainty.joint_bootstrap import JointBootstrap
from evaluation.uncertainty.scores import Interval


@dataclass(frozen=True)
class ArmResult:
    """One arm of one task, over its seeds.

    Attributes:
        arm: The arm's name.
        evaluated_on: `real`, or the arm whose corpus stood in for a test set.
        seeds: The seeds that finished, ascending.
        macro_f1: Mean over the seeds, 0 to 1, with its interval.
        accuracy: Mean over the seeds, 0 to 1, with its interval.
        gap: Macro-F1 of the `real` arm minus this arm's, on the same texts; None without a real arm
            and for the arms of real texts.
        n_train: Training texts of each seed.
        n_per_label: Label -> training texts, one mapping a seed.
        n_test: Test texts.
    """

    arm: str
    evaluated_on: str
    seeds: tuple[int, ...]
    macro_f1: Interval
    accuracy: Interval
    gap: Interval | None
    n_train: tuple[int, ...]
    n_per_label: tuple[dict[str, int], ...]
    n_test: int


@dataclass(frozen=True)
class TaskResult:
    """One task's arms, all scored on real text or all on one another's corpora.

    Attributes:
        facts: What the study says of the task.
        arms: The main arms that have finished runs, in the order of the tables.
        others: The arms of other kinds: curves, mixtures, alternatives.
        full_gap: Macro-F1 of `real_full` minus that of the best synthetic arm; None without either.
        bootstrap: The scores of all arms on real text, resampled together; None on corpora.
        classified: The same on the texts that the LLM itself classified; None where it did not.
        voted: Name of a set of texts with votes -> arm -> what was predicted of them (seeds, n).
    """

    facts: TaskFacts
    arms: tuple[ArmResult, ...]
    others: tuple[ArmResult, ...] = ()
    full_gap: Interval | None = None
    bootstrap: JointBootstrap | None = None
    classified: JointBootstrap | None = None
    voted: Mapping[str, Mapping[str, NDArray[np.int64]]] = field(default_factory=dict)

    def arm(self, name: str) -> ArmResult | None:
        """Return the arm called `name`, or None where it has no finished run."""
        return next((each for each in (*self.arms, *self.others) if each.arm == name), None)

    @property
    def synthetic(self) -> tuple[ArmResult, ...]:
        """The main arms that have a gap."""
        return tuple(each for each in self.arms if each.gap is not None)

    @property
    def best(self) -> ArmResult | None:
        """The arm with the highest macro-F1 of those that have a gap; None without one."""
        return max(self.synthetic, key=lambda each: each.macro_f1.value, default=None)


@dataclass(frozen=True)
class StudyResults:
    """The scores of a study.

    Attributes:
        on_real: Tasks scored on real text, in the order of the tables.
        on_corpora: Tasks of which synthetic arms were scored on one another's corpora.
        arms: The study's main arms in the order of the tables.
    """

    on_real: tuple[TaskResult, ...]
    on_corpora: tuple[TaskResult, ...]
    arms: tuple[str, ...]

    @property
    def with_main_arms(self) -> tuple[TaskResult, ...]:
        """Tasks of which a main arm was scored on real text: the rows of the main tables."""
        return tuple(task for task in self.on_real if task.arms)

    @property
    def any_real(self) -> bool:
        """Whether any run was scored on real text."""
        return bool(self.on_real)
