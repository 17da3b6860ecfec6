"""What to do about a task: from the interval of its gap and the loss that is taken for small."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_study import corpus, real_study

from evaluation.records import StudyRecords, TaskFacts
from evaluation.report.advice import advise
from evaluation.report.results import ArmResult, TaskResult
from evaluation.report.verdict import Advice, Call
from evaluation.uncertainty.scores import Interval

FACTS = TaskFacts("films", "Films", ("bad", "good"), 3, "own", 4101, 100, {}, 0, "real")
NOTHING = StudyRecords({}, (FACTS,), (), (), (), (), ())
EACH = {"bad": 200, "good": 200}


def interval(value: float, low: float, high: float) -> Interval:
    """Return an interval given in points."""
    return Interval(value / 100, low / 100, high / 100, 0.95)


def arm(name: str, macro_f1: float, gap: Interval | None) -> ArmResult:
    """Return an arm with one seed and 200 texts of each label."""
    score = interval(macro_f1, macro_f1 - 1, macro_f1 + 1)
    return ArmResult(name, "real", (0,), score, score, gap, (400,), (EACH,), 100)


def advice(
    gap: Interval, mixtures: dict[int, Interval] | None = None, tolerance: float = 0.02
) -> Advice:
    """Return the advice on a task whose best synthetic arm has `gap`.

    Args:
        gap: Of few_shot alone.
        mixtures: Real texts a label beside it -> the gap that is left.
        tolerance: What is taken for small.
    """
    others = tuple(arm(f"few_shot+real@{n}", 78, g) for n, g in (mixtures or {}).items())
    arms = (arm("real", 80, None), arm("few_shot", 75, gap))
    return advise(TaskResult(FACTS, arms, others), NOTHING, tolerance)


def test_a_gap_that_is_small_throughout_is_enough() -> None:
    """Up to 1.9 points, and 2 are taken for small."""
    found = advice(interval(0.5, -1.0, 1.9))

    assert (found.call, found.headline) == (Call.USE, "use it: few_shot")


def test_the_evidence_says_how_good_the_classifiers_are() -> None:
    """Two labels: who draws one of them reaches 1/2, and a gap of 0 to that would be no comfort."""
    said = advice(interval(0.5, -1.0, 1.9)).evidence[1]

    assert said == (
        "few_shot text reaches 75.0 (74.0 to 76.0) macro-F1; real texts reach 80.0, drawing any of "
        "the 2 labels 50.0 at most."
    )


def test_an_end_as_printed_counts() -> None:
    """2.04 points are printed 2.0 and taken for small, 2.06 are printed 2.1 and are not."""
    assert advice(interval(1, 0, 2.04)).call is Call.USE
    assert advice(interval(1, 0, 2.06)).call is Call.UNDECIDED


def test_a_gap_that_is_large_throughout_means_labels() -> None:
    """From 3 points on, and nothing that was added brings it down."""
    found = advice(interval(5, 3, 7), {10: interval(4, 2.5, 6)})

    assert found.call is Call.COLLECT
    assert found.next_step == "Label real texts."


def test_the_fewest_real_labels_that_are_enough_are_named() -> None:
    """10 are not enough, 50 are, 100 are too."""
    mixtures = {10: interval(4, 2, 6), 50: interval(0, -2, 2), 100: interval(-1, -3, 1)}

    found = advice(interval(5, 3, 7), mixtures)

    assert found.call is Call.USE_WITH_LABELS
    assert found.headline == "use few_shot with 50 real labels a class"
    assert "With 50 real texts of each label added, the gap is 0.0 (-2.0 to 2.0)" in " ".join(
        found.evidence
    )


def test_as_many_real_labels_as_the_real_arm_has_save_nothing() -> None:
    """With 200 of each label beside it, the corpus is not needed."""
    assert advice(interval(5, 3, 7), {200: interval(0, -1, 1)}).call is Call.COLLECT


def test_between_the_two_nothing_is_decided_and_more_test_texts_are_asked_for() -> None:
    """Half width 3, distance to 2 points 1: nine times the 100 test texts."""
    found = advice(interval(3, 0, 6))

    assert found.call is Call.UNDECIDED
    assert found.next_step.startswith("About 9 times the 100 real test texts would decide it")


def test_a_gap_right_at_the_tolerance_is_not_decided_by_more_texts() -> None:
    """The distance is 0: no number of texts tells the two apart."""
    assert "hardly decide it" in advice(interval(2, -1, 5)).next_step


def test_another_tolerance_decides_otherwise() -> None:
    """A loss of at most 7 points is small to someone."""
    assert advice(interval(5, 3, 7), tolerance=0.07).call is Call.USE


def test_without_the_arm_real_nothing_is_known() -> None:
    """There is no gap, so no call and no next step."""
    found = advise(TaskResult(FACTS, (arm("few_shot", 75, None),)), NOTHING)

    assert (found.call, found.next_step) == (Call.UNKNOWN, "")


@given(st.floats(-20, 20), st.floats(0, 15), st.floats(0, 15), st.floats(0, 0.1))
def test_the_call_never_goes_beyond_the_interval(
    value: float, below: float, above: float, tolerance: float
) -> None:
    """`use it` only where the upper end is small, `collect` only where the lower end is not."""
    found = advice(interval(value, value - below, value + above), tolerance=tolerance)

    low, high, small = (round(x, 1) for x in (value - below, value + above, 100 * tolerance))
    expected = Call.USE if high <= small else Call.COLLECT if low > small else Call.UNDECIDED
    assert found.call is expected or min(abs(low - small), abs(high - small)) <= 0.1001


@pytest.mark.parametrize("strategy", ["zero_shot", "few_shot"])
def test_the_report_gives_advice_on_each_task(
    strategy: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A study of ten tasks has a call for each, on the arm that scores best."""
    from evaluation.report import read_results

    out = tmp_path_factory.mktemp("advice")
    records = real_study(out, ("films", "jokes"), 60)
    records = replace(records, corpora=(corpus("films", strategy),))

    found = [advise(task, records) for task in read_results(records, out).on_real]

    assert [each.verdict.title for each in found] == ["Film reviews", "Jokes and headlines"]
    assert all(each.call is not Call.UNKNOWN for each in found)
