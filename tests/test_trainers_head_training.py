"""Training heads: what they learn, that a seed decides everything, and how several go at once."""

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from builders.errors import UserError
from trainers.head_training import AT_ONCE, Lesson, train_heads
from trainers.heads import HeadSettings, build_head, class_probabilities
from trainers.losses import CrossEntropy, DynamicImportance, Loss

SETTINGS = HeadSettings()


def two_clouds(n_each: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return texts' vectors of two classes that a plane separates with room to spare."""
    rng = np.random.default_rng(0)
    labels = np.arange(2 * n_each, dtype=np.int64) % 2
    vectors = rng.normal(0, 0.2, (2 * n_each, 6))
    vectors[:, 2] += 2 * labels - 1
    return vectors.astype(np.float32), labels


def lesson(vectors: NDArray[np.float32], labels: NDArray[np.int64], seed: int = 0) -> Lesson:
    """Return a lesson in which all texts weigh the same."""
    return Lesson(vectors, labels, seed, np.ones(len(labels), dtype=np.float32))


def taught(
    lessons: Sequence[Lesson], settings: HeadSettings = SETTINGS, loss: Loss | None = None
) -> list[torch.nn.Sequential]:
    """Return heads of 8 hidden units, each the same at the start, trained side by side."""
    heads = []
    for each in lessons:
        n_labels = int(each.labels.max()) + 1
        heads.append(build_head(each.vectors.shape[1], 8, n_labels, settings.dropout, seed=99))
    train_heads(heads, lessons, loss or CrossEntropy(), settings)
    return heads


def trained(
    vectors: NDArray[np.float32],
    labels: NDArray[np.int64],
    seed: int = 0,
    settings: HeadSettings = SETTINGS,
) -> torch.nn.Sequential:
    """Return one head, trained."""
    return taught([lesson(vectors, labels, seed)], settings)[0]


def predicted(head: torch.nn.Sequential, vectors: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the class indices that a head gives."""
    found: NDArray[np.int64] = class_probabilities(head, vectors).argmax(-1)
    return found


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


def test_what_can_be_separated_is_learned() -> None:
    """Two clouds far apart are told apart without a mistake, on texts not seen before too."""
    vectors, labels = two_clouds(60)

    head = trained(vectors[:80], labels[:80])

    np.testing.assert_array_equal(predicted(head, vectors[80:]), labels[80:])


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
    np.testing.assert_array_equal(predicted(head, at), [0, 1])


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
    before = torch.get_rng_state()

    trained(*two_clouds(40))

    assert torch.equal(torch.get_rng_state(), before)


def test_a_trained_head_predicts_without_dropout() -> None:
    """Two predictions of one head are equal: it is left in evaluation mode."""
    vectors, labels = two_clouds(40)
    head = trained(vectors, labels, settings=HeadSettings(dropout=0.5))

    assert not head.training
    np.testing.assert_array_equal(
        class_probabilities(head, vectors), class_probabilities(head, vectors)
    )


@pytest.mark.parametrize(("min_steps", "steps"), [(20, 21), (5, 6)])
def test_steps_are_whole_passes(min_steps: int, steps: int) -> None:
    """10 texts in batches of 4 are 3 steps a pass.

    20 steps at least are 7 passes, 21 steps; 5 at least are fewer than the 2 passes asked for, 6.
    """
    settings = HeadSettings(epochs=2, min_steps=min_steps, batch_size=4, dropout=0.0)
    heads = [build_head(6, 8, 2, 0.0, seed=0)]

    assert train_heads(heads, [lesson(*two_clouds(5))], CrossEntropy(), settings) == steps


# What a step is


def test_one_step_follows_the_weighted_loss() -> None:
    """A step minimises sum(class weight * weight * loss) / n, and AdamW moves by its sign.

    Three texts of class 0 and one of class 1: class weights 2/3 and 2. With weights 0.5, 1, 1.5 and
    1 the gradient of the output bias is the mean of weight * class weight * (p - one-hot). All
    vectors are 0 and so are the initial biases: p = (1/2, 1/2) throughout. For class 0:
    (2/3 * (0.5 + 1 + 1.5) * (-1/2) + 2 * 1 * (1/2)) / 4 = (-1 + 1) / 4 = 0: classes balance, so
    the bias stays. With weights 0.5, 1, 1.5 and 3 it is (-1 + 3) / 4 > 0 and the bias falls by the
    learning rate, as Adam's first step does whatever the size of the gradient.
    """
    labels = np.array([0, 0, 1, 0])
    moved = []
    for last in (1.0, 3.0):
        head = build_head(2, 1, 2, 0.0, seed=0)
        torch.nn.init.zeros_(head[0].get_parameter("bias"))
        torch.nn.init.zeros_(head[3].get_parameter("bias"))
        weights = np.array([0.5, 1.0, last, 1.5], dtype=np.float32)
        settings = HeadSettings(epochs=1, min_steps=1, learning_rate=0.1, dropout=0.0)
        one = Lesson(np.zeros((4, 2), dtype=np.float32), labels, 0, weights)
        train_heads([head], [one], CrossEntropy(), settings)
        moved.append(head[3].get_parameter("bias").detach().numpy())

    np.testing.assert_allclose(moved, [[0.0, 0.0], [-0.1, 0.1]], atol=1e-6)


def test_a_text_of_weight_0_teaches_nothing() -> None:
    """Whatever stands in its place, the head becomes the same."""
    vectors, labels = two_clouds(20)
    weights = np.ones(40, dtype=np.float32)
    weights[7] = 0.0
    other = vectors.copy()
    other[7] = 100.0

    one, two = (taught([Lesson(v, labels, 0, weights)])[0] for v in (vectors, other))

    np.testing.assert_array_equal(weights_of(one)[0], weights_of(two)[0])


# Side by side


def three_lessons() -> list[Lesson]:
    """Return lessons with other texts, orders, weights and judgements each."""
    rng = np.random.default_rng(4)
    labels = np.arange(90, dtype=np.int64) % 3
    return [
        Lesson(
            rng.normal(size=(90, 12)).astype(np.float32) + np.eye(3, 12, dtype=np.float32)[labels],
            labels,
            seed,
            rng.uniform(0.5, 1.5, 90).astype(np.float32),
            rng.uniform(0.1, 1.0, 90).astype(np.float32),
        )
        for seed in (3, 1, 4)
    ]


@pytest.mark.parametrize("loss", [CrossEntropy(), DynamicImportance()])
def test_heads_side_by_side_learn_what_they_learn_alone(loss: Loss) -> None:
    """Three heads trained at once equal those trained one by one, to the rounding of sums."""
    lessons = three_lessons()

    together = taught(lessons, loss=loss)

    for head, own in zip(together, lessons, strict=True):
        (alone,) = taught([own], loss=loss)
        for one, other in zip(weights_of(head), weights_of(alone), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)
        np.testing.assert_array_equal(predicted(head, own.vectors), predicted(alone, own.vectors))


def test_more_heads_than_go_at_once_are_all_trained() -> None:
    """Of `AT_ONCE` and one more the last is trained too."""
    vectors, labels = two_clouds(5)
    settings = HeadSettings(epochs=1, min_steps=1)

    heads = taught([lesson(vectors, labels, seed) for seed in range(AT_ONCE + 1)], settings)

    (alone,) = taught([lesson(vectors, labels, AT_ONCE)], settings)
    np.testing.assert_allclose(weights_of(heads[-1])[0], weights_of(alone)[0], atol=1e-6)


def test_a_loss_that_is_no_number_stops_the_training() -> None:
    """One vector of an encoder is infinite: the step is said, and no head comes of it."""
    vectors, labels = two_clouds(4)
    vectors[3] = np.inf

    with pytest.raises(UserError, match=r"step 1: the loss of the head is nan"):
        trained(vectors, labels)
