"""What is minimised in training: a loss by its name, one a file."""

from collections.abc import Callable

from builders.errors import UserError
from trainers.losses.base import CHECKER_PER_LABEL, ExampleWeights, Fit, Loss
from trainers.losses.confident import Confident
from trainers.losses.cross_entropy import CrossEntropy
from trainers.losses.dynamic_importance import DynamicImportance
from trainers.losses.importance import Importance
from trainers.losses.label_smoothing import LabelSmoothing

__all__ = [
    "CHECKER_PER_LABEL",
    "LOSSES",
    "Confident",
    "CrossEntropy",
    "DynamicImportance",
    "ExampleWeights",
    "Fit",
    "Importance",
    "LabelSmoothing",
    "Loss",
    "create_loss",
]

LOSSES: dict[str, Callable[[], Loss]] = {
    CrossEntropy.name: CrossEntropy,
    LabelSmoothing.name: LabelSmoothing,
    Confident.name: Confident,
    Importance.name: Importance,
    DynamicImportance.name: DynamicImportance,
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
