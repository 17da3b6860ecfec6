"""Confident learning: what it leaves out, by hand, and that no checker judges what it has seen."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from builders.data import LabelledTexts
from builders.errors import UserError
from trainers.losses import Confident
from trainers.losses.confident import FOLDS, mislabelled, out_of_fold

P_NO = np.array([0.9, 0.8, 0.7, 0.1, 0.2, 0.1, 0.3, 0.6])
LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1])


def labelled(*counts: int) -> LabelledTexts:
    """Return as many texts of each label as `counts` says; each text is its own name."""
    labels = tuple(label for label, n in enumerate(counts) for _ in range(n))
    names = tuple(f"t{i}" for i in range(len(labels)))
    return LabelledTexts(names, labels, tuple("abc"[: len(counts)]), names)


def table(p_no: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the rows (p, 1 - p)."""
    return np.stack([p_no, 1 - p_no], axis=1).astype(np.float32)


class Lookup:
    """A `Fit` whose checkers know `P_NO`, and which remembers what each had seen and judged."""

    def __init__(self, p_no: NDArray[np.float64] = P_NO) -> None:
        self.rows = table(p_no)
        self.asked: list[tuple[LabelledTexts, Sequence[str]]] = []

    def __call__(self, train: LabelledTexts, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the rows of `texts`."""
        self.asked.append((train, texts))
        return self.rows[[int(text[1:]) for text in texts]]


def test_what_confident_learning_calls_mislabelled() -> None:
    """Thresholds are the mean probabilities of the texts of a label.

    Label 0: (0.9 + 0.8 + 0.7 + 0.1) / 4 = 0.625. Label 1: (0.8 + 0.9 + 0.7 + 0.4) / 4 = 0.7.
    Labelled 0: three reach 0.625 for 0; the fourth has 0.9 for 1, which reaches 0.7. Labelled 1:
    three reach 0.7 for 1; the fourth has 0.6 for 0, below 0.625, and 0.4 for 1: it counts nowhere.
    The confident joint is ((3, 1), (0, 3)), scaled to four texts a label ((3, 1), (0, 4)): one text
    labelled 0 is taken out, the one with the largest margin for 1, which is the fourth.
    """
    found = mislabelled(LABELS, table(P_NO))

    np.testing.assert_array_equal(np.flatnonzero(found), [3])


def test_the_surest_are_taken_out() -> None:
    """Of label 0 two texts reach the threshold of 1, so two are taken out: those with 0.1 for 0.

    Thresholds: 0.5 * (0.9 + 0.1) = 0.5 for 0 and 0.8 for 1. Joint ((2, 2), (0, 4)).
    """
    p_no = np.array([0.9, 0.1, 0.9, 0.1, 0.2, 0.2, 0.2, 0.2])

    np.testing.assert_array_equal(np.flatnonzero(mislabelled(LABELS, table(p_no))), [1, 3])


def test_a_label_that_all_looks_wrong_keeps_its_surest_text() -> None:
    """Of label 0 all are sure of 1; the one with 0.4 for 0 is kept, so that 0 can be learned.

    Thresholds: (0.3 + 0.4 + 0.2 + 0.1) / 4 = 0.25 for 0 and 0.6 for 1. All four labelled 0 have
    at least 0.6 for 1, where the first two reach 0.25 for 0 too and have more for 1.
    """
    p_no = np.array([0.3, 0.4, 0.2, 0.1, 0.4, 0.4, 0.4, 0.4])

    np.testing.assert_array_equal(np.flatnonzero(mislabelled(LABELS, table(p_no))), [0, 2, 3])


def test_right_labels_are_left_alone() -> None:
    """Where every text looks like its label none is taken out."""
    p_no = np.array([0.9, 0.8, 0.7, 0.6, 0.1, 0.2, 0.3, 0.4])

    assert not mislabelled(LABELS, table(p_no)).any()


def test_what_is_left_of_a_label_weighs_what_the_label_did() -> None:
    """Of label 0 one of four is left out, so that the others weigh 4/3; label 1 is whole."""
    known = Confident().example_weights(labelled(4, 4), Lookup(), None)

    np.testing.assert_allclose(known.weights, [4 / 3, 4 / 3, 4 / 3, 0, 1, 1, 1, 1], rtol=1e-6)
    assert known.quality is None


@given(st.lists(st.integers(2, 12), min_size=2, max_size=3))
def test_no_checker_judges_what_it_has_seen(counts: list[int]) -> None:
    """Every text is judged once, by a checker without it that has seen texts of every label."""
    train, fit = labelled(*counts), Lookup(np.linspace(0, 1, 36))

    found = out_of_fold(train, lambda *asked: np.pad(fit(*asked), [(0, 0), (0, len(counts) - 2)]))

    assert Counter(text for _, judged in fit.asked for text in judged) == Counter(train.texts)
    assert len(fit.asked) == min(FOLDS, *counts)
    for seen, judged in fit.asked:
        assert not set(seen.texts) & set(judged)
        assert min(seen.counts().values()) > 0
    np.testing.assert_array_equal(found[:, 0], np.linspace(0, 1, 36, dtype="f4")[: len(train)])


@pytest.mark.parametrize("few", [0, 1])
def test_a_label_that_no_other_text_shares_is_refused(few: int) -> None:
    """With one text of a label, or none, nothing of its label can judge it."""
    with pytest.raises(UserError, match=f"'b' has {few} training texts"):
        Confident().example_weights(labelled(5, few), Lookup(), None)


@given(st.data())
def test_every_label_keeps_a_text(data: st.DataObject) -> None:
    """Whatever the checker says, no label is left without a text, so that it can be learned."""
    labels = np.repeat(np.arange(3), data.draw(st.lists(st.integers(2, 5), min_size=3, max_size=3)))
    odds = data.draw(
        st.lists(
            st.lists(st.integers(1, 9), min_size=3, max_size=3),
            min_size=len(labels),
            max_size=len(labels),
        )
    )
    probabilities = np.array(odds, dtype=np.float32)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    assume(np.ptp(probabilities, axis=0).any())  # a checker that tells no text from another

    found = mislabelled(labels, probabilities)

    assert set(labels[~found]) == {0, 1, 2}
