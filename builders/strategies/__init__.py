"""How an LLM is asked for texts. `create_strategy` knows them by name."""

from collections.abc import Callable

from builders.data import LabelledTexts
from builders.errors import UserError
from builders.strategies.base import Plan, Strategy
from builders.strategies.few_shot import FewShot, example_pool
from builders.strategies.zero_shot import ZeroShot

__all__ = ["STRATEGIES", "FewShot", "Plan", "Strategy", "ZeroShot", "create_strategy"]

STRATEGIES: dict[str, Callable[[LabelledTexts | None], Strategy]] = {
    ZeroShot.name: lambda pool: ZeroShot(),
    FewShot.name: FewShot,
}


def create_strategy(name: str, train: LabelledTexts | None = None, seed: int = 0) -> Strategy:
    """Return the strategy called `name`.

    Args:
        name: `zero_shot` or `few_shot`.
        train: Real training texts that examples are drawn from, where there are any.
        seed: Draws the pool of examples.

    Raises:
        UserError: No strategy has that name.
    """
    if name not in STRATEGIES:
        raise UserError(f"unknown strategy {name!r}: use one of {', '.join(STRATEGIES)}")
    return STRATEGIES[name](None if train is None else example_pool(train, seed))
