"""A score with its confidence interval."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A score and its bootstrap confidence interval.

    Attributes:
        value: The score itself, not the mean of the replicates.
        low: Lower end.
        high: Upper end.
        level: Confidence level, such as 0.95.
    """

    value: float
    low: float
    high: float
    level: float
