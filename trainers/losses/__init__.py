"""What is minimised in training: a loss by its name, one a file."""

from collections.abc import Callable

from builders.errors import UserError
from trainers.losses.base import ExampleWeights, Fit, Loss
from trainers.losses.cross_entropy import CrossEntropy
from trainers.losses.label_smoothing import LabelSmoothing

__all__ = [
    "LOSSES",
    "CrossEntropy",
    "ExampleWeights",
    "Fit",
    "LabelSmoothing",
    "Loss",
    "create_loss",
]

LOSSES: dict[str, Callable[[], Loss]] = {
    CrossEntropy.name: CrossEntropy,
    LabelSmoothing.name: LabelSmoothing,
}
"""Name -> what makes the loss with its default settings."""


def create_loss(name: str) -> Loss:
    """Return the loss called `name`.

    Raises:
        UserError: No loss has that name.
    """
    if name not in LOSSES:
        raise UserError(f"--loss {name}: unknown loss; use one of {', '.join(LOSSES)}")
    return LOSSES[name]()
