"""What tokens cost: one dated table, which a user can override."""

import math
import re
from pathlib import Path
from typing import Any

import yaml

from builders.errors import UserError
from builders.llms.base import Price

TABLE = Path(__file__).parent / "prices.yaml"


def listed_price(model: str, table: Path = TABLE, *, batch: bool = False) -> Price | None:
    """Return the listed price of `model`, None where it is not listed.

    A dated snapshot (`gpt-4o-mini-2024-07-18`) costs what its model costs.

    Args:
        model: The model's name.
        table: The YAML file of prices.
        batch: Whether requests are sent through the Batch API.

    Raises:
        UserError: The file is no table of prices.
    """
    try:
        listed = yaml.safe_load(table.read_text(encoding="utf-8"))
        factor = _usd(listed.get("batch_factor", 1)) if batch else 1.0
        prices = {
            str(name): Price(
                _usd(row["prompt"]) * factor, _usd(row["answer"]) * factor, f"{listed['date']}"
            )
            for name, row in listed["models"].items()
        }
    except (OSError, yaml.YAMLError, LookupError, TypeError, ValueError, AttributeError) as error:
        problem = " ".join(str(error).split())
        raise UserError(
            f"{table}: no table of prices ({problem}); it has to hold date and, under models, "
            "NAME: {prompt: USD, answer: USD} for a million tokens"
        ) from None
    return prices.get(model) or prices.get(re.sub(r"-\d{4}-\d{2}-\d{2}$", "", model))


def given_price(option: str) -> Price:
    """Read `--price IN,OUT`.

    Raises:
        UserError: It is not two amounts.
    """
    try:
        prompt, answer = (_usd(part) for part in option.split(","))
    except ValueError:
        raise UserError(
            f"--price {option}: give IN,OUT, the USD for a million tokens of prompts and of answers"
        ) from None
    return Price(prompt, answer, "as given")


def _usd(value: Any) -> float:
    if isinstance(value, bool):
        raise ValueError(f"{value} is no amount")
    amount = float(value)
    if not math.isfinite(amount) or amount < 0:
        raise ValueError(f"{value} is no amount")
    return amount
