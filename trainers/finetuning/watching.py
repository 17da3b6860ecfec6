"""What is told of a training while it runs: each step, and points of a learning curve."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import TrainerCallback

CURVE = "curve_macro_f1"
"""Under which name a point of the learning curve stands in the log of a training."""


def steps_reported(progress: Callable[[int, int], object]) -> TrainerCallback:
    """Return what hands on, after each step, the steps done and the steps in all."""
    from transformers import TrainerCallback

    class Steps(TrainerCallback):
        """Hands the number of steps on."""

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            """Report one step more."""
            progress(int(state.global_step), int(state.max_steps))

    return Steps()


def every_so_many(every: int, look: Callable[[int], object]) -> TrainerCallback:
    """Return what looks at the model every so many steps.

    Args:
        every: Steps between two looks.
        look: Given the steps done. It chooses nothing: `Trainer` selects by what its own evaluation
            on validation texts gives.
    """
    from transformers import TrainerCallback

    class Looks(TrainerCallback):
        """Looks at the model on the way."""

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            """Look where a point is due."""
            if state.global_step % every == 0:
                due = control.should_log
                look(int(state.global_step))
                control.should_log = due  # logging a point would count as logging the loss

    return Looks()
