"""What a gap's interval allows a verdict to say."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.records import TaskFacts
from evaluation.report.results import ArmResult, TaskResult
from evaluation.report.verdict import Finding, finding_of, judge
from evaluation.uncertainty.scores import Interval

FACTS = TaskFacts("films", "Films", ("bad", "good"), 3, "own", 4101, 100, {}, 0, "real")


def interval(value: float, low: float, high: float) -> Interval:
    """Return an interval given in points."""
    return Interval(value / 100, low / 100, high / 100, 0.95)


def arm(name: str, macro_f1: float, gap: Interval | None, n_train: int = 400) -> ArmResult:
    """Return an arm with one seed and `n_train` texts."""
    score = interval(macro_f1, macro_f1 - 1, macro_f1 + 1)
    return ArmResult(name, "real", (0,), score, score, gap, (n_train,), ({},), 100)


def sentence(gap: Interval, full_gap: Interval | None = None, n_train: int = 400) -> str:
    """Return the verdict of a task whose one synthetic arm has `gap`."""
    arms = (
        arm("real", 80, None),
        arm("few_shot", 75, gap, n_train),
        arm("real_full", 90, None, 4101),
    )
    return judge(TaskResult(FACTS, arms, full_gap=full_gap)).sentence


def test_loss_is_named_with_its_interval() -> None:
    """Above 0 throughout: what the text costs, in points, and between what."""
    assert sentence(interval(5.1, 3.0, 7.2)) == (
        "few_shot text costs 5.1 points (3.0 to 7.2) against as many real texts."
    )


def test_interval_that_holds_zero_excludes_no_loss() -> None:
    """Around 0: no loss shown, and the loss that the interval leaves open; never equality."""
    assert sentence(interval(0.4, -1.0, 1.9)) == (
        "No loss could be shown for few_shot text against as many real texts: gap 0.4 "
        "(-1.0 to 1.9), so a loss of up to 1.9 points is not excluded."
    )


def test_gain_turns_the_interval_round() -> None:
    """Below 0 throughout: what the text gains, ends in order, signs turned."""
    assert sentence(interval(-2.0, -3.5, -0.5)) == (
        "few_shot text gains 2.0 points (0.5 to 3.5) over as many real texts."
    )


def test_distance_to_all_real_texts_is_told() -> None:
    """With real_full the sentence goes on to what all real training texts give."""
    told = sentence(interval(5.1, 3.0, 7.2), full_gap=interval(15.0, 12.0, 18.0))
    assert told.endswith("; all 4,101 real training texts give 15.0 points (12.0 to 18.0) more.")


def test_undecided_distance_to_all_real_texts_is_no_equality() -> None:
    """Around 0 against all real texts: the loss left open is told there too."""
    told = sentence(interval(0.4, -1.0, 1.9), full_gap=interval(0.5, -0.5, 1.5))
    assert told.endswith(
        "; no loss could be shown against all 4,101 real training texts either: gap 0.5 "
        "(-0.5 to 1.5), so a loss of up to 1.5 points is not excluded."
    )


def test_unequal_sizes_are_not_called_as_many() -> None:
    """An arm with fewer texts than the real one is compared by number."""
    told = sentence(interval(5.1, 3.0, 7.2), n_train=380)
    assert told.endswith("against 400 real texts (its own are 380).")


def test_best_arm_is_judged() -> None:
    """The arm with the highest macro-F1 is the one judged."""
    arms = (
        arm("real", 80, None),
        arm("zero_shot", 70, interval(10, 8, 12)),
        arm("few_shot", 78, interval(2, 1, 3)),
    )
    assert judge(TaskResult(FACTS, arms)).sentence.startswith("few_shot text costs 2.0 points")


@pytest.mark.parametrize(
    ("low", "high", "finding"),
    [
        (0.06, 2.0, Finding.LOSS),
        (0.04, 2.0, Finding.NO_LOSS_SHOWN),
        (-2.0, -0.04, Finding.NO_LOSS_SHOWN),
        (-2.0, -0.06, Finding.GAIN),
        (0.0, 0.0, Finding.NO_LOSS_SHOWN),
    ],
)
def test_finding_agrees_with_the_ends_as_printed(low: float, high: float, finding: Finding) -> None:
    """An end printed as 0.0 touches 0: 0.06 points is printed 0.1, 0.04 is printed 0.0."""
    assert finding_of(interval((low + high) / 2, low, high)) is finding


@given(st.floats(-50, 50), st.floats(0, 20), st.floats(0, 20))
def test_costs_and_gains_are_only_said_of_intervals_off_zero(
    value: float, below: float, above: float
) -> None:
    """Whatever the interval, its printed ends bear out the verb, and no -0.0 is printed."""
    told = sentence(interval(value, value - below, value + above))
    low, high = map(float, re.findall(r"\((-?[\d.]+) to (-?[\d.]+)\)", told)[0])
    assert low <= high
    assert bool(re.search(r"text (costs|gains) ", told)) == (low > 0)
    assert ("No loss" in told) == (low <= 0 <= high)
    assert "-0.0" not in told
