"""Losses by name, and those that weigh all texts alike."""

import math

import numpy as np
import pytest
import torch

from builders.data import LabelledTexts
from builders.errors import UserError
from trainers.losses import LOSSES, CrossEntropy, LabelSmoothing, create_loss
from trainers.losses.base import real_for_checker

LOGITS = torch.tensor([[math.log(3), 0.0], [0.0, 0.0]])
"""Probabilities (3/4, 1/4) and (1/2, 1/2)."""


def texts(*labels: int) -> LabelledTexts:
    """Return texts with these labels, of which there are two."""
    names = tuple(f"text {i}" for i in range(len(labels)))
    return LabelledTexts(names, labels, ("no", "yes"), names)


def test_each_loss_goes_by_its_name() -> None:
    """The name that makes a loss is the one it has and the one in its settings."""
    for name in LOSSES:
        loss = create_loss(name)
        assert (loss.name, loss.settings["loss"]) == (name, name)


def test_an_unknown_loss_is_refused_with_those_there_are() -> None:
    """The line lists the names."""
    with pytest.raises(UserError, match=r"--loss focal: .*cross_entropy, .*imp, dimp"):
        create_loss("focal")


def test_cross_entropy_is_minus_the_log_of_the_own_labels_probability() -> None:
    """-ln 1/4 = ln 4 for label 1 of the first text, ln 2 for either of the second."""
    found = CrossEntropy().per_text(LOGITS, torch.tensor([1, 0]), None)

    np.testing.assert_allclose(found, [math.log(4), math.log(2)], rtol=1e-6)


def test_label_smoothing_spreads_a_share_over_all_labels() -> None:
    """With epsilon 0.2 the target of label 1 is (0.1, 0.9): 0.1 ln(4/3) + 0.9 ln 4."""
    found = LabelSmoothing(0.2).per_text(LOGITS[:1], torch.tensor([1]), None)

    np.testing.assert_allclose(found, [0.1 * math.log(4 / 3) + 0.9 * math.log(4)], rtol=1e-6)


@pytest.mark.parametrize("name", ["cross_entropy", "label_smoothing", "dimp"])
def test_losses_do_not_mind_how_texts_are_arranged(name: str) -> None:
    """A stack of batches (2, 3) has the losses of its six texts in a row."""
    logits = torch.randn((2, 3, 4), generator=torch.Generator().manual_seed(0))
    labels, quality = torch.tensor([[0, 1, 2], [3, 0, 1]]), torch.rand(2, 3)
    loss = create_loss(name)

    stacked = loss.per_text(logits, labels, quality)

    flat = loss.per_text(logits.view(6, 4), labels.view(6), quality.view(6))
    assert stacked.shape == (2, 3)
    torch.testing.assert_close(stacked.view(6), flat)


@pytest.mark.parametrize(
    ("real", "line"),
    [(None, "none are at hand: give --real PATH"), (texts(0, 0), "none of 'yes'")],
)
def test_a_checker_needs_real_texts_of_every_label(real: LabelledTexts | None, line: str) -> None:
    """Without any, or without those of a label, the line says what is missing."""
    with pytest.raises(UserError, match=line):
        real_for_checker(real, "imp")
