"""Label noise by confident learning."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.mistakes.label_noise import label_issues

LABELS = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
OF_LABEL_0 = [0.9, 0.8, 0.7, 0.2, 0.4, 0.3, 0.1, 0.2, 0.9, 0.65]


def _two_columns(first: list[float]) -> NDArray[np.float64]:
    return np.stack([first, 1 - np.array(first)], axis=1)


def test_joint_of_ten_texts() -> None:
    """A text is a confident one of the label whose mean self-confidence it reaches."""
    # Thresholds: label 0: (.9 + .8 + .7 + .2 + .4) / 5 = .6; label 1: with 1 - p
    # (.7 + .9 + .8 + .1 + .35) / 5 = .57. Given 0: three reach .6 of label 0, two .57 of label 1
    # (.8, .6). Given 1: three reach .57 of label 1, two .6 of label 0 (.9, .65).
    issues = label_issues(LABELS, _two_columns(OF_LABEL_0))
    assert issues.joint.ravel() == pytest.approx([0.3, 0.2, 0.2, 0.3])
    assert issues.noise == pytest.approx(0.4)
    assert issues.noise_by_label == pytest.approx([0.4, 0.4])


def test_suspicious_texts_of_ten() -> None:
    """As many as the joint says, those surest of the other label; ranked by self-confidence."""
    issues = label_issues(LABELS, _two_columns(OF_LABEL_0))
    assert np.flatnonzero(issues.suspicious).tolist() == [3, 4, 8, 9]
    # Self-confidences .2, .4, .1, .35.
    assert issues.ranked.tolist() == [8, 3, 9, 4]
    assert issues.self_confidence == pytest.approx(
        [0.9, 0.8, 0.7, 0.2, 0.4, 0.7, 0.9, 0.8, 0.1, 0.35]
    )


def test_clean_labels_are_not_suspected() -> None:
    """Where the classifier agrees with every label there is no noise."""
    issues = label_issues([0, 0, 1, 1], _two_columns([0.9, 0.8, 0.1, 0.3]))
    assert issues.noise == 0
    assert issues.ranked.tolist() == []


def test_labels_that_were_changed_are_found() -> None:
    """Of 2,000 texts with 10 % of label 0 changed to 1, most are found and the share is near."""
    rng = np.random.default_rng(0)
    true = rng.integers(0, 3, size=2000)
    changed = (true == 0) & (rng.random(2000) < 0.1)
    logits = rng.standard_normal((2000, 3)) + 4 * np.eye(3)[true]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    issues = label_issues(np.where(changed, 1, true), probabilities)
    assert issues.joint[1, 0] == pytest.approx(changed.mean(), abs=0.01)
    assert (issues.suspicious & changed).sum() > 0.8 * changed.sum()
    assert (issues.suspicious & ~changed).sum() < 0.2 * changed.sum()


def test_a_label_as_probable_as_another_is_believed() -> None:
    """A tie is no evidence against the label that was given."""
    # Thresholds: label 0: (.5 + .6) / 2 = .55; label 1: (.5 + .4) / 2 = .45. The last text gives
    # its label .4: below it, and .6 for label 0: counted there. Its row is scaled to two texts.
    issues = label_issues([0, 0, 1, 1], _two_columns([0.5, 0.6, 0.5, 0.6]))
    # Given 0: .5 is below .55 but .5 is at least .45: counted as 1; .6 as 0.
    assert issues.joint.ravel() == pytest.approx([0.25, 0.25, 0.25, 0.25])
    # Of given 0 the one that label 1 leads by most is the tie: it stays unsuspected.
    assert np.flatnonzero(issues.suspicious).tolist() == [3]


def test_a_label_that_no_text_has_has_no_noise_share() -> None:
    """Its share is undefined, not 0."""
    rows = [[0.8, 0.1, 0.1], [0.1, 0.1, 0.8], [0.7, 0.2, 0.1], [0.2, 0.3, 0.5]]
    issues = label_issues([0, 2, 0, 2], rows)
    assert issues.noise_by_label == pytest.approx([0.0, np.nan, 0.0], nan_ok=True)


@pytest.mark.parametrize(
    ("labels", "rows", "message"),
    [
        ([], np.ones((0, 2)), "0 labels among the texts"),
        ([1, 1], [[0.5, 0.5], [0.2, 0.8]], "1 labels among the texts"),
        ([0, 2], [[0.5, 0.5], [0.2, 0.8]], "the probabilities are of labels 0 to 1"),
        ([0, 1], [[np.nan, 0.5], [0.2, 0.8]], "not finite"),
        ([0, 1], [[0.5, 0.5], [-0.2, 1.2]], "below 0"),
        ([0, 1], [[0.5, 0.5], [2.0, -0.5]], "below 0"),
        ([0, 1], [[0.5, 0.5], [0.6, 0.6]], "text 1 sum to 1.2"),
        ([0, 1], [[0.5, 0.5], [0.5, 0.5]], "say nothing of a label"),
        ([0, 1, 0], [[0.5, 0.5], [0.2, 0.8]], r"shape \(3,\) and probabilities of shape \(2, 2\)"),
        ([0.0, 1.0], [[0.5, 0.5], [0.2, 0.8]], "labels are float64"),
    ],
)
def test_what_has_no_noise_estimate_is_refused(labels: Any, rows: Any, message: str) -> None:
    """One label, NaN and numbers that are no probabilities are refused with the reason."""
    with pytest.raises(ValueError, match=message):
        label_issues(np.array(labels, dtype=None if labels else np.int64), rows)
