"""A training as it goes: watched on validation texts, stopped early, gone on with after a kill."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.data import LabelledTexts
from builders.errors import UserError
from trainers.finetuning.checkpoints import Resume
from trainers.finetuning.fitting import Fitting
from trainers.finetuning.plan import Plan
from trainers.finetuning.recipe import Recipe
from trainers.finetuning.refusal import refused
from trainers.finetuning.scores import scores
from trainers.finetuning.texts import RunTexts
from trainers.finetuning.tokens import Tokens
from trainers.finetuning.watching import CURVE, every_so_many

Said = Callable[[str], object]
Test = Callable[[], tuple[str, LabelledTexts] | None]


class WatchedRun:
    """One training of a run.

    Args:
        plan: How to train.
        texts: On what.
        recipe: What else is asked for.
        test: Reads the real test texts; called before the end only for a learning curve.
    """

    def __init__(self, plan: Plan, texts: RunTexts, recipe: Recipe, test: Test) -> None:
        self.plan = plan
        self.texts = texts
        self.recipe = recipe
        self.test = test
        self.cut: dict[str, int] = {}
        self.fitting: Fitting

    def train(self, resume: Resume | None, said: Said) -> None:
        """Train to the end, from the start or from where a run was killed.

        Raises:
            UserError: The loss became no number.
        """
        from transformers import EarlyStoppingCallback, TrainerState

        patience, every = self.recipe.patience, self.recipe.curve_steps
        self.fitting = Fitting(
            self.plan,
            self.texts.train,
            weights=self.texts.weights,
            validation=self.texts.validation,
            real=self.texts.checker,
            callbacks=[] if patience is None else [EarlyStoppingCallback(patience)],
            start=resume.done if resume else None,
        )
        self._count("training", self.fitting.train_tokens, said)
        if self.fitting.validation_tokens is not None:
            self._count("validation", self.fitting.validation_tokens, said)
        trainer = self.fitting.trainer
        if every is not None:
            score = self._test_score()
            # In the log, a point survives a kill with the checkpoint.
            trainer.add_callback(every_so_many(every, lambda step: trainer.log({CURVE: score()})))
        if resume is not None:
            said(f"goes on from step {resume.step}")
        if resume is not None and resume.done is not None:
            state = resume.checkpoint / "trainer_state.json"
            trainer.state = TrainerState.load_from_json(str(state))
        else:
            # What this raises on purpose, or of an encoder that it cannot look into.
            looked = refused("debug underflow_overflow", NotImplementedError)
            with looked if trainer.args.debug else nullcontext():
                self.fitting.train(resume.checkpoint if resume else None)

    @property
    def log(self) -> list[dict[str, Any]]:
        """What was logged on the way."""
        return list(self.fitting.trainer.state.log_history)

    @property
    def steps(self) -> int:
        """Steps that were done."""
        return int(self.fitting.trainer.state.global_step)

    @property
    def best_step(self) -> int:
        """The step whose model is kept."""
        best = self.fitting.trainer.state.best_model_checkpoint
        return self.steps if best is None else int(Path(best).name.rpartition("-")[2])

    @property
    def validation(self) -> dict[str, float] | None:
        """Scores on the validation texts of the model that is kept."""
        for each in self.log:
            if each["step"] == self.best_step and "eval_macro_f1" in each:
                return {name: each[f"eval_{name}"] for name in ("macro_f1", "accuracy", "loss")}
        return None

    @property
    def curve(self) -> list[dict[str, float]]:
        """The learning curve: macro-F1 on the real test texts after so many steps."""
        return [{"step": e["step"], "macro_f1": e[CURVE]} for e in self.log if CURVE in e]

    def predictions(self, texts: LabelledTexts, said: Said) -> NDArray[np.int64]:
        """Return the label indices that the trained model gives to test texts (n,)."""
        tokens = self.fitting.tokenised(texts.texts)
        self._count("test", tokens, said)
        found: NDArray[np.int64] = self.fitting.trainer.logits(tokens).argmax(axis=-1)
        return found

    def _count(self, what: str, tokens: Tokens, said: Said) -> None:
        self.cut[what] = tokens.cut
        if tokens.cut:
            said(f"{tokens.cut} of {len(tokens)} {what} texts are cut at {tokens.limit} tokens")

    def _test_score(self) -> Callable[[], float]:
        test = self.test()
        if test is None:
            raise UserError(
                f"curve_steps {self.recipe.curve_steps}: there are no real test texts at hand; "
                "give --real PATH, or leave it out"
            )
        tokens, labels = self.fitting.tokenised(test[1].texts), np.asarray(test[1].labels)
        return lambda: scores(self.fitting.trainer.logits(tokens), labels)["macro_f1"]
