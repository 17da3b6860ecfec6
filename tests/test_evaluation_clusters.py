"""Groups of texts and their keywords."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.embedding_space.clusters import cluster_count, cluster_texts
from evaluation.texts.keywords import group_keywords


def _spots(n: int, spots: int = 3) -> NDArray[np.float64]:
    """Return `n` texts in each of some far spots, in turn."""
    exact = np.tile(np.eye(spots), (n, 1))
    return exact + 0.05 * np.random.default_rng(0).standard_normal(exact.shape)


def test_texts_of_one_spot_are_one_group() -> None:
    """Groups are the spots, and the text in the middle of its spot is nearest to it."""
    vectors = _spots(20)
    vectors[0] = np.eye(3)[0]
    groups = cluster_texts(vectors, 3)
    by_spot = groups.of_text.reshape(20, 3)
    assert (by_spot == by_spot[0]).all()
    assert sorted(by_spot[0]) == [0, 1, 2]
    assert groups.nearness[0] > np.median(groups.nearness)
    assert groups.nearness.max() <= 1.0 + 1e-6


def test_number_of_groups_follows_the_rule() -> None:
    """The root of half the texts, from 2 to 20, and no more than texts."""
    assert [cluster_count(n) for n in (1, 2, 7, 50, 200, 800, 10**6)] == [1, 2, 2, 5, 10, 20, 20]
    assert cluster_texts(_spots(20, 6)).of_text.max() + 1 == round((120 / 2) ** 0.5)


def test_fewer_groups_where_fewer_texts_differ() -> None:
    """Equal texts are one group, without a warning and without an empty group."""
    assert cluster_texts(np.ones((9, 4)), 3).of_text.tolist() == [0] * 9
    assert set(cluster_texts(np.repeat(np.eye(2), 5, axis=0), 4).of_text.tolist()) == {0, 1}


def test_the_same_groups_in_every_process() -> None:
    """Another process with more threads gives the same groups to the last text."""
    code = (
        "import numpy as np; from evaluation.embedding_space.clusters import cluster_texts\n"
        "vectors = np.random.default_rng(0).standard_normal((2000, 16))\n"
        "groups = cluster_texts(vectors)\n"
        "print(hash((groups.of_text.tobytes(), groups.nearness.tobytes())))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"OMP_NUM_THREADS": threads, "PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "4")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize("wanted", [0, 4])
def test_groups_that_cannot_be_made_are_refused(wanted: int) -> None:
    """Three texts make one to three groups."""
    with pytest.raises(ValueError, match=f"{wanted} groups of 3 texts"):
        cluster_texts(np.eye(3), wanted)


def test_texts_that_cannot_be_grouped_are_refused() -> None:
    """Nothing has no groups, NaN no place."""
    with pytest.raises(ValueError, match="no text to group"):
        cluster_texts(np.ones((0, 3)))
    with pytest.raises(ValueError, match="text 0 is not finite"):
        cluster_texts([[np.nan, 1.0]])


def test_keywords_are_the_words_of_one_group() -> None:
    """What stands in one group and not in others leads; stop words and numbers are left out."""
    texts = ["The kettle and the tea, it's 1 cup", "Tea in a KETTLE", "The trail to the cup, 22"]
    # Weights f log(1 + A / f_w), A = 7 / 2: kettle and tea 2 log(1 + 3.5 / 2) = 2.0,
    # cup log(1 + 3.5 / 2) = 1.0 in both groups; trail log(1 + 3.5) = 1.5.
    assert group_keywords(texts, [0, 0, 1]) == [("kettle", "tea", "cup"), ("trail", "cup")]
    assert group_keywords(texts, [0, 0, 1], n=1) == [("kettle",), ("trail",)]


def test_groups_without_a_word_have_no_keyword() -> None:
    """Empty texts and stop words alone leave nothing to say."""
    assert group_keywords(["", "the of"], [0, 1]) == [(), ()]
    assert group_keywords([], []) == []


def test_keywords_of_other_texts_are_refused() -> None:
    """One group for each text."""
    with pytest.raises(ValueError, match=r"groups of shape \(1,\) for 2 texts"):
        group_keywords(["a", "b"], [0])
