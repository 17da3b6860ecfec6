"""`Finetune`: fine-tuning as a trainer of a study, on texts at hand."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.data import LabelledTexts
from builders.errors import UserError
from trainers.base import ClassifierTrainer, Cut, Outcome, Setting
from trainers.encoders import Encoder
from trainers.finetuning.checkers import QualityCheckers
from trainers.finetuning.fitting import Fitting
from trainers.finetuning.plan import QUALITY_STEPS, Plan
from trainers.finetuning.settings import FinetuneSettings
from trainers.finetuning.tokens import Tokens, encoder_limit, load_tokenizer, tokenise
from trainers.finetuning.watching import every_so_many, steps_reported
from trainers.losses import CHECKER_PER_LABEL, CrossEntropy, Loss
from trainers.losses.base import real_for_checker


def _tell_nobody(done: int, of: int) -> None:
    """Take the steps done and the steps in all."""


class Finetune(ClassifierTrainer):
    """Fine-tunes every weight of the encoder, by the Hugging Face `Trainer`.

    It may be sent to another process, where it tells nobody of its steps.

    Args:
        encoder: The pretrained encoder.
        settings: How it is trained.
        progress: Called after each step with the steps done and the steps in all.
        loss: What is minimised; None for cross-entropy.
        real: Real training texts, of which each run's seed draws those for the quality checker;
            None for a loss that needs none.
        checker_per_label: Real texts of each label for the quality checker; all of a label that has
            fewer.
        curve_steps: Steps between two points of `Outcome.curve`; None for no curve.
        pass_size: Texts that go through the model at once at most; None for all of a batch. The
            sums of a step are the same, but each pass draws its own dropout.
        checkers: Quality checkers that are trained already; None for those of its own runs.

    Raises:
        UserError: The loss needs real texts and there are none of a label.
    """

    name = "finetune"

    def __init__(
        self,
        encoder: Encoder,
        settings: FinetuneSettings | None = None,
        progress: Callable[[int, int], object] = _tell_nobody,
        loss: Loss | None = None,
        real: LabelledTexts | None = None,
        checker_per_label: int = CHECKER_PER_LABEL,
        curve_steps: int | None = None,
        pass_size: int | None = None,
        checkers: QualityCheckers | None = None,
    ) -> None:
        self.encoder = encoder
        self.progress = progress
        self.finetune_settings = settings or FinetuneSettings()
        self.loss = loss or CrossEntropy()
        self.real = real
        self.checker_per_label = checker_per_label
        self.curve_steps = curve_steps
        self.pass_size = pass_size
        self.checkers = checkers or QualityCheckers()
        self.settings: dict[str, Setting] = {
            **asdict(self.finetune_settings),
            **self.loss.settings,
        }
        if pass_size is not None:
            self.settings["pass_size"] = pass_size
        if self.loss.needs_real:  # what would fail in the first run fails before any work
            self.settings |= {
                "checker_per_label": checker_per_label,
                "checker_pool": real_for_checker(real, self.loss.name).content_hash,
                "quality_steps": QUALITY_STEPS,
            }

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "progress": _tell_nobody}

    def cut(self, texts: Sequence[str]) -> Cut:
        """Count the texts that are cut at `max_length`, or where the encoder takes fewer tokens."""
        limit = encoder_limit(self.encoder, self.finetune_settings.max_length)
        return Cut(tokenise(load_tokenizer(self.encoder), texts, limit).cut, limit)

    def run(self, train: LabelledTexts, test: LabelledTexts, seed: int) -> Outcome:
        """Fine-tune on `train` and predict `test`.

        Raises:
            UserError: The encoder cannot be fine-tuned, or the loss became no number.
        """
        with tempfile.TemporaryDirectory() as scratch:
            return self._run(train, test, seed, Path(scratch))[1]

    def run_and_save(
        self, train: LabelledTexts, test: LabelledTexts, seed: int, folder: Path
    ) -> Outcome:
        """Do what `run` does, and write the classifier to `folder` as `transformers` loads it.

        Args:
            train: Training texts.
            test: Test texts, possibly none.
            seed: Draws the order and the initial weights.
            folder: A new or empty folder.

        Raises:
            UserError: As of `run`.
        """
        with tempfile.TemporaryDirectory() as scratch:
            fitting, outcome = self._run(train, test, seed, Path(scratch))
            fitting.save(folder)
        return outcome

    def fitting(self, train: LabelledTexts, seed: int, folder: Path) -> Fitting:
        """Return a training that is ready to start; `folder` is for what it leaves on the way."""
        arguments: dict[str, Any] = {
            "output_dir": str(folder),
            "seed": seed,
            "save_strategy": "no",
            "report_to": "none",
            "disable_tqdm": True,
            "logging_strategy": "no",
        }
        if self.pass_size is not None:
            arguments["per_device_train_batch_size"] = self.pass_size
        plan = Plan(self.encoder, self.finetune_settings, arguments, self.loss)
        real = None
        if self.loss.needs_real:
            pool = real_for_checker(self.real, self.loss.name)
            real = pool.sample_per_label(self.checker_per_label, seed)
        callbacks = [steps_reported(self.progress)]
        return Fitting(plan, train, real=real, callbacks=callbacks, kept=self.checkers)

    def _run(
        self, train: LabelledTexts, test: LabelledTexts, seed: int, scratch: Path
    ) -> tuple[Fitting, Outcome]:
        start = time.perf_counter()
        fitting = self.fitting(train, seed, scratch)
        tokens = fitting.tokenised(test.texts)
        curve = self._watched(fitting, tokens)
        fitting.train()
        probabilities = np.zeros((0, len(train.label_names)), dtype=np.float32)
        if len(test):
            probabilities = fitting.probabilities(tokens)
        if not np.isfinite(probabilities).all():
            raise UserError(
                f"step {fitting.trainer.state.global_step}: the model gives no numbers after it; "
                f"lower learning_rate ({self.finetune_settings.learning_rate})"
            )
        details: dict[str, Setting] = {
            "steps": int(fitting.trainer.state.global_step),
            "cut_train": fitting.train_tokens.cut,
            "cut_test": tokens.cut,
            **fitting.counted,
        }
        predictions = probabilities.argmax(-1).astype(np.int64)
        if self.curve_steps is not None:
            curve[int(fitting.trainer.state.global_step)] = predictions
        seconds = time.perf_counter() - start
        return fitting, Outcome(predictions, seconds, details, probabilities, curve)

    def _watched(self, fitting: Fitting, test: Tokens) -> dict[int, NDArray[np.int64]]:
        """Return what fills, while it trains, with its predictions by the steps done."""
        curve: dict[int, NDArray[np.int64]] = {}

        def look(step: int) -> None:
            curve[step] = fitting.trainer.logits(test).argmax(-1).astype(np.int64)

        if self.curve_steps is not None and len(test):
            fitting.trainer.add_callback(every_so_many(self.curve_steps, look))
        return curve
