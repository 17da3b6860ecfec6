"""One training: what weighs how much, in which precision, and what a library refuses of it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_encoder import save_tiny_encoder
from training_world import World, make_world, of_each_label

from builders.data import LabelledTexts
from trainers.encoders import Encoder, load_encoder
from trainers.finetune import Finetune, FinetuneSettings, main
from trainers.finetuning.fitting import Fitting
from trainers.finetuning.plan import QUALITY_STEPS, Plan
from trainers.finetuning.settings import ClassWeights, Precision
from trainers.losses import CrossEntropy, ExampleWeights, Fit


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Make a world."""
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """Return a tiny encoder."""
    return load_encoder(str(save_tiny_encoder(tmp_path_factory.mktemp("tiny"))))


class LeavesOut(CrossEntropy):
    """Leaves the first text out; the others of its label weigh as much as all did."""

    name: ClassVar[str] = "leaves_out"
    keeps_labels: ClassVar[bool] = True

    def example_weights(
        self, train: LabelledTexts, fit: Fit, real: LabelledTexts | None
    ) -> ExampleWeights:
        """Weigh the three others of four texts 4/3."""
        weights = np.ones(len(train), dtype=np.float32)
        weights[:4] = (0, 4 / 3, 4 / 3, 4 / 3)
        return ExampleWeights(weights)


@pytest.mark.parametrize(("balance", "second"), [("none", 2.0), ("balanced", 5.0)])
def test_a_label_counts_what_it_did_when_texts_of_it_are_left_out(
    tiny: Encoder, tmp_path: Path, balance: ClassWeights, second: float
) -> None:
    """Four texts of weights 5, 1, 1, 1 and two of 1: the labels count 8 and 2, 10 in all.

    Without the first 1, 1 and 1 are left, which weigh 8/3 each. Balanced, both labels count 5.
    """
    texts = LabelledTexts(tuple("abcdef"), (0, 0, 0, 0, 1, 1), ("p", "q"), tuple("123456"))
    settings = FinetuneSettings(class_weights=balance)
    plan = Plan(tiny, settings, {"output_dir": str(tmp_path)}, LeavesOut())
    by_source = np.array([5, 1, 1, 1, 1, 1], dtype=np.float32)

    rows = Fitting(plan, texts, weights=by_source).train_tokens.rows

    found: NDArray[np.float64] = np.array([row["weights"] for row in rows])
    first = 10 - second
    np.testing.assert_allclose(found[:4], [0, first / 3, first / 3, first / 3], rtol=1e-6)
    np.testing.assert_allclose(found[4:], [second / 2, second / 2], rtol=1e-6)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_launcher_does_not_decide_the_precision(
    tiny: Encoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: Precision
) -> None:
    """`accelerate launch` says one in the environment, whatever the recipe says."""
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16" if precision == "fp32" else "fp16")
    plan = Plan(tiny, FinetuneSettings(precision=precision), {"output_dir": str(tmp_path)})

    trainer = Fitting(plan, of_each_label(3, "some")).trainer

    assert trainer.accelerator.mixed_precision == {"fp32": "no", "bf16": "bf16"}[precision]


def test_a_checker_has_a_length_and_a_schedule_of_its_own(tiny: Encoder) -> None:
    """Steps, a warm-up in steps and a schedule that asks for evaluations are the model's.

    40 real texts in batches of 8 are 5 steps an epoch: 20 epochs make 100 steps.
    """
    given = {"max_steps": 10, "lr_scheduler_type": "reduce_lr_on_plateau", "seed": 3}
    plan = Plan(tiny, FinetuneSettings(epochs=2, batch_size=8, warmup=500), given)

    quality, diversity = plan.for_checker(40), plan.for_checker()

    assert quality.settings.epochs * 5 == QUALITY_STEPS
    assert diversity.settings.epochs == 2
    for each in (quality, diversity):
        assert each.settings.warmup == FinetuneSettings().warmup
        assert (each.arguments["max_steps"], each.arguments["lr_scheduler_type"]) == (-1, "linear")
        assert each.arguments["seed"] == 3


def test_one_label_a_text_whatever_the_encoder_was_for(tiny: Encoder, tmp_path: Path) -> None:
    """A pipeline gives probabilities that sum to 1: softmax, as in training, and no sigmoids."""
    from transformers import pipeline

    folder = save_tiny_encoder(tmp_path / "encoder")
    settings = json.loads((folder / "config.json").read_text())
    many = {**settings, "problem_type": "multi_label_classification"}
    (folder / "config.json").write_text(json.dumps(many))
    train = of_each_label(4, "train")

    trainer = Finetune(load_encoder(str(folder)), FinetuneSettings(epochs=1, batch_size=4))
    trainer.run_and_save(train, train.select([0]), 0, tmp_path / "out")

    classify: Any = pipeline("text-classification", str(tmp_path / "out"), device="cpu")
    (scores,) = classify(["a mug"], top_k=None)
    assert sum(each["score"] for each in scores) == pytest.approx(1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--adam_beta1=1.5"], "optim adamw_torch_fused: Invalid beta parameter"),
        (['--lr_scheduler_kwargs={"foo": 1}'], "lr_scheduler_type linear: "),
        (["--optim=galore_adamw"], "optim galore_adamw: "),
    ],
)
def test_what_the_trainer_does_not_take_is_one_line(
    world: World,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: Sequence[str],
    said: str,
) -> None:
    """It names the option; no model is written."""
    assert main([*world.options(tmp_path / "out"), *words]) == 2

    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith(f"trainers.finetune: {said}")
    assert not (tmp_path / "out" / "run.json").exists()


def test_no_real_text_is_left_for_the_checker(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Training is watched on all of them: it says how to leave some."""
    assert main(world.options(tmp_path / "out", loss="imp", validation="real")) == 2

    assert "say validation: real:20-per-label" in capsys.readouterr().err


def test_steps_that_were_asked_for_are_recorded(world: World, tmp_path: Path) -> None:
    """And no number of epochs that was not gone through."""
    from trainers.run_folder import read_run

    assert main(world.options(tmp_path / "out", max_steps=3)) == 0

    settings = read_run(tmp_path / "out").settings
    assert (settings["max_steps"], settings["steps"]) == (3, 3)
    assert settings["epochs"] == "as max_steps has it"
