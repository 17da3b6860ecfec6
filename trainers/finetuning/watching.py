"""What is told of a training while it runs: each step, and the learning curve on the real test."""

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


def curve_drawn(
    every: int, score: Callable[[], float], log: Callable[[dict[str, float]], object]
) -> TrainerCallback:
    """Return what scores the model on the real test texts every so many steps.

    The points stand in the log alone: `Trainer` selects by what `evaluate` gives it.

    Args:
        every: Steps between two points.
        score: Gives macro-F1 on the real test texts.
        log: Takes a point; what it holds survives a kill with the checkpoint.
    """
    from transformers import TrainerCallback

    class Curve(TrainerCallback):
        """Scores the model on the way."""

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            """Score it where a point is due."""
            if state.global_step % every == 0:
                log({CURVE: score()})

    return Curve()
