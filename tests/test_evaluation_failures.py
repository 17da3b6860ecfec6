"""Texts that one arm gets and another misses, and their groups."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import hypergeom

from evaluation.mistakes.failures import Failures, find_failures, group_failures


def _ints(*values: int) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def test_the_majority_of_seeds_decides() -> None:
    """Right is more than half of the seeds, wrong more than half; an even split is neither."""
    y_true = [0, 0, 0, 0]
    #            right  right  split  wrong
    reference = [[0, 0, 0, 1], [0, 0, 1, 1]]
    #            wrong  split  wrong  right
    other = [[1, 0, 1, 0], [1, 1, 1, 0], [1, 1, 0, 0], [0, 0, 1, 0]]
    failures = find_failures(y_true, reference, other)
    assert failures.right.tolist() == [0, 1]
    assert failures.missed.tolist() == [0]
    assert failures.gained.tolist() == [3]
    assert failures.n_texts == 4


@pytest.mark.parametrize(
    ("reference", "other"),
    [([[0, 1]], [[0, 1, 1]]), ([0, 1], [[0, 1]]), (np.ones((0, 2)), [[0, 1]])],
)
def test_predictions_that_do_not_fit_are_refused(reference: object, other: object) -> None:
    """A row a seed, a column a text, and at least one seed."""
    with pytest.raises(ValueError, match=r"expected \(seeds, texts\) and \(texts,\)"):
        find_failures([0, 1], reference, other)  # type: ignore[arg-type]


def _two_subjects() -> tuple[list[str], NDArray[np.float64]]:
    """Return ten texts about tea and ten about walks, with vectors at two far spots."""
    texts = [f"kettle teapot {i}" for i in range(10)] + [f"trail boots {i}" for i in range(10)]
    exact = np.repeat(np.eye(2), 10, axis=0)
    return texts, exact + 0.02 * np.random.default_rng(0).standard_normal(exact.shape)


def test_missed_texts_are_grouped_by_subject() -> None:
    """The subject with more missed texts than chance leads, with its keywords and its share."""
    texts, vectors = _two_subjects()
    # Of tea 8 right and 6 of these missed, of walks all 10 right and 1 missed.
    failures = Failures(20, np.arange(2, 20), _ints(*range(2, 8), 15), _ints(0))
    tea, walks = group_failures(texts, vectors, failures, n_clusters=2)
    assert (set(tea.keywords), set(walks.keywords)) == ({"kettle", "teapot"}, {"trail", "boots"})
    assert (tea.n_texts, tea.n_right, sorted(tea.missed)) == (10, 8, list(range(2, 8)))
    assert tea.share_missed == pytest.approx(6 / 8)
    assert tea.excess == pytest.approx((6 / 8) / (7 / 18))
    # At least 6 of the 7 missed among the 8 of tea of 18: (C(8,6) C(10,1) + C(8,7)) / C(18,7).
    assert tea.p_value == pytest.approx((28 * 10 + 8) / 31824)
    # Two tests: the smaller p-value doubles, the larger stays.
    assert tea.adjusted_p == pytest.approx(2 * tea.p_value)
    assert walks.adjusted_p == walks.p_value == pytest.approx(hypergeom.sf(0, 18, 7, 10))


def test_the_most_central_missed_text_comes_first() -> None:
    """A text in the middle of its group stands for it better than one at its edge."""
    texts, vectors = _two_subjects()
    vectors[:10] = [[1.0, 0.1 * i] for i in range(10)]
    failures = Failures(20, np.arange(20), _ints(0, 4, 9), _ints())
    tea = group_failures(texts, vectors, failures, n_clusters=2)[0]
    # The middle is at about 0.45: 4 is nearest, 0 and 9 are at the edges.
    assert tea.missed[0] == 4


def test_no_failures_are_said_to_be_none() -> None:
    """Where nothing is missed every group is listed, and its excess is undefined."""
    texts, vectors = _two_subjects()
    groups = group_failures(texts, vectors, Failures(20, np.arange(10), _ints(), _ints()))
    assert sum(group.n_texts for group in groups) == 20
    assert {group.excess for group in groups} == {None}
    assert {group.p_value for group in groups} == {1.0}
    assert {group.share_missed for group in groups} == {0.0, None}


def test_an_arm_that_gets_nothing_has_nothing_to_miss() -> None:
    """The real arm is right on no text: no group says anything."""
    texts, vectors = _two_subjects()
    groups = group_failures(texts, vectors, Failures(20, _ints(), _ints(), _ints(3)))

    assert [(group.p_value, group.adjusted_p) for group in groups] == [(1, 1)] * len(groups)
    assert {group.share_missed for group in groups} == {None}


def test_chance_is_not_found() -> None:
    """Missed texts drawn at random give a small p-value no more often than it says."""
    texts, vectors = _two_subjects()
    texts, vectors = texts * 5, np.tile(vectors, (5, 1))
    rng = np.random.default_rng(0)
    least = []
    for _ in range(60):
        missed = np.sort(rng.choice(100, size=20, replace=False))
        groups = group_failures(
            texts, vectors, Failures(100, np.arange(100), missed, _ints()), n_clusters=2
        )
        least.append(min(group.adjusted_p for group in groups))
    # 5 % of 60 is 3; with probability 0.999 no more than 9.
    assert sum(p < 0.05 for p in least) <= 9


def test_numbers_that_do_not_fit_are_refused() -> None:
    """Texts, vectors and failures are of the same texts."""
    texts, vectors = _two_subjects()
    with pytest.raises(ValueError, match="20 texts, 20 embeddings and failures of 3 texts"):
        group_failures(texts, vectors, Failures(3, _ints(), _ints(), _ints()))
