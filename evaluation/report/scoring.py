"""From the stored predictions of a study to its scores with their intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from builders.errors import UserError
from evaluation.arms import LLM, REAL, REAL_FULL, Kind, parse_arm
from evaluation.records import REAL_TEST, RunRecord, StudyRecords, TaskFacts
from evaluation.report.predictions import (
    ArmPredictions,
    IntArray,
    check_same_test,
    read_arm,
)
from evaluation.report.results import ArmResult, StudyResults, TaskResult
from evaluation.uncertainty.joint_bootstrap import JointBootstrap


def in_table_order(tasks: tuple[TaskFacts, ...]) -> tuple[TaskFacts, ...]:
    """Return the tasks by remembered subjectivity rank; those without one last, as given."""
    return tuple(sorted(tasks, key=lambda each: each.subjectivity_rank_remembered or float("inf")))


def read_results(records: StudyRecords, out: Path) -> StudyResults:
    """Score every finished run of the study in `out`.

    Raises:
        UserError: Predictions cannot be read, do not fit together, or come from several encoders
            or trainers, whose scores one table must not mix.
    """
    done = [run for run in records.runs if run.status == "done"]
    kinds = sorted({f"{run.trainer} on {run.encoder}" for run in done if run.arm != LLM})
    if len(kinds) > 1:
        raise UserError(
            f"{out}: runs of several trainers or encoders ({', '.join(kinds)}); "
            "report one of them at a time"
        )
    on_real: list[TaskResult] = []
    on_corpora: list[TaskResult] = []
    for facts in in_table_order(records.tasks):
        own = [run for run in done if run.task == facts.task]
        real = [run for run in own if run.evaluated_on == REAL_TEST]
        other = [run for run in own if run.evaluated_on != REAL_TEST]
        if real:
            on_real.append(_score_on_real(facts, _by_arm(real, records.arms), out))
        if other:
            on_corpora.append(_score_on_corpora(facts, _by_arm(other, records.arms), out))
    main = tuple(arm for arm in records.arms if parse_arm(arm).kind is Kind.MAIN)
    return StudyResults(tuple(on_real), tuple(on_corpora), main)


def _by_arm(runs: list[RunRecord], arms: tuple[str, ...]) -> dict[str, list[RunRecord]]:
    by_arm = {arm: [run for run in runs if run.arm == arm] for arm in arms}
    return {arm: own for arm, own in by_arm.items() if own}


def _score_on_real(facts: TaskFacts, by_arm: dict[str, list[RunRecord]], out: Path) -> TaskResult:
    n_labels = len(facts.label_names)
    read = {arm: read_arm(runs, n_labels, out) for arm, runs in by_arm.items()}
    llm = read.pop(LLM, None)
    if not read:
        return TaskResult(facts, ())
    first = next(iter(read.values()))
    for each in read.values():
        check_same_test(first.runs[0], first.labels, each.runs[0], each.labels)
    said = {arm: each.predictions for arm, each in read.items()}
    bootstrap = JointBootstrap(first.labels, said, n_labels)
    scored = [_score_arm(each.runs, bootstrap) for each in read.values()]
    names = {name for each in read.values() for name in each.voted}
    result = TaskResult(
        facts,
        tuple(each for each in scored if parse_arm(each.arm).kind is Kind.MAIN),
        tuple(each for each in scored if parse_arm(each.arm).kind is not Kind.MAIN),
        bootstrap=bootstrap,
        classified=None if llm is None else _score_classified(first, llm, said, n_labels),
        voted={
            name: {arm: each.voted[name] for arm, each in read.items() if name in each.voted}
            for name in sorted(names)
        },
    )
    if REAL_FULL not in read or result.best is None:
        return result
    return replace(result, full_gap=bootstrap.gap(REAL_FULL, result.best.arm).interval())


def _score_classified(
    first: ArmPredictions, llm: ArmPredictions, said: Mapping[str, IntArray], n_labels: int
) -> JointBootstrap:
    """Score every arm on the texts that the LLM itself classified."""
    rows = llm.rows
    if (
        rows is None
        or llm.runs[0].test_hash != first.runs[0].test_hash
        or not np.array_equal(first.labels[rows], llm.labels)
    ):
        raise UserError(
            f"{llm.runs[0].task}: what the LLM classified are other test texts than those of the "
            "other arms; run the study again in a new folder"
        )
    own = {arm: predictions[:, rows] for arm, predictions in said.items()}
    return JointBootstrap(llm.labels, {LLM: llm.predictions, **own}, n_labels)


def _score_on_corpora(
    facts: TaskFacts, by_arm: dict[str, list[RunRecord]], out: Path
) -> TaskResult:
    n_labels = len(facts.label_names)
    arms: list[ArmResult] = []
    for arm, runs in by_arm.items():
        for tested_on in sorted({run.evaluated_on for run in runs}):
            same = [run for run in runs if run.evaluated_on == tested_on]
            read = read_arm(same, n_labels, out)
            bootstrap = JointBootstrap(read.labels, {arm: read.predictions}, n_labels)
            arms.append(_score_arm(read.runs, bootstrap))
    return TaskResult(facts, tuple(arms))


def _score_arm(runs: Sequence[RunRecord], bootstrap: JointBootstrap) -> ArmResult:
    arm = runs[0].arm
    compared = REAL in bootstrap and not parse_arm(arm).all_real
    return ArmResult(
        arm=arm,
        evaluated_on=runs[0].evaluated_on,
        seeds=tuple(run.seed for run in runs),
        macro_f1=bootstrap.macro_f1(arm).interval(),
        accuracy=bootstrap.accuracy(arm).interval(),
        gap=bootstrap.gap(REAL, arm).interval() if compared else None,
        n_train=tuple(run.n_train for run in runs),
        n_per_label=tuple(run.n_per_label for run in runs),
        n_test=runs[0].n_test,
    )
