"""The head: its class weights, what it learns, and that a seed decides everything."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from trainers.heads import HeadSettings, build_head, class_weights, predict, train_head

SETTINGS = HeadSettings()


def two_clouds(n_each: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return texts' vectors of two classes that a plane separates with room to spare."""
    rng = np.random.default_rng(0)
    labels = np.arange(2 * n_each, dtype=np.int64) % 2
    vectors = rng.normal(0, 0.2, (2 * n_each, 6))
    vectors[:, 2] += 2 * labels - 1
    return vectors.astype(np.float32), labels


def trained(
    vectors: NDArray[np.float32],
    labels: NDArray[np.int64],
    seed: int = 0,
    settings: HeadSettings = SETTINGS,
) -> torch.nn.Sequential:
    """Return a head of 8 hidden units, the same at the start for every seed, trained."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(99)
        head = build_head(vectors.shape[1], 8, int(labels.max()) + 1, settings.dropout)
    train_head(head, vectors, labels, settings, seed)
    return head


def weights_of(head: torch.nn.Sequential) -> list[NDArray[np.float32]]:
    """Return all parameters."""
    return [parameter.detach().numpy().copy() for parameter in head.parameters()]


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Let torch use two threads in a test."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


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


def test_the_head_is_one_hidden_layer_and_the_output_layer() -> None:
    """Dense 6 to 8, tanh, dropout, dense 8 to 3: (6 + 1) * 8 + (8 + 1) * 3 = 83 parameters."""
    head = build_head(6, 8, 3, 0.1)

    assert [type(layer).__name__ for layer in head] == ["Linear", "Tanh", "Dropout", "Linear"]
    assert sum(parameter.numel() for parameter in head.parameters()) == 83


def test_what_can_be_separated_is_learned() -> None:
    """Two clouds far apart are told apart without a mistake, on texts not seen before too."""
    vectors, labels = two_clouds(60)

    head = trained(vectors[:80], labels[:80])

    np.testing.assert_array_equal(predict(head, vectors[80:]), labels[80:])


def test_a_rare_class_is_not_given_up() -> None:
    """The boundary lies where the classes are equally dense, not where both are frequent.

    One feature, N(0, 1) for 950 texts and N(2, 1) for 50: balanced, the boundary is at 1. Without
    the weights it would be at 1 + ln(19) / 2 = 2.5, and 1.75 would go to the frequent class.
    """
    rng = np.random.default_rng(1)
    labels = np.repeat(np.array([0, 1], dtype=np.int64), [950, 50])
    vectors = (rng.normal(0, 1, 1000) + 2 * labels).astype(np.float32)[:, None]

    head = trained(vectors, labels, settings=HeadSettings(epochs=40, learning_rate=1e-2))

    at = np.array([[0.25], [1.75]], dtype=np.float32)
    np.testing.assert_array_equal(predict(head, at), [0, 1])


def test_the_same_seed_gives_the_same_head() -> None:
    """Two trainings with one seed end in the same weights, bit by bit."""
    vectors, labels = two_clouds(40)

    for one, other in zip(
        weights_of(trained(vectors, labels)), weights_of(trained(vectors, labels)), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_another_seed_gives_another_head() -> None:
    """The seed draws the order of the texts and the dropout."""
    vectors, labels = two_clouds(40)

    one, other = trained(vectors, labels, seed=0), trained(vectors, labels, seed=1)

    assert np.abs(weights_of(one)[0] - weights_of(other)[0]).max() > 0


def test_the_seed_draws_the_order_without_dropout_too() -> None:
    """Without dropout the order of the texts is what is left to draw."""
    vectors, labels = two_clouds(40)
    settings = HeadSettings(batch_size=16, dropout=0.0)

    one = trained(vectors, labels, 0, settings)
    other = trained(vectors, labels, 1, settings)

    assert np.abs(weights_of(one)[0] - weights_of(other)[0]).max() > 0


@pytest.mark.usefixtures("two_threads")
def test_the_number_of_threads_decides_nothing() -> None:
    """With two threads the weights are those of one, bit by bit, and torch keeps its two."""
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(600, 384)).astype(np.float32)
    labels = rng.integers(0, 3, 600)
    many = trained(vectors, labels)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)
    one = trained(vectors, labels)

    for first, second in zip(weights_of(many), weights_of(one), strict=True):
        np.testing.assert_array_equal(first, second)


def test_training_does_not_depend_on_what_was_drawn_before() -> None:
    """Numbers drawn from torch's global generator before do not matter."""
    vectors, labels = two_clouds(40)
    first = weights_of(trained(vectors, labels))
    torch.rand(17)

    np.testing.assert_array_equal(first[0], weights_of(trained(vectors, labels))[0])


def test_training_leaves_the_global_generator_alone() -> None:
    """What a caller draws next from torch is as if nothing had been trained."""
    vectors, labels = two_clouds(40)
    head = build_head(6, 8, 2, 0.1)
    before = torch.get_rng_state()

    train_head(head, vectors, labels, SETTINGS, seed=0)

    assert torch.equal(torch.get_rng_state(), before)


def test_a_trained_head_predicts_without_dropout() -> None:
    """Two predictions of one head are equal: it is left in evaluation mode."""
    vectors, labels = two_clouds(40)
    head = trained(vectors, labels, settings=HeadSettings(dropout=0.5))

    assert not head.training
    with torch.inference_mode():
        one, other = head(torch.from_numpy(vectors)), head(torch.from_numpy(vectors))
    assert torch.equal(one, other)


def test_few_texts_are_passed_over_until_the_least_steps_are_done() -> None:
    """10 texts in batches of 4 are 3 steps a pass; 20 steps at least are 7 passes, 21 steps."""
    vectors, labels = two_clouds(5)
    head = build_head(6, 8, 2, 0.0)

    steps = train_head(
        head, vectors, labels, HeadSettings(epochs=2, min_steps=20, batch_size=4), seed=0
    )

    assert steps == 21


def test_many_texts_are_passed_over_as_often_as_asked() -> None:
    """10 texts in batches of 4, 2 passes: 6 steps, which are more than the 5 at least."""
    vectors, labels = two_clouds(5)
    head = build_head(6, 8, 2, 0.0)

    steps = train_head(
        head, vectors, labels, HeadSettings(epochs=2, min_steps=5, batch_size=4), seed=0
    )

    assert steps == 6


def test_predictions_are_class_indices() -> None:
    """One int64 a text, of the largest logit: by hand, identity hidden layer, outputs +-tanh(x)."""
    head = build_head(1, 1, 2, 0.0).eval()
    with torch.no_grad():
        for parameter, values in zip(
            head.parameters(), ([[1.0]], [0.0], [[1.0], [-1.0]], [0.0, 0.0]), strict=True
        ):
            parameter.copy_(torch.tensor(values))

    found = predict(head, np.array([[3.0], [-0.5], [0.1]], dtype=np.float32))

    np.testing.assert_array_equal(found, [0, 1, 0])
    assert found.dtype == np.int64
