"""Fine-tuning: a real `Trainer` run of the embedded encoder learns, repeats itself, is tidy."""

import contextlib
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_encoder import save_tiny_encoder
from training_world import LABELS, made_up
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    set_seed,
)

from builders.data import LabelledTexts
from trainers.base import Outcome
from trainers.encoders import EMBEDDED, load_encoder
from trainers.finetune import Finetune, FinetuneSettings
from trainers.finetuning.settings import ClassWeights
from trainers.losses import LabelSmoothing

PLEASED = ("What a {} evening!", "I would go to the {} again.", "The {} made us all smile.")
ANNOYED = ("The {} was a waste of money.", "Never the {} again.", "We left the {} in anger.")
WORDS = ("concert", "hotel", "dinner", "museum", "course", "trip")
SETTINGS = FinetuneSettings(epochs=3, batch_size=8, learning_rate=2e-4)


def labelled(words: tuple[str, ...]) -> LabelledTexts:
    """Return texts of pleased (0) and of annoyed people (1)."""
    forms = ((0, PLEASED), (1, ANNOYED))
    pairs = [(form.format(word), y) for y, own in forms for form in own for word in words]
    texts, labels = zip(*pairs, strict=True)
    return LabelledTexts(texts, labels, ("pleased", "annoyed"), tuple(map(str, range(len(texts)))))


@dataclass(frozen=True)
class Ran:
    """One training.

    Attributes:
        outcome: What it gave.
        steps: (steps done, steps in all) as it reported them.
        printed: What it printed.
        left: Files that lay in the working and the temporary folder afterwards.
    """

    outcome: Outcome
    steps: list[tuple[int, int]]
    printed: str
    left: list[str]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Fine-tune the embedded encoder, in an empty folder."""
    work, scratch = tmp_path_factory.mktemp("work"), tmp_path_factory.mktemp("scratch")
    steps: list[tuple[int, int]] = []
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(work)
        patch.setattr(tempfile, "tempdir", str(scratch))
        encoder = load_encoder(EMBEDDED)
        train, test = labelled(WORDS[:4]), labelled(WORDS[4:])
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            outcome = Finetune(
                encoder, SETTINGS, progress=lambda done, of: steps.append((done, of))
            ).run(train, test, seed=1)
        found = [path for folder in (work, scratch) for path in folder.rglob("*")]
    return Ran(outcome, steps, printed.getvalue(), [str(p) for p in found if p.is_file()])


@pytest.mark.slow
def test_fine_tuning_learns(ran: Ran) -> None:
    """Two moods are told apart on words that were not in training."""
    np.testing.assert_array_equal(ran.outcome.predictions, labelled(WORDS[4:]).labels)


@pytest.mark.slow
def test_fine_tuning_passes_over_the_texts_as_often_as_asked(ran: Ran) -> None:
    """24 texts in batches of 8 are 3 steps, three times: 9 steps, each reported as it is done."""
    assert ran.outcome.details["steps"] == 9
    assert ran.steps == [(n, 9) for n in range(1, 10)]


@pytest.mark.slow
def test_fine_tuning_is_quiet(ran: Ran) -> None:
    """Neither a bar of its own nor the library's reports reach the terminal."""
    assert ran.printed == ""


@pytest.mark.slow
def test_fine_tuning_leaves_no_file(ran: Ran) -> None:
    """No checkpoint and no log is left, in the working folder or in the temporary one."""
    assert ran.left == []


@pytest.mark.slow
def test_a_run_takes_time(ran: Ran) -> None:
    """Training and prediction are timed."""
    assert ran.outcome.seconds > 0


def one_step(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the classifier's weights before and after one step on two texts."""
    settings = FinetuneSettings(epochs=1, batch_size=4, learning_rate=1e-3, warmup=0.0)
    with tempfile.TemporaryDirectory() as folder:
        trainer = (
            Finetune(load_encoder(EMBEDDED), settings)
            .fitting(labelled(WORDS[:1]).select([0, 3]), seed, Path(folder))
            .trainer
        )
        assert trainer.model is not None
        weight = trainer.model.get_parameter("classifier.weight")
        before = weight.detach().clone()
        torch.rand(seed + 3)  # what was drawn before decides nothing
        trainer.train()
    return before, weight.detach().clone()


def test_the_seed_decides_the_weights() -> None:
    """One seed gives the same initial and trained weights bit by bit, another one others."""
    first, again, other = one_step(0), one_step(0), one_step(1)

    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])
    assert not torch.equal(first[0], first[1])


@pytest.mark.parametrize(("weighed", "weights"), [("balanced", [2 / 3, 2.0]), ("none", [1, 1])])
def test_every_class_weighs_alike(
    tmp_path: Path, weighed: ClassWeights, weights: list[float]
) -> None:
    """Of 3 pleased texts of 4 each weighs 4 / (2 * 3) = 2/3, the annoyed one 2; or all 1."""
    texts = labelled(WORDS[:1]).select([0, 1, 2, 3])
    settings = FinetuneSettings(class_weights=weighed)
    fitting = Finetune(load_encoder(EMBEDDED), settings).fitting(texts, 0, tmp_path)

    found = [row["weights"] for row in fitting.train_tokens.rows]
    np.testing.assert_allclose(found, [*[weights[0]] * 3, weights[1]], rtol=1e-6)


def test_a_run_is_what_a_plain_trainer_does_on_the_same_batches(tmp_path: Path) -> None:
    """Sorted by length and passed in parts, batches give the weights that they give as they are.

    To 1e-6 after 10 steps; but for the biases of the keys, whose gradient is rounding alone.
    """
    encoder = load_encoder(str(save_tiny_encoder(tmp_path / "encoder")))
    pairs = [(text, y) for y, la in enumerate(LABELS) for text in made_up(la, "plain", 20)]
    texts, labels = zip(*pairs[::2], *pairs[1::2], strict=True)
    train = LabelledTexts(texts, labels, tuple(LABELS), tuple(map(str, range(40))))
    settings = FinetuneSettings(epochs=2, batch_size=8, learning_rate=0.01, order="sequential")
    fitting = Finetune(encoder, settings).fitting(train, 0, tmp_path / "ours")
    fitting.trainer.train()

    arguments = TrainingArguments(
        str(tmp_path / "plain"),
        num_train_epochs=2,
        per_device_train_batch_size=8,
        learning_rate=0.01,
        weight_decay=0.01,
        warmup_steps=0.1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        train_sampling_strategy="sequential",
        dataloader_pin_memory=False,
    )
    set_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(encoder.path)
    rows: Any = [{"input_ids": tokenizer(t)["input_ids"], "labels": y} for y, t in train.pairs()]
    trainer = Trainer(
        model=AutoModelForSequenceClassification.from_pretrained(encoder.path, num_labels=2),
        args=arguments,
        train_dataset=rows,
        data_collator=DataCollatorWithPadding(tokenizer),
    )
    trainer.train()

    assert fitting.trainer.model is not None and trainer.model is not None
    plain = dict(trainer.model.named_parameters())
    for name, values in fitting.trainer.model.named_parameters():
        if not name.endswith("key.bias"):
            torch.testing.assert_close(values, plain[name], atol=1e-6, rtol=0)


def test_the_model_names_its_labels(tmp_path: Path) -> None:
    """A model that is saved later says `pleased`, not `LABEL_0`."""
    fitting = Finetune(load_encoder(EMBEDDED)).fitting(labelled(WORDS[:1]), 0, tmp_path)

    config: Any = getattr(fitting.trainer.model, "config", None)
    assert config.id2label == {0: "pleased", 1: "annoyed"}


def test_settings_say_what_decides() -> None:
    """Every setting is in the settings that a run's key hashes."""
    encoder = load_encoder(EMBEDDED)

    assert Finetune(encoder, SETTINGS).settings == {
        "epochs": 3,
        "batch_size": 8,
        "learning_rate": 2e-4,
        "weight_decay": 0.01,
        "warmup": 0.1,
        "max_length": 256,
        "class_weights": "balanced",
        "precision": "fp32",
        "order": "random",
        "loss": "cross_entropy",
    }
    assert Finetune(encoder).settings != Finetune(encoder, SETTINGS).settings
    smoothed = Finetune(encoder, SETTINGS, loss=LabelSmoothing(0.2)).settings
    assert (smoothed["loss"], smoothed["label_smoothing"]) == ("label_smoothing", 0.2)


def test_texts_that_are_cut_are_counted(tmp_path: Path) -> None:
    """Of 24 texts those of more than 7 tokens; the outcome says how many."""
    settings = FinetuneSettings(epochs=1, batch_size=8, max_length=7)
    train = labelled(WORDS[:1])
    outcome = Finetune(load_encoder(EMBEDDED), settings).run(train, train.select([0]), 0)

    longer = sum(
        len(text.replace(".", " .").replace("!", " !").split()) > 5 for text in train.texts
    )
    assert outcome.details["cut_train"] == longer
    counted = Finetune(load_encoder(EMBEDDED), settings).cut(train.texts)
    assert (counted.n, counted.limit) == (longer, 7)
