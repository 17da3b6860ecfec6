"""The head: its class weights, its initial weights, and the probabilities that it gives."""

import numpy as np
import torch

from trainers.heads import build_head, class_probabilities, class_weights


def test_every_class_weighs_the_same_in_the_loss() -> None:
    """The weights are n / (k * n_c).

    Four texts, two classes, three texts of the first and one of the second:
    4 / (2 * 3) = 2/3 and 4 / (2 * 1) = 2; so 3 * 2/3 = 1 * 2, each class weighs 2.
    """
    np.testing.assert_allclose(class_weights(np.array([0, 0, 1, 0]), 2), [2 / 3, 2.0], rtol=1e-6)


def test_balanced_classes_have_the_weight_one() -> None:
    """With as many texts of each class the loss is the plain mean: 6 / (3 * 2) = 1."""
    np.testing.assert_array_equal(class_weights(np.array([2, 1, 0, 0, 1, 2]), 3), [1.0, 1.0, 1.0])


def test_a_class_without_texts_weighs_nothing() -> None:
    """No text, no weight, and no division by zero: 2 / (3 * 1) = 2/3 for the others."""
    np.testing.assert_allclose(class_weights(np.array([0, 2]), 3), [2 / 3, 0.0, 2 / 3], rtol=1e-6)


def test_every_class_weighs_the_same_whatever_its_texts_count() -> None:
    """Three texts of the first class, one of which counts four times: 6 and 2 of 8 are counted.

    8 / (2 * 6) = 2/3 and 8 / (2 * 2) = 2; so (1 + 1 + 4) * 2/3 = (1 + 1) * 2.
    """
    counts_as = np.array([1, 1, 4, 1, 1], dtype=np.float32)
    weights = class_weights(np.array([0, 0, 0, 1, 1]), 2, counts_as)
    np.testing.assert_allclose(weights, [2 / 3, 2.0], rtol=1e-6)


def test_the_head_is_one_hidden_layer_and_the_output_layer() -> None:
    """Dense 6 to 8, tanh, dropout, dense 8 to 3: (6 + 1) * 8 + (8 + 1) * 3 = 83 parameters."""
    head = build_head(6, 8, 3, 0.1, seed=0)

    assert [type(layer).__name__ for layer in head] == ["Linear", "Tanh", "Dropout", "Linear"]
    assert sum(parameter.numel() for parameter in head.parameters()) == 83


def test_initial_weights_are_those_of_torch() -> None:
    """A head starts as `torch.nn.Linear` does under the same seed, and draws nothing globally."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        plain = [torch.nn.Linear(6, 8), torch.nn.Linear(8, 3)]
    before = torch.get_rng_state()

    head = build_head(6, 8, 3, 0.1, seed=5)

    assert torch.equal(torch.get_rng_state(), before)
    for own, theirs in zip((head[0], head[3]), plain, strict=True):
        for one, other in zip(own.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(one, other)


def test_another_seed_draws_other_weights() -> None:
    """The seed decides the initial weights."""
    one, other = (build_head(6, 8, 3, 0.1, seed) for seed in (0, 1))

    assert not torch.equal(next(one.parameters()), next(other.parameters()))


def by_hand() -> torch.nn.Sequential:
    """Return a head of one unit whose logits are 10 tanh(x) and 0."""
    head = build_head(1, 1, 2, 0.0, seed=0).eval()
    values = ([[1.0]], [0.0], [[10.0], [0.0]], [0.0, 0.0])
    with torch.no_grad():
        for parameter, value in zip(head.parameters(), values, strict=True):
            parameter.copy_(torch.tensor(value))
    return head


def test_probabilities_are_the_softmax_of_the_logits() -> None:
    """Logits (10 tanh x, 0) give 1 / (1 + exp(-10 tanh x)).

    At x = 0 that is 1/2; at x = atanh(ln(3) / 10) the logits are (ln 3, 0), that is 3/4 and 1/4.
    """
    found = class_probabilities(by_hand(), np.array([[0.0], [np.arctanh(np.log(3) / 10)]], "f4"))

    np.testing.assert_allclose(found, [[0.5, 0.5], [0.75, 0.25]], atol=1e-6)
    assert found.dtype == np.float32


def test_no_texts_have_no_probabilities() -> None:
    """Without vectors there is no row, and still a column for each label."""
    assert class_probabilities(by_hand(), np.zeros((0, 0), dtype=np.float32)).shape == (0, 2)
