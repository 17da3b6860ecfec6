"""The contract of a trainer: what it does of itself."""

from collections.abc import Sequence

import numpy as np

from builders.data import LabelledTexts
from trainers.base import ClassifierTrainer, Cut, Job, Outcome


class Counting(ClassifierTrainer):
    """Predicts, for each test text, the seed plus the number of training texts."""

    name = "counting"

    def run(self, train: LabelledTexts, test: LabelledTexts, seed: int) -> Outcome:
        """Predict."""
        return Outcome(np.full(len(test), seed + len(train)), seconds=0.0)

    def cut(self, texts: Sequence[str]) -> Cut:
        """Read all of them."""
        return Cut(0, None)


def texts(n: int) -> LabelledTexts:
    """Return so many texts of one label."""
    names = tuple(map(str, range(n)))
    return LabelledTexts(names, (0,) * n, ("a",), names)


def test_many_runs_are_one_after_another_by_default() -> None:
    """A trainer that has only `run` does each job with its texts and its seed, in their order."""
    jobs = [Job(texts(3), 10), Job(texts(1), 20)]

    first, second = Counting().run_many(jobs, texts(2))

    np.testing.assert_array_equal(first.predictions, [13, 13])
    np.testing.assert_array_equal(second.predictions, [21, 21])


def test_a_trainer_need_not_give_probabilities() -> None:
    """Without them an outcome says so by None, not by invented ones."""
    (outcome,) = Counting().run_many([Job(texts(1), 0)], texts(1))

    assert outcome.probabilities is None
