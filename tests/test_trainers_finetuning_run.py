"""A run from a recipe to a folder, in this process: what is trained, chosen, scored and written."""

import csv
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
import yaml
from hub_server import running_hub
from training_world import LABELS, World, make_world, metrics, same_weights

from builders.data import LabelledTexts
from builders.errors import UserError
from builders.tasks import load_task
from trainers.encoders import load_encoder
from trainers.finetune import Finetune, main, parse
from trainers.finetuning.fitting import Fitting
from trainers.finetuning.plan import Plan
from trainers.finetuning.recipe import settings_of
from trainers.finetuning.settings import FinetuneSettings
from trainers.finetuning.texts import gather_texts
from trainers.finetuning.watched_run import WatchedRun
from trainers.finetuning.watching import CURVE
from trainers.losses import CrossEntropy, ExampleWeights, Fit
from trainers.run_folder import read_run


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Make a world."""
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def ran(world: World) -> Path:
    """Train on the corpus, watched on a quarter of it; return the folder."""
    out = world.folder / "ran"
    assert main(world.options(out, validation=0.25)) == 0
    return out


def rows_of(world: World) -> tuple[list[str], list[str]]:
    """Return the real test texts and their labels."""
    with (world.real / "outings.test.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], [row["label"] for row in rows]


def test_a_run_leaves_a_model_and_what_is_known_of_it(ran: Path) -> None:
    """No pickle and no checkpoint is left; hidden is the lock alone."""
    assert sorted(path.name for path in ran.iterdir()) == [
        ".lock",
        "config.json",
        "metrics.json",
        "model.safetensors",
        "recipe.yaml",
        "run.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "training_arguments.json",
        "training_log.jsonl",
    ]


def test_the_scores_are_those_of_the_model_that_was_saved(world: World, ran: Path) -> None:
    """A pipeline over the 203 real test texts gives the macro-F1 that the run wrote."""
    from sklearn.metrics import f1_score
    from transformers import pipeline

    texts, labels = rows_of(world)
    classify: Any = pipeline("text-classification", str(ran), device="cpu")
    given = [each["label"] for each in classify(texts)]

    (scores,) = read_run(ran).tests
    assert scores.n == 203
    assert scores.macro_f1.value == pytest.approx(f1_score(labels, given, average="macro"))
    assert scores.macro_f1.value > 0.8
    assert metrics(ran)["tests"][0]["macro_f1"]["value"] == scores.macro_f1.value


def test_the_record_says_what_was_trained(ran: Path) -> None:
    """On 36 of the corpus's 48 texts, as 12 were held out; with the corpus's own record."""
    record = read_run(ran)

    assert record.n_per_label == {"drinks": 18, "walks": 18}
    assert (record.arm, record.trainer, record.encoder) == ("zero_shot", "finetune", "encoder")
    assert record.corpus is not None
    assert record.corpus.kept == {"drinks": 24, "walks": 24}
    assert record.settings["steps"] == 20
    assert record.settings["processes"] == 1
    assert str(Path.cwd()) not in (ran / "run.json").read_text()


def test_the_options_of_the_trainer_are_kept_with_their_defaults(world: World, ran: Path) -> None:
    """Those given, those that ours decide, and those of the installed version; nothing of where."""
    kept = json.loads((ran / "training_arguments.json").read_text())

    assert (kept["learning_rate"], kept["num_train_epochs"]) == (0.02, 4)
    assert (kept["load_best_model_at_end"], kept["bf16"]) == (True, False)
    assert kept["adam_beta2"] == 0.999
    assert str(world.folder) not in json.dumps(kept)
    assert not [name for name in kept if "token" in name and name.startswith("hub")]


def test_the_best_model_on_validation_is_kept(ran: Path) -> None:
    """Of the four evaluations, one an epoch, the first of the highest macro-F1."""
    log = [json.loads(line) for line in (ran / "training_log.jsonl").read_text().splitlines()]
    evaluated = {e["step"]: e["eval_macro_f1"] for e in log if "eval_macro_f1" in e}

    assert list(evaluated) == [5, 10, 15, 20]
    assert metrics(ran)["best_step"] == max(evaluated, key=lambda step: evaluated[step])
    assert metrics(ran)["validation"]["macro_f1"] == max(evaluated.values())


def test_a_recipe_that_a_run_wrote_gives_the_run_again(ran: Path, tmp_path: Path) -> None:
    """The same weights, bit by bit, and the same scores; the command line wins over the recipe."""
    assert main([str(ran / "recipe.yaml"), f"--output_dir={tmp_path / 'again'}"]) == 0

    assert same_weights(ran, tmp_path / "again")
    assert metrics(ran) == metrics(tmp_path / "again")


def test_a_report_holds_the_training_and_no_look_at_the_test_texts(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Losses, validation and the curve are told, each once; nothing is told after the training."""
    from transformers import TrainerCallback
    from transformers.integrations import integration_utils

    heard: list[str] = []

    class Reporter(TrainerCallback):
        """Stands where a package's own callback stands."""

        def on_log(self, *given: Any, **named: Any) -> None:
            """Note what is logged."""
            logs: dict[str, float] = named["logs"]
            heard.extend(name for name in logs if name in ("loss", "eval_macro_f1", CURVE))

        def on_train_end(self, *given: Any, **named: Any) -> None:
            """Note the end."""
            heard.append("end")

        def on_predict(self, *given: Any, **named: Any) -> None:
            """Note a look."""
            heard.append("look")

    monkeypatch.setitem(integration_utils.INTEGRATION_TO_CALLBACK, "trackio", Reporter)
    options = {"report_to": "trackio", "validation": 0.25, "curve_steps": 10, "logging_steps": 10}

    assert main(world.options(tmp_path / "out", **options)) == 0

    assert Counter(heard) == {"loss": 2, "eval_macro_f1": 4, CURVE: 2, "end": 1}
    assert heard[-1] == "end"


def test_each_text_is_given_its_own_scores_in_whatever_order_is_trained(
    world: World, tmp_path: Path
) -> None:
    """Forty texts of many lengths together have the probabilities of each alone."""
    asked = parse(world.options(tmp_path, train_sampling_strategy="group_by_length"))
    texts = gather_texts(load_task(world.task), asked.recipe, 0, print).train
    settings = settings_of(asked.recipe, dict(asked.arguments))
    fitting = Fitting(Plan(load_encoder(str(world.encoder)), settings, asked.arguments), texts)
    shown = texts.texts[:40]

    together = fitting.probabilities(fitting.tokenised(shown))
    alone = [fitting.probabilities(fitting.tokenised([text]))[0] for text in shown]

    assert len(np.unique(together[:, 0])) > 30
    np.testing.assert_allclose(together, np.stack(alone), atol=1e-6)


def test_a_classifier_is_no_encoder(
    world: World, ran: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it was trained on would count too, and its head would not be drawn by the seed."""
    assert main(world.options(tmp_path / "out", encoder=ran)) == 2

    assert "is a classifier already" in capsys.readouterr().err
    assert not (tmp_path / "out" / "model.safetensors").exists()


def test_a_run_can_be_published(ran: Path, tmp_path: Path) -> None:
    """`understudy push model` takes the folder as it is."""
    with running_hub(tmp_path / "hub") as hub:
        pushed = hub.run(["-m", "understudy", "push", "model", str(ran), "acme/outings"])

    assert pushed.code == 0, pushed.err
    assert "acme/outings v" in pushed.out


# The test set


def test_test_texts_decide_nothing(world: World, ran: Path, tmp_path: Path) -> None:
    """With other test texts, and a learning curve over them, the very same model comes out."""
    real = tmp_path / "real"
    real.mkdir()
    (real / "outings.train.csv").write_bytes((world.real / "outings.train.csv").read_bytes())
    rows = ["text,label", *(f"the {word} again,{la}" for la, own in LABELS.items() for word in own)]
    (real / "outings.test.csv").write_text("\n".join(rows))
    out = tmp_path / "out"
    assert main(world.options(out, validation=0.25, real=real, curve_steps=8)) == 0

    assert same_weights(ran, out)
    assert metrics(ran)["validation"] == metrics(out)["validation"]
    assert [point["step"] for point in metrics(out)["curve"]] == [8, 16]


def test_test_texts_are_not_read_before_the_end(world: World, tmp_path: Path) -> None:
    """A training without a learning curve never asks for them."""
    asked = parse(world.options(tmp_path / "out", validation="real:5-per-label", patience=3))
    said: list[str] = []
    texts = gather_texts(load_task(asked.recipe.task), asked.recipe, 0, said.append)

    def read() -> tuple[str, LabelledTexts]:
        raise AssertionError("the test texts were read")

    plan = Plan(
        load_encoder(str(world.encoder)),
        FinetuneSettings(epochs=2, batch_size=8),
        {
            "output_dir": str(tmp_path / "out"),
            "eval_strategy": "epoch",
            "save_strategy": "epoch",
            "load_best_model_at_end": True,
            "metric_for_best_model": "macro_f1",
            "disable_tqdm": True,
        },
    )
    watched = WatchedRun(plan, texts, asked.recipe, read)
    watched.train(None, said.append)
    assert watched.steps == 12
    assert watched.validation is not None


def test_a_learning_curve_is_the_score_after_so_many_steps(world: World, tmp_path: Path) -> None:
    """Its last point, where training ends, is the macro-F1 of the model that is saved."""
    out = tmp_path / "out"
    assert main(world.options(out, curve_steps=6)) == 0

    curve = {point["step"]: point["macro_f1"] for point in metrics(out)["curve"]}
    assert list(curve) == [6, 12, 18, 24]
    assert curve[24] == pytest.approx(metrics(out)["tests"][0]["macro_f1"]["value"])


# How it is trained


def test_training_stops_where_nothing_gets_better(world: World, tmp_path: Path) -> None:
    """At a learning rate of 0 the second and third evaluation are no better than the first."""
    out = tmp_path / "out"
    options = {"learning_rate": 0, "num_train_epochs": 9, "validation": 0.25, "patience": 2}
    assert main(world.options(out, **options)) == 0

    assert metrics(out)["steps"] == 15
    assert metrics(out)["best_step"] == 5


def test_a_mixture_trains_on_both(world: World, tmp_path: Path) -> None:
    """48 texts of the corpus and 10 real ones a label, by the draw of the seed."""
    out = tmp_path / "out"
    mixture = ["synthetic:1.0", "real:10-per-label:3"]
    assert main(world.options(out, train=mixture, num_train_epochs=1)) == 0

    record = read_run(out)
    assert record.arm == "zero_shot+real"
    assert record.n_per_label == {"drinks": 34, "walks": 34}
    assert record.train_source == "real"


def test_without_real_texts_a_run_is_not_scored(
    world: World,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It says so before it trains; the record has no scores."""
    monkeypatch.delenv("UNDERSTUDY_DATA", raising=False)
    out = tmp_path / "out"
    assert main(world.options(out, real=None, num_train_epochs=1)) == 0

    assert read_run(out).tests == ()
    assert "outings: will not be scored" in capsys.readouterr().err


def test_bf16_is_mixed(world: World, tmp_path: Path) -> None:
    """The forward pass is in bfloat16, what is saved float32; the next run is float32 again."""
    out = tmp_path / "out"
    options = world.options(out, num_train_epochs=1, label_smoothing_factor=0.2)
    assert main([*options, "--precision=bf16"]) == 0

    record = read_run(out)
    assert record.settings["precision"] == "bf16"
    assert (record.settings["loss"], record.settings["label_smoothing"]) == ("label_smoothing", 0.2)
    from safetensors import safe_open

    with safe_open(out / "model.safetensors", framework="np") as opened:
        kinds = {opened.get_tensor(name).dtype for name in opened.keys()}  # noqa: SIM118 - no dict
    assert kinds == {np.dtype("float32")}
    assert main(world.options(tmp_path / "fp32", num_train_epochs=1)) == 0


class Trusting(CrossEntropy):
    """Weighs each text by how a checker of real texts judges its label."""

    name: ClassVar[str] = "trusting"
    needs_real: ClassVar[bool] = True
    asked: ClassVar[list[Any]] = []

    def example_weights(
        self, train: LabelledTexts, fit: Fit, real: LabelledTexts | None
    ) -> ExampleWeights:
        """Train the checker on the real texts and let it judge the training texts."""
        assert real is not None
        given = fit(real, train.texts)
        own = given[np.arange(len(train)), train.labels]
        self.asked[:] = [real, given, own]
        return ExampleWeights(own / own.mean(), own)

    def per_text(
        self, logits: torch.Tensor, labels: torch.Tensor, quality: torch.Tensor | None
    ) -> torch.Tensor:
        """Ask for the checker's judgement in every step."""
        assert quality is not None
        return super().per_text(logits, labels, None)


def test_a_loss_trains_its_checker_as_the_model_is_trained(world: World, tmp_path: Path) -> None:
    """Its probabilities are those of a model fine-tuned on the checker's texts by cross-entropy."""
    asked = parse(world.options(tmp_path / "out", checker_per_label=20))
    task = load_task(asked.recipe.task)
    texts = gather_texts(task, asked.recipe, 0, print, checker=True)
    assert texts.checker is not None
    given = {"output_dir": str(tmp_path), "seed": 3, "save_strategy": "no", "disable_tqdm": True}
    settings = FinetuneSettings(epochs=3, batch_size=8, learning_rate=0.02)
    plan = Plan(load_encoder(str(world.encoder)), settings, given, Trusting())

    fitting = Fitting(plan, texts.train, real=texts.checker)

    real, judged, own = Trusting.asked
    assert real.counts() == {"drinks": 20, "walks": 20}
    alone = Fitting(plan.for_checker(40), texts.checker)
    alone.trainer.train()
    np.testing.assert_array_equal(judged, alone.probabilities(alone.tokenised(texts.train.texts)))
    rows = fitting.train_tokens.rows
    assert [row["quality"] for row in rows] == own.tolist()
    np.testing.assert_allclose([r["weights"] for r in rows], own / own.mean(), rtol=1e-6)
    assert fitting.counted == {"checker_size": 40}


def test_a_loss_that_asks_a_checker_is_watched_by_cross_entropy(
    world: World, tmp_path: Path
) -> None:
    """No checker has judged the validation texts; a trainer of a study draws texts of its own."""
    asked = parse(world.options(tmp_path / "out", checker_per_label=20, validation=0.25))
    texts = gather_texts(load_task(asked.recipe.task), asked.recipe, 0, print, checker=True)
    encoder, settings = load_encoder(str(world.encoder)), FinetuneSettings(epochs=1, batch_size=8)
    given = {"output_dir": str(tmp_path), "save_strategy": "no", "eval_strategy": "epoch"}
    plan = Plan(encoder, settings, {**given, "disable_tqdm": True}, Trusting())

    fitting = Fitting(plan, texts.train, validation=texts.validation, real=texts.checker)
    fitting.trainer.train()
    assert fitting.trainer.evaluate()["eval_macro_f1"] >= 0

    trainer = Finetune(encoder, settings, loss=Trusting(), real=texts.checker, checker_per_label=7)
    assert trainer.run(texts.train, texts.train, 0).details["checker_size"] == 14
    with pytest.raises(UserError, match="--loss trusting: its quality checker is trained on"):
        Finetune(encoder, settings, loss=Trusting())


def test_a_step_divides_by_its_texts_and_not_by_their_weights(world: World, tmp_path: Path) -> None:
    """3 texts of weights 2/3, 2/3 and 2 of which the model says nothing: each costs ln 2 = 0.6931.

    (2/3 + 2/3 + 2) * 0.6931 / 4 = 0.5776, the step having 4 texts, of which one is elsewhere.
    """
    texts = LabelledTexts(("a mug",) * 3, (0, 0, 1), tuple(LABELS), ("1", "2", "3"))
    plan = Plan(load_encoder(str(world.encoder)), arguments={"output_dir": str(tmp_path)})
    trainer = Fitting(plan, texts).trainer

    def undecided(input_ids: torch.Tensor, attention_mask: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"logits": torch.zeros(len(input_ids), 2)}

    batch = trainer.data_collator([trainer.train_dataset[i] for i in range(3)])  # type: ignore[index]
    batch["weights"] = torch.tensor([2 / 3, 2 / 3, 2.0])
    loss = trainer.compute_loss(undecided, dict(batch), num_items_in_batch=4)  # type: ignore[arg-type]

    assert float(loss) == pytest.approx(0.5776, abs=1e-4)


@pytest.mark.parametrize("kind", ["roberta", "modernbert"])
def test_other_encoders_are_trained(world: World, tmp_path: Path, kind: str) -> None:
    """Their folder is all that is needed."""
    from tiny_encoder import save_tiny_encoder

    encoder = save_tiny_encoder(tmp_path / kind, kind)
    out = tmp_path / "out"
    assert main(world.options(out, encoder=encoder, num_train_epochs=1)) == 0
    assert read_run(out).encoder == kind


def test_a_loss_that_is_no_number_ends_the_run(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says at which step; no file looks like a finished model, not even a checkpoint's."""
    out = tmp_path / "out"
    assert main(world.options(out, learning_rate=1e30, warmup_steps=0)) == 2

    printed = capsys.readouterr().err
    assert "step 2: the loss is nan, so training was stopped and no model is saved" in printed
    assert "Traceback" not in printed
    assert not list(out.rglob("*.safetensors")) and not (out / "run.json").exists()


def test_a_debugging_that_an_encoder_does_not_bear_is_refused(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """BERT's masks are truth values, of which the library wants a magnitude; it is put in a line.

    The same folder is then trained in without it, as it changes no result.
    """
    out = tmp_path / "out"
    assert main(world.options(out, num_train_epochs=1, debug="underflow_overflow")) == 2

    printed = capsys.readouterr().err
    assert "trainers.finetune: debug underflow_overflow: " in printed
    assert "Traceback" not in printed
    assert yaml.safe_load((out / "recipe.yaml").read_text())["debug"] == ["underflow_overflow"]
    assert main(world.options(out, num_train_epochs=1)) == 0


def test_an_encoder_that_cannot_recompute_is_refused_before_a_step(
    world: World,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Some kinds have no activation checkpointing; others train with it."""
    from transformers import BertPreTrainedModel

    options = {"activation_checkpointing": True, "num_train_epochs": 1}
    assert main(world.options(tmp_path / "can", **options)) == 0
    monkeypatch.setattr(BertPreTrainedModel, "supports_gradient_checkpointing", False)
    capsys.readouterr()

    assert main(world.options(tmp_path / "cannot", **options)) == 2

    assert "activation_checkpointing: a bert does not have it" in capsys.readouterr().err


def test_importing_the_entry_loads_nothing_heavy() -> None:
    """Neither torch nor transformers, and nothing runs."""
    code = "import sys, trainers.finetune; print({'torch', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
