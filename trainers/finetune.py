"""Fine-tuning: every weight of the encoder, by the Hugging Face `Trainer`.

    python -m understudy study --trainer finetune --tasks sms_spam --out runs/finetune

On the device that Accelerate finds: a GPU where there is one.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from builders.data import LabelledTexts
from trainers.base import ClassifierTrainer, Outcome, Setting
from trainers.encoders import Encoder, loading
from trainers.heads import class_weights
from trainers.saving import save_classifier

if TYPE_CHECKING:
    from transformers import Trainer, TrainerCallback


@dataclass(frozen=True)
class FinetuneSettings:
    """How an encoder is fine-tuned.

    Attributes:
        epochs: Passes over the training texts.
        batch_size: Texts a step and device.
        learning_rate: Of AdamW; it falls linearly to 0 after the warm-up.
        weight_decay: Of AdamW.
        warmup: Share of the steps over which the learning rate rises.
        max_length: Tokens of a text at most; longer ones are cut.
    """

    epochs: int = 5
    batch_size: int = 32
    learning_rate: float = 1e-4
    weight_decay: float = 0.01
    warmup: float = 0.1
    max_length: int = 256


class Finetune(ClassifierTrainer):
    """Fine-tunes the whole encoder with the class-balanced cross-entropy.

    Args:
        encoder: The pretrained encoder.
        settings: How it is trained.
        progress: Called after each step with the steps done and the steps in all.
    """

    name = "finetune"

    def __init__(
        self,
        encoder: Encoder,
        settings: FinetuneSettings | None = None,
        progress: Callable[[int, int], object] = lambda done, of: None,
    ) -> None:
        self.encoder = encoder
        self.progress = progress
        self.finetune_settings = settings or FinetuneSettings()
        self.settings: dict[str, Setting] = dict(asdict(self.finetune_settings))

    def run(self, train: LabelledTexts, test: LabelledTexts, seed: int) -> Outcome:
        """Fine-tune on `train` and predict `test`."""
        return self._run(train, test, seed)[1]

    def run_and_save(
        self, train: LabelledTexts, test: LabelledTexts, seed: int, folder: Path
    ) -> Outcome:
        """Do what `run` does, and write the classifier to `folder` as `transformers` loads it.

        Args:
            train: Training texts.
            test: Test texts, possibly none.
            seed: Draws the order and the initial weights.
            folder: A new or empty folder.
        """
        trainer, outcome = self._run(train, test, seed)
        self.save_model(trainer, folder)
        return outcome

    def save_model(self, trainer: Trainer, folder: Path) -> None:
        """Write the model of a `Trainer` and its tokenizer to `folder`, no pickles."""
        model: Any = trainer.model
        save_classifier(model, self.encoder, folder, self.finetune_settings.max_length)

    def trainer(self, train: LabelledTexts, seed: int, folder: str) -> Trainer:
        """Return a `Trainer` over `train`, ready to train; checkpoints would go to `folder`."""
        import torch
        from transformers import (
            AutoModelForSequenceClassification,
            DataCollatorWithPadding,
            PrinterCallback,
            Trainer,
            TrainingArguments,
            set_seed,
        )

        own = self.finetune_settings
        set_seed(seed)  # the classifier's initial weights are drawn here
        names = train.label_names
        with loading(self.encoder):
            model = AutoModelForSequenceClassification.from_pretrained(
                self.encoder.path,
                num_labels=len(names),
                id2label=dict(enumerate(names)),
                label2id={name: i for i, name in enumerate(names)},
            )
        weights = torch.from_numpy(class_weights(np.asarray(train.labels), len(names)))

        def balanced_loss(outputs: Any, labels: torch.Tensor, **_: Any) -> torch.Tensor:
            logits = outputs["logits"]
            return torch.nn.functional.cross_entropy(logits, labels, weights.to(logits.device))

        arguments = TrainingArguments(
            folder,
            num_train_epochs=own.epochs,
            per_device_train_batch_size=own.batch_size,
            per_device_eval_batch_size=128,
            learning_rate=own.learning_rate,
            weight_decay=own.weight_decay,
            warmup_steps=own.warmup,
            seed=seed,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            logging_strategy="no",
            dataloader_pin_memory=torch.cuda.is_available(),
        )
        trainer = Trainer(
            model=model,
            args=arguments,
            train_dataset=self._tokenised(train),
            data_collator=DataCollatorWithPadding(self._tokenizer()),
            compute_loss_func=balanced_loss,
            callbacks=[_step_callback(self.progress)],
        )
        trainer.remove_callback(PrinterCallback)  # it would print a dictionary on standard output
        return trainer

    def _run(self, train: LabelledTexts, test: LabelledTexts, seed: int) -> tuple[Trainer, Outcome]:
        start = time.perf_counter()
        predictions = np.zeros(0, dtype=np.int64)
        with tempfile.TemporaryDirectory() as scratch:
            trainer = self.trainer(train, seed, scratch)
            trainer.train()
            if len(test):
                logits = trainer.predict(self._tokenised(test)).predictions
                predictions = np.asarray(logits).argmax(-1).astype(np.int64)
        steps = int(trainer.state.global_step)
        return trainer, Outcome(predictions, time.perf_counter() - start, {"steps": steps})

    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        with loading(self.encoder):
            return AutoTokenizer.from_pretrained(self.encoder.path)

    def _tokenised(self, texts: LabelledTexts) -> Any:
        """Return a `datasets.Dataset` of token ids and labels, in the order of `texts`."""
        from datasets import Dataset

        encoded = self._tokenizer()(
            list(texts.texts), truncation=True, max_length=self.finetune_settings.max_length
        )
        return Dataset.from_dict({**encoded, "label": list(texts.labels)})


def _step_callback(progress: Callable[[int, int], object]) -> TrainerCallback:
    from transformers import TrainerCallback

    class Steps(TrainerCallback):
        """Hands the number of steps on."""

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            """Report one step more."""
            progress(int(state.global_step), int(state.max_steps))

    return Steps()
