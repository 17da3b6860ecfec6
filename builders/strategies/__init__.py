"""How an LLM is asked for texts. `create_strategy` knows them by name."""

from collections.abc import Callable

from builders.data import LabelledTexts
from builders.errors import UserError
from builders.strategies.base import Plan, Strategy
from builders.strategies.few_shot import FewShot, example_pool
from builders.strategies.zero_shot import ZeroShot

__all__ = ["STRATEGIES", "FewShot", "Plan", "Strategy", "ZeroShot", "create_strategy"]

STRATEGIES: dict[str, Callable[[LabelledTexts | None, int], Strategy]] = {
    ZeroShot.name: lambda train, seed: ZeroShot(),
    FewShot.name: lambda train, seed: FewShot(example_pool(train, seed) if train else None),
}
"""Name -> what makes the strategy from real training texts, where there are any, and a seed."""


def create_strategy(name: str, train: LabelledTexts | None = None, seed: int = 0) -> Strategy:
    """Return the strategy called `name`.

    Args:
        name: `zero_shot` or `few_shot`.
        train: Real training texts that examples are drawn from, where there are any.
        seed: Draws the pool of examples.

    Raises:
        UserError: No strategy has that name, or a label has no text to show.
    """
    if name not in STRATEGIES:
        raise UserError(f"unknown strategy {name!r}: use one of {', '.join(STRATEGIES)}")
    return STRATEGIES[name](train, seed)
