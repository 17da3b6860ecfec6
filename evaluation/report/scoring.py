"""From the stored predictions of a study to its scores with their intervals."""

from pathlib import Path

from builders.errors import UserError
from evaluation.records import REAL_TEST, RunRecord, StudyRecords, TaskFacts
from evaluation.report.predictions import ArmPredictions, check_same_test, read_arm
from evaluation.report.results import REAL, REAL_FULL, ArmResult, StudyResults, TaskResult
from evaluation.statistics import Interval, accuracy_interval, gap_interval, macro_f1_interval


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
    kinds = sorted({f"{run.trainer} on {run.encoder}" for run in done})
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
    return StudyResults(tuple(on_real), tuple(on_corpora), records.arms)


def _by_arm(runs: list[RunRecord], arms: tuple[str, ...]) -> dict[str, list[RunRecord]]:
    by_arm = {arm: [run for run in runs if run.arm == arm] for arm in arms}
    return {arm: own for arm, own in by_arm.items() if own}


def _score_on_real(facts: TaskFacts, by_arm: dict[str, list[RunRecord]], out: Path) -> TaskResult:
    n_labels = len(facts.label_names)
    read = {arm: read_arm(runs, n_labels, out) for arm, runs in by_arm.items()}
    first = next(iter(read.values()))
    for each in read.values():
        check_same_test(first.runs[0], first.labels, each.runs[0], each.labels)
    reference = read.get(REAL)
    arms = tuple(
        _score_arm(
            each,
            n_labels,
            gap=None
            if reference is None or arm in {REAL, REAL_FULL}
            else _gap(reference, each, n_labels),
        )
        for arm, each in read.items()
    )
    result = TaskResult(facts, arms)
    if REAL_FULL not in read or result.best is None:
        return result
    full_gap = _gap(read[REAL_FULL], read[result.best.arm], n_labels)
    return TaskResult(facts, arms, full_gap)


def _score_on_corpora(
    facts: TaskFacts, by_arm: dict[str, list[RunRecord]], out: Path
) -> TaskResult:
    n_labels = len(facts.label_names)
    arms: list[ArmResult] = []
    for runs in by_arm.values():
        for tested_on in sorted({run.evaluated_on for run in runs}):
            same = [run for run in runs if run.evaluated_on == tested_on]
            arms.append(_score_arm(read_arm(same, n_labels, out), n_labels, gap=None))
    return TaskResult(facts, tuple(arms))


def _gap(reference: ArmPredictions, other: ArmPredictions, n_labels: int) -> Interval:
    return gap_interval(reference.labels, reference.predictions, other.predictions, n_labels)


def _score_arm(read: ArmPredictions, n_labels: int, gap: Interval | None) -> ArmResult:
    runs = read.runs
    return ArmResult(
        arm=runs[0].arm,
        evaluated_on=runs[0].evaluated_on,
        seeds=tuple(run.seed for run in runs),
        macro_f1=macro_f1_interval(read.labels, read.predictions, n_labels),
        accuracy=accuracy_interval(read.labels, read.predictions, n_labels),
        gap=gap,
        n_train=tuple(run.n_train for run in runs),
        n_per_label=tuple(run.n_per_label for run in runs),
        n_test=runs[0].n_test,
    )
