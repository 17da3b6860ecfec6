"""Quality checkers: trained once for a seed and its real texts, whatever they then judge."""

import gc
import pickle
from typing import Any

import numpy as np
import pytest
from tiny_encoder import save_tiny_encoder
from training_world import of_each_label

from trainers.encoders import Encoder, load_encoder
from trainers.finetune import Finetune, FinetuneSettings
from trainers.finetuning.checkers import QualityCheckers
from trainers.finetuning.plan import Plan
from trainers.finetuning.settings import Precision
from trainers.finetuning.weighted_trainer import WeightedTrainer
from trainers.losses import DynamicImportance


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """Return a tiny encoder with dropout: what it draws is part of a run."""
    return load_encoder(str(save_tiny_encoder(tmp_path_factory.mktemp("tiny"), dropout=0.2)))


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets, of each training, the number of its texts."""
    sizes: list[int] = []
    train = WeightedTrainer.train

    def counted(self: WeightedTrainer, *given: Any, **named: Any) -> Any:
        sizes.append(len(self.batches.lengths))
        return train(self, *given, **named)

    monkeypatch.setattr(WeightedTrainer, "train", counted)
    return sizes


def trainer(tiny: Encoder, precision: Precision = "fp32") -> Finetune:
    """Return a trainer by DIMP, with 3 real texts of each label for its checker."""
    how = FinetuneSettings(epochs=2, batch_size=8, learning_rate=0.02, precision=precision)
    real = of_each_label(20, "real")
    return Finetune(tiny, how, loss=DynamicImportance(), real=real, checker_per_label=3)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_checker_that_is_kept_judges_as_the_one_that_was_trained(
    tiny: Encoder, trained: list[int], precision: Precision
) -> None:
    """Two arms of 8 and 12 texts of a label: the 6 real texts are learned from once, not twice.

    What the second arm predicts is what a trainer predicts that has no checker yet, bit by bit.
    """
    first, second, test = (
        of_each_label(8, "first"),
        of_each_label(12, "second"),
        of_each_label(30, "test"),
    )
    both = trainer(tiny, precision)

    both.run(first, test, seed=1)
    kept = both.run(second, test, seed=1)

    assert trained == [6, 16, 24]
    anew = trainer(tiny, precision).run(second, test, seed=1)
    assert trained[3:] == [6, 24]
    assert kept.probabilities is not None and anew.probabilities is not None
    np.testing.assert_array_equal(kept.probabilities, anew.probabilities)


def test_each_seed_has_a_checker_of_its_own(tiny: Encoder, trained: list[int]) -> None:
    """It draws the real texts, and the first weights of the classifier."""
    both, train, test = trainer(tiny), of_each_label(8, "first"), of_each_label(5, "test")

    for seed in (1, 2, 1):
        both.run(train, test, seed)

    assert trained == [6, 16, 6, 16, 16]


def test_a_place_is_of_all_that_decides_a_checker(tiny: Encoder) -> None:
    """Encoder, settings, seed and texts; another plan or other texts have another place."""
    checkers, real = QualityCheckers(), of_each_label(3, "real")
    plan = Plan(tiny, arguments={"seed": 1})

    places = {
        checkers.place(plan, real),
        checkers.place(plan.for_checker(len(real)), real),  # more epochs
        checkers.place(Plan(tiny, arguments={"seed": 2}), real),
        checkers.place(plan, of_each_label(4, "real")),
    }

    assert len(places) == 4
    assert checkers.place(Plan(tiny, arguments={"seed": 1}), of_each_label(3, "real")) in places


def test_a_trainer_that_is_sent_to_another_process_has_none(tiny: Encoder) -> None:
    """The folders are of the process that made them; they end with it."""
    own = trainer(tiny)
    own.run(of_each_label(8, "first"), of_each_label(5, "test"), seed=1)
    home = own.checkers.folder
    assert len(list(home.iterdir())) == 1

    sent = pickle.loads(pickle.dumps(own))

    assert sent.checkers.folder != home
    assert not list(sent.checkers.folder.iterdir())
    del own
    gc.collect()
    assert not home.exists()
