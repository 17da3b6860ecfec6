"""Draws of test texts and of seeds."""

import numpy as np
import pytest

import evaluation.uncertainty.resampling
from evaluation.uncertainty.resampling import Patterns


def _few_patterns() -> Patterns:
    """Forty texts in three patterns: fewer than a tenth, so that counts are drawn as such."""
    y_true = np.repeat([0, 1], 20)
    return Patterns.of(y_true, [np.repeat([[0, 1, 0]], [10, 20, 10], axis=1)], 2)


def _many_patterns() -> Patterns:
    """Eight texts, no two alike: texts are drawn one by one."""
    return Patterns.of(np.arange(8), [np.arange(8)[None]], 8)


def test_texts_alike_in_label_and_predictions_are_one_pattern() -> None:
    """A pattern is a label with what each seed predicted for it."""
    #           a  b  a  c  (b differs from a by label, c by the second seed's prediction)
    y_true = [0, 1, 0, 0]
    seeds = [[1, 1, 1, 1], [0, 0, 0, 1]]
    patterns = Patterns.of(y_true, [seeds], 2)
    found = {
        (int(label), *map(int, said)): int(count)
        for label, said, count in zip(
            patterns.y_true, patterns.predictions.T, patterns.counts, strict=True
        )
    }
    assert found == {(0, 1, 0): 2, (1, 1, 0): 1, (0, 1, 1): 1}
    assert patterns.counts[patterns.of_text].tolist() == [2, 1, 2, 1]


def test_many_seeds_of_many_labels_do_not_overflow() -> None:
    """Patterns stay apart where labels to the power of seeds pass 64 bits."""
    # 1000^24 is 10^72. Two texts that differ in the last seed only.
    rows = np.full((24, 2), 999)
    rows[-1, 0] = 0
    assert Patterns.of([0, 0], [rows], 1000).counts.tolist() == [1, 1]


@pytest.mark.parametrize("patterns", [_few_patterns(), _many_patterns()], ids=["few", "many"])
def test_each_replicate_draws_as_many_texts_as_there_are(patterns: Patterns) -> None:
    """Counts sum to the number of texts, and their mean is that of the texts."""
    drawn = np.concatenate(list(patterns.draw_texts(np.random.default_rng(0), 4000)))
    assert drawn.shape == (4000, len(patterns.counts))
    assert (drawn.sum(axis=1) == len(patterns.of_text)).all()
    # Binomial: the standard error of a mean count is at most sqrt(40 / 4 / 4000) = 0.05.
    assert drawn.mean(axis=0) == pytest.approx(patterns.counts, abs=0.2)


@pytest.mark.parametrize("patterns", [_few_patterns(), _many_patterns()], ids=["few", "many"])
def test_counts_vary_as_draws_with_replacement_do(patterns: Patterns) -> None:
    """The covariance of the counts is the multinomial's."""
    drawn = np.concatenate(list(patterns.draw_texts(np.random.default_rng(0), 20000)))
    share = patterns.counts / len(patterns.of_text)
    # n (diag(p) - p p'), as of n independent draws of one pattern each.
    expected = len(patterns.of_text) * (np.diag(share) - np.outer(share, share))
    assert np.cov(drawn.T) == pytest.approx(expected, abs=0.3)


@pytest.mark.parametrize("patterns", [_few_patterns(), _many_patterns()], ids=["few", "many"])
def test_memory_is_bounded_and_does_not_change_the_draws(
    patterns: Patterns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawn a few replicates at a time, the counts are the same."""
    whole = np.concatenate(list(patterns.draw_texts(np.random.default_rng(0), 50)))
    monkeypatch.setattr(evaluation.uncertainty.resampling, "_AT_ONCE", 24)
    blocks = list(patterns.draw_texts(np.random.default_rng(0), 50))
    assert max(block.size for block in blocks) == 24
    assert np.concatenate(blocks).tolist() == whole.tolist()


def test_seed_weights_are_a_mean_over_drawn_seeds() -> None:
    """Of three seeds a replicate takes three with replacement, each worth a third."""
    patterns = Patterns.of([0], [[[0], [0], [0]]], 1)
    (weights,) = patterns.draw_seeds(np.random.default_rng(0), 300)
    assert {tuple(sorted(3 * row)) for row in weights} == {(0, 0, 3), (0, 1, 2), (1, 1, 1)}


def test_arms_with_as_many_seeds_are_drawn_together() -> None:
    """Seed k of the first arm comes with seed k of the third, whatever stands between them."""
    patterns = Patterns.of([0], [[[0], [0]], [[0], [0], [0]], [[0], [0]]], 1)
    first, _, third = patterns.draw_seeds(np.random.default_rng(0), 100)
    assert (first == third).all()


def test_arms_with_unequal_seeds_are_drawn_independently() -> None:
    """Every combination of draws of two and of three seeds occurs."""
    patterns = Patterns.of([0], [[[0], [0]], [[0], [0], [0]]], 1)
    weights = np.concatenate(patterns.draw_seeds(np.random.default_rng(0), 2000), axis=1)
    # 3 ways to take 2 of 2 seeds with replacement, 10 ways to take 3 of 3.
    assert len(np.unique(weights, axis=0)) == 3 * 10
    assert weights.sum(axis=1) == pytest.approx(np.full(2000, 2))
