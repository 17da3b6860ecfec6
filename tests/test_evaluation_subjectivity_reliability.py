"""Krippendorff's alpha and Fleiss' kappa."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.subjectivity.reliability import fleiss_kappa, krippendorff_alpha
from evaluation.undefined import Undefined

# Votes of four observers on twelve units for five values, some missing, counted unit by unit from
# the table in Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), example C.
KRIPPENDORFF = [
    [3, 0, 0, 0, 0],  # 1 1 - 1
    [0, 3, 1, 0, 0],  # 2 2 3 2
    [0, 0, 4, 0, 0],  # 3 3 3 3
    [0, 0, 4, 0, 0],  # 3 3 3 3
    [0, 4, 0, 0, 0],  # 2 2 2 2
    [1, 1, 1, 1, 0],  # 1 2 3 4
    [0, 0, 0, 4, 0],  # 4 4 4 4
    [3, 1, 0, 0, 0],  # 1 1 2 1
    [0, 4, 0, 0, 0],  # 2 2 2 2
    [0, 0, 0, 0, 3],  # - 5 5 5
    [2, 0, 0, 0, 0],  # - - 1 1
    [0, 0, 1, 0, 0],  # - - 3 -
]

# Fourteen raters, ten subjects, five categories: the worked example of Fleiss' kappa on Wikipedia.
FLEISS = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]


def test_alpha_of_a_published_example() -> None:
    """Nominal alpha of the twelve units is 0.743; the unit with one vote counts for nothing."""
    assert krippendorff_alpha(KRIPPENDORFF) == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(KRIPPENDORFF[:-1]) == krippendorff_alpha(KRIPPENDORFF)


def test_kappa_of_a_published_example() -> None:
    """Fleiss' kappa of the ten subjects is 0.210."""
    assert fleiss_kappa(FLEISS) == pytest.approx(0.210, abs=5e-4)


def test_kappa_with_missing_votes_is_gwets() -> None:
    """On Krippendorff's example the package irrCAC gives 0.76117, the mean share being 0.81818."""
    assert fleiss_kappa(KRIPPENDORFF) == pytest.approx(0.76117, abs=5e-6)


def test_alpha_by_hand() -> None:
    """Two annotators, three items, one disagreement."""
    # Votes: a 3, b 3, n = 6. Observed: (1 / 6) * (4 - 2) / (2 - 1) = 1/3. Expected:
    # (36 - 9 - 9) / (6 * 5) = 0.6. Alpha = 1 - (1/3) / 0.6 = 4/9.
    assert krippendorff_alpha([[2, 0], [0, 2], [1, 1]]) == pytest.approx(4 / 9)


@pytest.mark.parametrize("measure", [krippendorff_alpha, fleiss_kappa])
def test_full_agreement_on_different_values_is_one(measure: object) -> None:
    """Every item is unanimous, and the items differ."""
    assert callable(measure)
    assert measure([[3, 0], [0, 2], [4, 0]]) == 1


@pytest.mark.parametrize("measure", [krippendorff_alpha, fleiss_kappa])
@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        (np.zeros((0, 2), dtype=int), "no item has votes of two annotators"),
        ([[1, 0], [0, 1]], "no item has votes of two annotators"),
        ([[2, 0], [3, 0]], "every vote is the same"),
    ],
)
def test_what_cannot_be_computed_is_undefined_with_its_reason(
    measure: object, counts: object, reason: str
) -> None:
    """One annotator, no item, and one value alone give no number and no division by zero."""
    assert callable(measure)
    found = measure(counts)
    assert isinstance(found, Undefined)
    assert reason in str(found)


@given(st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1, max_size=12))
def test_no_table_of_votes_gives_more_than_full_agreement(counts: list[list[int]]) -> None:
    """Alpha and kappa are at most 1, or undefined; never NaN."""
    for found in (krippendorff_alpha(counts), fleiss_kappa(counts)):
        assert isinstance(found, Undefined) or found <= 1 + 1e-12


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=9))
def test_the_order_of_values_and_of_items_does_not_matter(pairs: list[tuple[int, int]]) -> None:
    """Alpha is nominal: it knows no order."""
    one = krippendorff_alpha(pairs)
    other = krippendorff_alpha([(b, a) for a, b in reversed(pairs)])
    if isinstance(one, Undefined):
        assert one == other
    else:
        assert other == pytest.approx(one)


@pytest.mark.parametrize("counts", [[1, 2], [[0.5, 1.0]], [[-1, 2]]])
def test_what_is_no_table_of_votes_is_refused(counts: object) -> None:
    """Shares, negative counts and a single row are mistakes of the caller."""
    with pytest.raises(ValueError, match="expected whole numbers"):
        krippendorff_alpha(counts)  # type: ignore[arg-type]
