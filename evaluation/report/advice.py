"""What a practitioner should do about one task: use the texts, add labels, or collect labels."""

from collections.abc import Iterator

from evaluation.arms import REAL
from evaluation.records import StudyRecords
from evaluation.report.alternatives import comparisons
from evaluation.report.results import ArmResult, TaskResult
from evaluation.report.verdict import Advice, Call, Finding, finding_of, judge
from evaluation.report.wording import between, hundredths, spread, with_spread
from evaluation.report.worth import STEP, mixtures_of, step_of, worth_of
from evaluation.uncertainty.scores import Interval
from evaluation.undefined import Undefined

TOLERANCE = 0.02
"""Loss of macro-F1 that is taken for small, where nothing else is said: 2 points."""

_MOST = 20
"""More test texts than so many times those at hand are not asked for: they decide nothing soon."""


def advise(task: TaskResult, records: StudyRecords, tolerance: float = TOLERANCE) -> Advice:
    """Say what was measured means for who has to decide, and nothing beyond it.

    Synthetic text is called good enough where the whole 95 % interval of the gap lies at or below
    the tolerance, too poor where all of it lies above, and undecided between; alone first, then
    with the fewest real texts a label for which it holds.

    Args:
        task: A task scored on real text.
        records: What the study wrote down.
        tolerance: Loss of macro-F1 (0 to 1) that is taken for small.
    """
    verdict, best, real = judge(task), task.best, task.arm(REAL)
    if best is None or best.gap is None or real is None:
        return Advice(verdict, Call.UNKNOWN, Call.UNKNOWN, (verdict.sentence,), "")
    call, headline, reason = _decide(task, best, best.gap, real, tolerance)
    evidence = (verdict.sentence, _reached(task, best, real), *reason, *_worth(task, best))
    return Advice(verdict, call, headline, evidence, _next_step(task, records, call, tolerance))


def _decide(
    task: TaskResult, best: ArmResult, gap: Interval, real: ArmResult, tolerance: float
) -> tuple[Call, str, tuple[str, ...]]:
    small = f"{hundredths(tolerance)} points"
    if _at_most(gap.high, tolerance):
        words = f"The whole interval lies at or below the {small} that are taken for small."
        return Call.USE, f"use it: {best.arm}", (words,)
    enough = _enough_labels(task, best, real, tolerance)
    if enough is not None:
        n, own = enough
        words = (
            f"With {n} real texts of each label added, the gap is {with_spread(own)}: at or below "
            f"the {small} that are taken for small."
        )
        return Call.USE_WITH_LABELS, f"use {best.arm} with {n} real labels a class", (words,)
    if _at_most(gap.low, tolerance):
        words = f"The interval holds losses below and above the {small} that are taken for small."
        return Call.UNDECIDED, Call.UNDECIDED, (words,)
    words = f"The whole interval lies above the {small} that are taken for small."
    if mixtures_of(task, best.arm):
        words += " Added real texts, fewer than the arm real has, were not shown to bring it below."
    return Call.COLLECT, Call.COLLECT, (words,)


def _enough_labels(
    task: TaskResult, best: ArmResult, real: ArmResult, tolerance: float
) -> tuple[int, Interval] | None:
    """Return the fewest real texts a label that are enough, fewer than the arm real has."""
    most = min((n for counts in real.n_per_label for n in counts.values()), default=0)
    for mixture in mixtures_of(task, best.arm):
        gap = mixture.result.gap
        if gap is not None and mixture.real < most and _at_most(gap.high, tolerance):
            return mixture.real, gap
    return None


def _reached(task: TaskResult, best: ArmResult, real: ArmResult) -> str:
    """Say how good the classifiers are: a small gap means little where both are poor.

    Who draws any of k labels as often reaches 1/k of macro-F1 where the labels are balanced, and
    less where they are not: F1 of a label with the share p is 2p / (1 + kp), concave in p.
    """
    k, others = len(task.facts.label_names), hundredths(real.macro_f1.value)
    return (
        f"{best.arm} text reaches {with_spread(best.macro_f1)} macro-F1; real texts reach "
        f"{others}, drawing any of the {k} labels {hundredths(1 / k)} at most."
    )


def _worth(task: TaskResult, best: ArmResult) -> Iterator[str]:
    found = worth_of(task, best.arm)
    if found is not None and not isinstance(found, Undefined):
        n = between(best.n_train)
        yield (
            f"Alone, its {n} texts are worth {found.worth} ({found.low} to {found.high}) real "
            "labels a class."
        )


def _next_step(task: TaskResult, records: StudyRecords, call: Call, tolerance: float) -> str:
    """Return the cheapest thing to do next: an LLM's labels, then more test texts, then labels."""
    if call is Call.USE:
        return "None is needed for the score; look at what it misses before relying on it."
    if led := _labelling_leads(task, records):
        return led
    if call is Call.UNDECIDED:
        return _more_test_texts(task, tolerance)
    if call is Call.USE_WITH_LABELS:
        return "Label so many real texts of each class, and train on both."
    return _more_labels(task)


def _labelling_leads(task: TaskResult, records: StudyRecords) -> str:
    """Say so where real texts that the LLM labels are shown to serve better than written ones."""
    best = task.best
    for by_cost, texts in ((False, "as many {} texts"), (True, "{} texts of the same cost")):
        for each in comparisons(task, records, by_cost=by_cost):
            if best and each.strategy == best.arm and finding_of(each.lead) is Finding.LOSS:
                return (
                    "If there are real texts without labels, let the LLM label them: so trained, "
                    f"the classifier scores {hundredths(each.lead.value)} points "
                    f"({spread(each.lead)}) above one trained on {texts.format(each.strategy)}."
                )
    return ""


def _more_test_texts(task: TaskResult, tolerance: float) -> str:
    """Say about how many times the test texts would decide, as far as texts are what varies."""
    best = task.best
    gap = best.gap if best else None
    if best is None or gap is None:
        return ""
    distance = abs(gap.value - tolerance)
    half = (gap.high - gap.low) / 2
    if distance * _MOST**0.5 < half:
        return (
            "More real test texts alone will hardly decide it: the gap lies too near to what is "
            "taken for small."
        )
    times = (half / distance) ** 2
    return (
        f"About {max(2, round(times))} times the {best.n_test:,} real test texts would decide it, "
        "if the gap stays where it is."
    )


def _more_labels(task: TaskResult) -> str:
    before, after = STEP
    step = step_of(task, task.best.arm) if task.best else None
    if step is None:
        return "Label real texts."
    words = "alone"
    gain = step.to_real
    if step.of_synthetic.low > 0:
        words, gain = f"beside {task.best.arm if task.best else ''} text", step.to_mix
    return (
        f"Label real texts: from {before} to {after} of each class they add "
        f"{hundredths(gain.value)} points ({spread(gain)}) {words}."
    )


def _at_most(value: float, tolerance: float) -> bool:
    """Compare as printed, in tenths of a point."""
    return round(100 * value, 1) <= round(100 * tolerance, 1)
