"""The joint bootstrap: known scores, pairing, agreement with the bootstrap of one arm."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, f1_score

from evaluation.uncertainty.joint_bootstrap import JointBootstrap
from evaluation.uncertainty.scores import gap_interval, macro_f1_interval

Ints = NDArray[np.int64]


def some(n: int = 300, n_labels: int = 3) -> tuple[Ints, dict[str, Ints]]:
    """Return labels and the predictions of three arms, right in 60, 70 and 80 % of cases."""
    rng = np.random.default_rng(1)
    labels = rng.integers(n_labels, size=n)

    def arm(share: float, seeds: int) -> Ints:
        drawn = rng.integers(n_labels, size=(seeds, n))
        return np.where(rng.random((seeds, n)) < share, labels, drawn)

    return labels, {"a": arm(0.4, 3), "b": arm(0.55, 3), "c": arm(0.7, 2)}


def test_values_are_the_means_of_the_scores_of_each_seed() -> None:
    """As scikit-learn scores them, without any draw."""
    labels, arms = some()
    joint = JointBootstrap(labels, arms, 3, replicates=5)

    for name, rows in arms.items():
        f1 = [f1_score(labels, row, average="macro") for row in rows]
        assert joint.macro_f1(name).value == pytest.approx(np.mean(f1))
        right = [accuracy_score(labels, row) for row in rows]
        assert joint.accuracy(name).value == pytest.approx(np.mean(right))


def test_intervals_agree_with_the_bootstrap_of_one_arm() -> None:
    """Other draws of the same distribution: the ends lie within a point of one another."""
    labels, arms = some()
    joint = JointBootstrap(labels, arms, 3)

    alone = macro_f1_interval(labels, arms["a"], 3)
    own = joint.macro_f1("a").interval()
    assert (own.low, own.high) == pytest.approx((alone.low, alone.high), abs=0.01)

    alone = gap_interval(labels, arms["b"], arms["a"], 3)
    own = joint.gap("b", "a").interval()
    assert (own.low, own.high) == pytest.approx((alone.low, alone.high), abs=0.01)


def test_an_arm_has_no_gap_to_itself_in_any_replicate() -> None:
    """Texts and seeds are the same draws for every arm: the difference is 0 throughout."""
    labels, arms = some()
    joint = JointBootstrap(labels, {**arms, "again": arms["a"]}, 3)

    assert not joint.gap("a", "again").replicates.any()


def test_a_further_arm_changes_no_other() -> None:
    """An arm's replicates depend on its own predictions alone."""
    labels, arms = some()
    few: Mapping[str, Ints] = {"a": arms["a"]}

    alone, beside = JointBootstrap(labels, few, 3), JointBootstrap(labels, arms, 3)

    np.testing.assert_array_equal(alone.macro_f1("a").replicates, beside.macro_f1("a").replicates)


def test_blocks_and_groups_change_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded by blocks of texts and groups of arms; the scores are the same."""
    labels, arms = some()
    whole = JointBootstrap(labels, arms, 3, replicates=40)
    monkeypatch.setattr("evaluation.uncertainty.joint_bootstrap._AT_ONCE", 900)
    monkeypatch.setattr("evaluation.uncertainty.joint_bootstrap._COLUMNS", 1)

    parts = JointBootstrap(labels, arms, 3, replicates=40)

    for name in arms:
        np.testing.assert_allclose(
            whole.macro_f1(name).replicates, parts.macro_f1(name).replicates, rtol=1e-12
        )


def test_a_label_that_never_occurs_counts_nothing() -> None:
    """Labels 0 and 1, all right, of three: macro-F1 is (1 + 1 + 0) / 3."""
    labels = np.array([0, 1, 0, 1])
    joint = JointBootstrap(labels, {"a": labels[None]}, 3, replicates=10)

    assert joint.macro_f1("a").value == pytest.approx(2 / 3)
    assert joint.accuracy("a").value == 1.0


@pytest.mark.parametrize(
    ("labels", "rows", "wrong"),
    [
        ([0, 1], [[0, 1, 1]], r"of a have shape \(1, 3\) for 2 texts"),
        ([0, 1], [[0, 3]], "of a goes from 0 to 3"),
        ([0, 1], [[0.0, 1.0]], "of a is an array of float64"),
        ([], [[]], "y_true is an array"),
    ],
)
def test_what_does_not_fit_is_refused(labels: list[int], rows: list[object], wrong: str) -> None:
    """The line names what is wrong."""
    with pytest.raises(ValueError, match=wrong):
        JointBootstrap(np.array(labels), {"a": np.array(rows)}, 2)
