"""Learning curves of both trainers: what they hold, and that they change nothing."""

from pathlib import Path

import numpy as np
import pytest
from tiny_encoder import save_tiny_encoder
from training_world import of_each_label

from trainers.base import ClassifierTrainer, Job, Outcome
from trainers.embeddings import Embeddings
from trainers.encoders import EMBEDDED, Encoder, load_encoder
from trainers.finetune import Finetune, FinetuneSettings
from trainers.heads import HeadSettings
from trainers.probe import Probe


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """Return a tiny encoder with dropout: what it draws is part of a run."""
    return load_encoder(str(save_tiny_encoder(tmp_path_factory.mktemp("tiny"), dropout=0.2)))


def trainer(kind: str, tiny: Encoder, curve_steps: int | None) -> ClassifierTrainer:
    """Return a trainer of few steps."""
    if kind == "finetune":
        how = FinetuneSettings(epochs=8, batch_size=8, learning_rate=0.02)
        return Finetune(tiny, how, curve_steps=curve_steps)
    encoder = load_encoder(EMBEDDED)
    settings = HeadSettings(epochs=1, min_steps=10, batch_size=8)
    return Probe(encoder, Embeddings(encoder), settings, curve_steps=curve_steps)


def run(kind: str, tiny: Encoder, curve_steps: int | None) -> Outcome:
    """Train on 16 texts of each label: 32 steps of fine-tuning, 12 of a head."""
    return trainer(kind, tiny, curve_steps).run(
        of_each_label(16, "train"), of_each_label(10, "test"), 1
    )


@pytest.mark.parametrize(("kind", "steps"), [("finetune", [12, 24, 32]), ("probe", [5, 10, 12])])
def test_a_curve_has_a_point_every_so_many_steps_and_the_last(
    tiny: Encoder, kind: str, steps: list[int]
) -> None:
    """The last point is what the run predicts; no point where none is asked for."""
    found = run(kind, tiny, steps[0])

    assert sorted(found.curve) == steps
    np.testing.assert_array_equal(found.curve[steps[-1]], found.predictions)
    assert {points.shape for points in found.curve.values()} == {(20,)}
    assert run(kind, tiny, None).curve == {}


@pytest.mark.parametrize("kind", ["finetune", "probe"])
def test_a_curve_changes_nothing(tiny: Encoder, kind: str) -> None:
    """Looked at after every step or never: the same probabilities, bit by bit, the same key."""
    watched, plain = run(kind, tiny, 1), run(kind, tiny, None)

    assert watched.probabilities is not None and plain.probabilities is not None
    np.testing.assert_array_equal(watched.probabilities, plain.probabilities)
    assert trainer(kind, tiny, 1).settings == trainer(kind, tiny, None).settings


@pytest.mark.parametrize("kind", ["finetune", "probe"])
def test_an_early_point_is_what_a_model_was_then(tiny: Encoder, kind: str) -> None:
    """At some step it predicts otherwise than at the end: points are no copies of the last."""
    curve = run(kind, tiny, 1).curve
    last = curve[max(curve)]

    assert any((points != last).any() for points in curve.values())


def test_heads_side_by_side_have_curves_of_their_own(tiny: Encoder) -> None:
    """As each has alone, whatever their sizes are."""
    jobs = [
        Job(of_each_label(16, "train"), 0),
        Job(of_each_label(16, "other"), 1),
        Job(of_each_label(9, "third"), 2),
    ]
    probe = trainer("probe", tiny, 4)

    together = probe.run_many(jobs, of_each_label(10, "test"))

    for job, each in zip(jobs, together, strict=True):
        alone = probe.run(job.train, of_each_label(10, "test"), job.seed)
        assert sorted(each.curve) == sorted(alone.curve)
        for step, points in alone.curve.items():
            np.testing.assert_array_equal(each.curve[step], points)


def test_a_pass_of_fewer_texts_is_the_same_training(tmp_path: Path) -> None:
    """How many texts go through at once decides no label: a batch is passed in parts."""
    encoder = load_encoder(str(save_tiny_encoder(tmp_path / "plain")))
    how = FinetuneSettings(epochs=8, batch_size=8, learning_rate=0.02)
    data = of_each_label(16, "train"), of_each_label(10, "test"), 1

    whole = Finetune(encoder, how).run(*data)
    parts = Finetune(encoder, how, pass_size=2).run(*data)

    assert whole.probabilities is not None and parts.probabilities is not None
    np.testing.assert_allclose(parts.probabilities, whole.probabilities, atol=1e-5)


def test_a_pass_draws_its_own_dropout(tiny: Encoder) -> None:
    """So that how many texts go through at once is a setting: it does decide what comes out."""
    how = FinetuneSettings(epochs=8, batch_size=8, learning_rate=0.02)
    data = of_each_label(16, "train"), of_each_label(10, "test"), 1
    trainers = Finetune(tiny, how), Finetune(tiny, how, pass_size=2)

    whole, parts = (each.run(*data).probabilities for each in trainers)

    assert whole is not None and parts is not None
    assert abs(parts - whole).max() > 1e-4
    assert trainers[1].settings == {**trainers[0].settings, "pass_size": 2}
