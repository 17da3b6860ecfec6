"""What synthetic text is worth in real labels, and what more real labels add."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.uncertainty.joint_bootstrap import JointBootstrap, Resampled
from evaluation.undefined import Undefined
from evaluation.worth.exchange_rate import ExchangeRate, exchange_rate
from evaluation.worth.marginal_value import marginal_value

# 1,000 texts of two labels; wrong predictions are spread evenly over both.
Y = np.arange(1000) % 2


def _arm(*right: float) -> NDArray[np.int64]:
    """Return predictions, a seed a share of right ones; macro-F1 of each is that share."""
    rows = []
    for share in right:
        wrong = np.arange(1000) >= round(1000 * share)
        rows.append(np.where(wrong, 1 - Y, Y))
    return np.array(rows)


def _rated(real: dict[int, Any], synthetic: Any) -> ExchangeRate | Undefined:
    arms = {"synthetic": synthetic, **{f"real@{size}": rows for size, rows in real.items()}}
    joint = JointBootstrap(Y, arms, 2, replicates=200)
    curve = {size: joint.macro_f1(f"real@{size}") for size in real}
    return exchange_rate(curve, joint.macro_f1("synthetic"))


def _rate(real: dict[int, Any], synthetic: Any) -> ExchangeRate:
    found = _rated(real, synthetic)
    assert isinstance(found, ExchangeRate)
    return found


def test_the_worth_by_hand() -> None:
    """Between two sizes the score is linear in the logarithm of the size."""
    found = _rate({10: _arm(0.6), 40: _arm(0.8), 160: _arm(0.84)}, _arm(0.7))

    # Halfway from 0.6 to 0.8 is halfway from log 10 to log 40: sqrt(10 * 40) = 20.
    assert found.worth.per_label == pytest.approx(20)
    assert [point.per_label for point in found.real] == [10, 40, 160]
    assert [point.fitted for point in found.real] == pytest.approx([0.6, 0.8, 0.84])
    assert 10 < found.low.per_label < 20 < found.high.per_label < 40
    assert found.sentence(400) == (
        f"these 400 synthetic texts are worth 20 ({found.low} to {found.high}) real texts a label"
    )


def test_a_score_that_falls_is_made_monotone() -> None:
    """0.7 at 20 and 0.6 at 40 pool to 0.65 each; the least size that reaches it counts."""
    found = _rate({10: _arm(0.6), 20: _arm(0.7), 40: _arm(0.6), 80: _arm(0.8)}, _arm(0.65))

    assert [point.fitted for point in found.real] == pytest.approx([0.6, 0.65, 0.65, 0.8])
    assert found.worth.per_label == pytest.approx(20)


@pytest.mark.parametrize(
    ("share", "worth"), [(0.5, "fewer than 10"), (0.6, "10"), (0.8, "40"), (0.9, "more than 40")]
)
def test_the_worth_is_never_extrapolated(share: float, worth: str) -> None:
    """Below the smallest size and above the largest it is only bounded."""
    assert str(_rate({10: _arm(0.6), 40: _arm(0.8)}, _arm(share)).worth) == worth


def test_an_interval_may_end_in_a_bound() -> None:
    """Seeds of the synthetic arm below and above all sizes: the interval tells both bounds."""
    found = _rate({10: _arm(0.6, 0.6), 40: _arm(0.7, 0.7)}, _arm(0.5, 0.8))

    assert (str(found.low), str(found.high)) == ("fewer than 10", "more than 40")
    assert found.worth.bound == ""


def test_texts_are_drawn_for_all_arms_together() -> None:
    """An arm that predicts as the real one does at 40 is worth 40 in every replicate."""
    found = _rate({10: _arm(0.6), 40: _arm(0.8), 160: _arm(0.9)}, _arm(0.8))

    ends = [found.low.per_label, found.worth.per_label, found.high.per_label]
    assert ends == pytest.approx([40, 40, 40])


def test_seeds_are_drawn_for_all_arms_together() -> None:
    """Arms whose seeds rise and fall together are compared seed by seed."""
    found = _rate({10: _arm(0.5, 0.7), 1000: _arm(0.7, 0.9)}, _arm(0.6, 0.8))

    # 0.1 above the smallest size with either seed: halfway, sqrt(10 * 1000) = 100.
    assert found.worth.per_label == pytest.approx(100)
    assert 60 < found.low.per_label < found.high.per_label < 160


def test_real_texts_that_add_nothing_have_no_exchange_rate() -> None:
    """Constant scores: undefined, with the reason."""
    found = _rated({10: _arm(0.7), 40: _arm(0.7)}, _arm(0.6))

    assert found == Undefined("the real arm scores no higher with 40 texts a label than with 10")


@pytest.mark.parametrize("sizes", [(10,), (0, 10)])
def test_fewer_than_two_sizes_are_refused(sizes: tuple[int, ...]) -> None:
    """One point is no curve, and no texts have no logarithm."""
    with pytest.raises(ValueError, match="expected two or more, from 1 on"):
        _rated({size: _arm(0.7) for size in sizes}, _arm(0.6))


def test_scores_that_were_not_resampled_together_are_refused() -> None:
    """Unequal numbers of replicates cannot be paired."""
    five, six = (Resampled(0.5, np.linspace(0.4, 0.6, n)) for n in (5, 6))
    with pytest.raises(ValueError, match="zip"):
        exchange_rate({10: five, 20: Resampled(0.6, five.replicates)}, six)


def test_marginal_value_by_hand() -> None:
    """More real texts add 0.1 alone and 0.02 beside synthetic ones, which add 0.15."""
    arms = {"real": _arm(0.6), "more": _arm(0.7), "mix": _arm(0.75), "more_mix": _arm(0.77)}
    joint = JointBootstrap(Y, arms, 2, replicates=200)
    found = marginal_value(
        real=joint.macro_f1("real"),
        more_real=joint.macro_f1("more"),
        mix=joint.macro_f1("mix"),
        more_mix=joint.macro_f1("more_mix"),
    )

    assert found.to_real == joint.gap("more", "real").interval()
    assert found.to_real.value == pytest.approx(0.1)
    assert found.to_mix.value == pytest.approx(0.02)
    assert found.less.value == pytest.approx(0.08)
    assert found.less.low > 0
    assert found.of_synthetic.value == pytest.approx(0.15)
