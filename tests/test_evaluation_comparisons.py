"""P-values from the bootstrap, and their corrections for many comparisons."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.uncertainty.comparisons import benjamini_hochberg, holm, p_value, resolution
from evaluation.uncertainty.joint_bootstrap import JointBootstrap, Resampled

P_VALUES = st.dictionaries(st.integers(), st.floats(0, 1), max_size=8)


def _drawn(*replicates: float) -> Resampled:
    return Resampled(0.0, np.array(replicates))


def test_a_p_value_by_hand() -> None:
    """Twice the rarer side, those at 0 on both sides, one added to count and number."""
    # Below or at 0: -1 and 0. At or above: 0, 1, 2, 3. 2 * (2 + 1) / (5 + 1) = 1.
    assert p_value(_drawn(-1, 0, 1, 2, 3)) == 1
    # Of 199 none is at or below 0: 2 * 1 / 200.
    assert p_value(_drawn(*np.ones(199))) == p_value(_drawn(*-np.ones(199))) == resolution(199)
    assert resolution(199) == 0.01
    assert p_value(_drawn(*np.zeros(9))) == 1


def test_a_p_value_is_below_the_level_where_the_interval_is_off_zero() -> None:
    """P-value and interval come from the same replicates."""
    rng = np.random.default_rng(0)
    y_true = np.arange(200) % 2
    near, far = (np.where(rng.random((3, 200)) < share, y_true, 1 - y_true) for share in (0.8, 0.6))
    joint = JointBootstrap(y_true, {"near": near, "far": far}, 2)

    assert joint.gap("near", "far").interval().low > 0
    assert p_value(joint.gap("near", "far")) == resolution(2000)
    assert p_value(joint.gap("near", "near")) == 1


def test_p_values_without_a_difference_are_as_rare_as_they_say() -> None:
    """Of 300 comparisons of arms alike, about 5 % have a p-value of 5 % or less."""
    rng = np.random.default_rng(1)
    y_true = np.arange(150) % 2
    found = 0
    for draw in range(300):
        one, other = np.where(rng.random((2, 1, 150)) < 0.7, y_true, 1 - y_true)
        joint = JointBootstrap(y_true, {"a": one, "b": other}, 2, replicates=199, seed=draw)
        found += p_value(joint.gap("a", "b")) <= 0.05
    # Four standard errors of 0.05 over 300: 4 * 0.0126.
    assert found / 300 == pytest.approx(0.05, abs=0.0504)


def test_holm_by_hand() -> None:
    """The least times 4, the next times 3, and so on; never falling, never above 1."""
    adjusted = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})

    # Ascending: d 0.005 * 4, a 0.01 * 3, c 0.03 * 2, b max(0.06, 0.04 * 1).
    assert adjusted == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})
    assert list(adjusted) == ["a", "b", "c", "d"]
    assert holm({"a": 0.6, "b": 0.9}) == {"a": 1.0, "b": 1.0}


def test_benjamini_hochberg_by_hand() -> None:
    """The k-th least of m times m / k, and from the largest down never rising."""
    adjusted = benjamini_hochberg({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})

    # Ascending: d 0.005 * 4, a 0.01 * 2, c 0.03 * 4 / 3, b 0.04: both 0.02, both 0.04.
    assert adjusted == pytest.approx({"a": 0.02, "b": 0.04, "c": 0.04, "d": 0.02})


@given(P_VALUES)
def test_corrections_keep_the_order_and_never_lower_a_p_value(p_values: dict[int, float]) -> None:
    """Holm is at least as strict as Benjamini and Hochberg, which is at least as strict as none."""
    strict, mild = holm(p_values), benjamini_hochberg(p_values)

    for key, p in p_values.items():
        assert p <= mild[key] + 1e-12 <= strict[key] + 1e-9 <= 1 + 1e-9
    order = sorted(p_values, key=lambda key: p_values[key])
    assert [strict[key] for key in order] == sorted(strict.values())


@pytest.mark.parametrize("correction", [holm, benjamini_hochberg])
def test_what_is_no_probability_is_refused(correction: object) -> None:
    """A p-value lies between 0 and 1."""
    assert callable(correction)
    with pytest.raises(ValueError, match=r"b: 1\.5 is no p-value"):
        correction({"a": 0.5, "b": 1.5})
