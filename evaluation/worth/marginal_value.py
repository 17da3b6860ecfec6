"""What the next real labels add: to real texts alone, and to real and synthetic texts together."""

from dataclasses import dataclass

from evaluation.uncertainty.joint_bootstrap import LEVEL, Resampled
from evaluation.uncertainty.scores import Interval


@dataclass(frozen=True)
class MarginalValue:
    """Gains in score from more real texts, and from synthetic ones.

    Attributes:
        to_real: What the further real texts add to the real ones alone.
        to_mix: What they add to the real and synthetic ones together.
        less: `to_real` minus `to_mix`: above 0, synthetic text has made the real texts worth less.
        of_synthetic: What the synthetic texts add to the real ones at hand.
    """

    to_real: Interval
    to_mix: Interval
    less: Interval
    of_synthetic: Interval


def marginal_value(
    *,
    real: Resampled,
    more_real: Resampled,
    mix: Resampled,
    more_mix: Resampled,
    level: float = LEVEL,
) -> MarginalValue:
    """Return the gains: paired differences of scores that were resampled together.

    Args:
        real: Score after training on the real texts at hand.
        more_real: On those and the further real texts.
        mix: On the real texts at hand and the synthetic ones.
        more_mix: On all of them.
        level: Confidence level, between 0 and 1.
    """
    to_real, to_mix = more_real - real, more_mix - mix
    return MarginalValue(
        to_real=to_real.interval(level),
        to_mix=to_mix.interval(level),
        less=(to_real - to_mix).interval(level),
        of_synthetic=(mix - real).interval(level),
    )
