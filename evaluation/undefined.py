"""A figure that does not exist for these data: it is said to be undefined, with the reason."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Undefined:
    """Stands where a figure would stand.

    Attributes:
        reason: Why there is none, as a clause: `every vote is the same`.
    """

    reason: str

    def __str__(self) -> str:
        return f"undefined ({self.reason})"


def shown(value: float | Undefined) -> str:
    """Write a figure with two decimals, or that there is none."""
    return "undefined" if isinstance(value, Undefined) else f"{value:.2f}"
