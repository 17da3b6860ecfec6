"""IMP and DIMP: their weights by hand, their bound, and who trains the checkers on what."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from builders.data import LabelledTexts
from builders.errors import UserError
from trainers.losses import DynamicImportance, Importance
from trainers.losses.importance import MOST, bounded_ratio

LABELS = ("no", "yes")
TRAIN = LabelledTexts(("a", "b", "c", "d"), (0, 1, 1, 0), LABELS, ("0", "1", "2", "3"))
REAL = LabelledTexts(("x", "y"), (0, 1), LABELS, ("x", "y"))

QUALITY = {"a": 0.9, "b": 0.6, "c": 0.1, "d": 0.3}
"""P' of "no", by a checker trained on the real texts."""
DIVERSITY = {"a": 0.9, "b": 0.2, "c": 0.1, "d": 0.6}
"""Q of "no", by a checker trained on the synthetic texts."""


class Lookup:
    """A `Fit` whose checkers know the tables above, and which remembers what it was asked."""

    def __init__(self, quality: dict[str, float] = QUALITY) -> None:
        self.tables = {REAL.content_hash: quality, TRAIN.content_hash: DIVERSITY}
        self.asked: list[tuple[LabelledTexts, Sequence[str]]] = []

    def __call__(self, train: LabelledTexts, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the rows (p, 1 - p) of the table of `train`."""
        self.asked.append((train, texts))
        first = np.array([self.tables[train.content_hash][text] for text in texts])
        return np.stack([first, 1 - first], axis=1).astype(np.float32)


def test_imp_weighs_quality_over_diversity() -> None:
    """P'/Q of each text's own label, divided by the mean.

    Labels no, yes, yes, no: P' = 0.9, 0.4, 0.9, 0.3 and Q = 0.9, 0.8, 0.9, 0.6. The ratios are 1,
    1/2, 1 and 1/2, their mean is 3/4: 4/3, 2/3, 4/3, 2/3.
    """
    known = Importance().example_weights(TRAIN, Lookup(), REAL)

    np.testing.assert_allclose(known.weights, [4 / 3, 2 / 3, 4 / 3, 2 / 3], rtol=1e-6)
    assert known.quality is None


def test_the_checkers_of_imp() -> None:
    """One learns from the real texts, one from the training texts; both judge the latter."""
    fit = Lookup()

    Importance().example_weights(TRAIN, fit, REAL)

    assert fit.asked == [(REAL, TRAIN.texts), (TRAIN, TRAIN.texts)]


def test_a_ratio_has_a_bound() -> None:
    """0.5 / 0.001 = 500 counts as 10, 0.5 / 0.25 stays 2, and 0 over anything is 0."""
    quality = np.array([0.5, 0.5, 0.0, 0.0, 1.0], dtype=np.float32)
    under = np.array([0.001, 0.25, 0.3, 0.0, 0.0], dtype=np.float32)

    np.testing.assert_allclose(bounded_ratio(quality, under), [MOST, 2.0, 0.0, 0.0, MOST])


@given(st.lists(st.tuples(st.floats(0, 1, width=32), st.floats(0, 1, width=32)), min_size=1))
def test_no_ratio_leaves_its_bounds(pairs: list[tuple[float, float]]) -> None:
    """Whatever two probabilities are, their ratio is a number from 0 to the bound."""
    quality, under = np.array(pairs, dtype=np.float32).T

    found = bounded_ratio(quality, under)

    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= MOST * (1 + 1e-6)


def test_imp_refuses_weights_of_0_throughout() -> None:
    """A checker that finds every label impossible leaves nothing to train on."""
    impossible = {"a": 0.0, "b": 1.0, "c": 1.0, "d": 0.0}

    with pytest.raises(UserError, match="every training text the probability 0"):
        Importance().example_weights(TRAIN, Lookup(impossible), REAL)


def test_dimp_has_only_the_quality_checker() -> None:
    """Before training all texts weigh 1; P' of each own label, 0.9, 0.4, 0.9, 0.3, is handed on."""
    fit = Lookup()

    known = DynamicImportance().example_weights(TRAIN, fit, REAL)

    assert fit.asked == [(REAL, TRAIN.texts)]
    np.testing.assert_array_equal(known.weights, [1, 1, 1, 1])
    assert known.quality is not None
    np.testing.assert_allclose(known.quality, [0.9, 0.4, 0.9, 0.3], rtol=1e-6)


def test_dimp_weighs_quality_over_the_model_in_training() -> None:
    """Logits (ln 3, 0) give 3/4 and 1/4.

    Label 0 with P' = 0.6: 0.6 / 0.75 * ln(4/3). Label 1 with P' = 0.1: 0.1 / 0.25 * ln 4.
    """
    logits = torch.tensor([[math.log(3), 0.0]] * 2)

    found = DynamicImportance().per_text(logits, torch.tensor([0, 1]), torch.tensor([0.6, 0.1]))

    np.testing.assert_allclose(found, [0.8 * math.log(4 / 3), 0.4 * math.log(4)], rtol=1e-6)


def test_no_gradient_goes_through_the_weight_of_dimp() -> None:
    """The gradient is weight * (p - one-hot).

    With p = (3/4, 1/4), label 1 and P' = 0.1 that is 0.4 * (3/4, -3/4) = (0.3, -0.3).
    """
    logits = torch.tensor([[math.log(3), 0.0]], requires_grad=True)

    DynamicImportance().per_text(logits, torch.tensor([1]), torch.tensor([0.1])).sum().backward()

    assert logits.grad is not None
    np.testing.assert_allclose(logits.grad, [[0.3, -0.3]], rtol=1e-5)


@pytest.mark.parametrize("quality", [0.0, 1e-30, 0.5, 1.0])
def test_the_weight_of_dimp_has_the_same_bound(quality: float) -> None:
    """A model sure of the other label, at logits (0, 200), gives ln P = -200 and P = 0 in float32.

    The weight is the bound for any quality that is not 0: 10 * 200, and 0 for the quality 0.
    """
    logits = torch.tensor([[0.0, 200.0]], requires_grad=True)

    found = DynamicImportance().per_text(logits, torch.tensor([0]), torch.tensor([quality]))
    found.sum().backward()

    np.testing.assert_allclose(found.detach(), [MOST * 200 if quality else 0.0], rtol=1e-5)
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
