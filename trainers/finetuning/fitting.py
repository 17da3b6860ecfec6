"""One training, whatever asks for it: model, weight of each text, `Trainer`, checkers."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from builders.data import LabelledTexts
from builders.errors import UserError
from trainers.base import Setting
from trainers.encoder_parts import check_vocabulary, check_weights, share_padding
from trainers.encoders import Encoder, loading
from trainers.finetuning.checkers import QualityCheckers
from trainers.finetuning.plan import Plan
from trainers.finetuning.refusal import refused
from trainers.finetuning.tokens import Tokens, limit_of, load_tokenizer, tokenise
from trainers.finetuning.writing import writing
from trainers.heads import class_weights
from trainers.losses import Fit
from trainers.saving import save_classifier

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerCallback

    from trainers.finetuning.weighted_trainer import WeightedTrainer

Floats = NDArray[np.float32]


class Fitting:
    """A training that is ready to start.

    Args:
        plan: How to train.
        train: The training texts.
        weights: How much each counts by where it is from (n,), on average 1; None for all alike.
        validation: Texts that training is watched on; None to train to the end.
        real: Real texts for the quality checker of a loss that needs one.
        callbacks: Told of every step.
        start: A folder of weights to start from instead of the encoder's.
        kept: Quality checkers of other runs in this process, one of which may be this run's too.

    Attributes:
        counted: What the loss counted: `checker_size`, real texts of its checker, and `left_out`,
            texts of weight 0.

    Raises:
        UserError: The encoder, the loss or the number of processes does not allow it.
    """

    def __init__(
        self,
        plan: Plan,
        train: LabelledTexts,
        *,
        weights: Floats | None = None,
        validation: LabelledTexts | None = None,
        real: LabelledTexts | None = None,
        callbacks: Sequence[TrainerCallback] = (),
        start: Path | None = None,
        kept: QualityCheckers | None = None,
    ) -> None:
        self.plan = plan
        self.tokenizer = load_tokenizer(plan.encoder)
        known = plan.loss.example_weights(train, checker(plan, real, kept), real)
        self.counted: dict[str, Setting] = {} if real is None else {"checker_size": len(real)}
        if left_out := int((known.weights == 0).sum()):
            self.counted["left_out"] = left_out
        counts = _multiplied(plan, train, known.weights, weights)
        columns = {"labels": train.labels, "weights": counts.tolist()}
        if known.quality is not None:
            columns["quality"] = known.quality.tolist()
        from transformers import set_seed

        set_seed(int(plan.arguments.get("seed", 42)))  # the classifier's weights are drawn here
        model = _load(plan.encoder, train.label_names, start)
        check_vocabulary(plan.encoder, model, self.tokenizer)
        share_padding(model, self.tokenizer)
        self.limit = limit_of(model, self.tokenizer, plan.settings.max_length)
        self.train_tokens = tokenise(self.tokenizer, train.texts, self.limit, columns)
        self.validation_tokens: Tokens | None = None
        if validation is not None:
            watched = {"labels": validation.labels}
            tokens = tokenise(self.tokenizer, validation.texts, self.limit, watched)
            self.validation_tokens = tokens.longest_first()[0]
        self.trainer = _trainer(
            plan, model, self.tokenizer, self.train_tokens, self.validation_tokens, callbacks
        )

    def tokenised(self, texts: Sequence[str]) -> Tokens:
        """Return texts as the model is given them."""
        return tokenise(self.tokenizer, texts, self.limit)

    def probabilities(self, tokens: Tokens) -> Floats:
        """Return the probabilities that the model gives to texts (n, labels)."""
        logits = self.trainer.logits(tokens)
        shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
        probabilities: Floats = shifted / shifted.sum(axis=-1, keepdims=True)
        return probabilities

    def train(self, checkpoint: Path | None = None) -> None:
        """Train to the end.

        Args:
            checkpoint: Where to go on; None for the start.

        Raises:
            UserError: The loss became no number, or a checkpoint cannot be written.
        """
        with writing(Path(self.plan.arguments["output_dir"])):
            self.trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)

    def save(self, folder: Path) -> None:
        """Write the model and its tokenizer to `folder`, from the first process; no pickles.

        To be called in all processes: where the weights are spread over them they are gathered.

        Raises:
            UserError: A weight is no number, or the disk is full.
        """
        import torch

        trainer = self.trainer
        model: Any = trainer.accelerator.unwrap_model(trainer.model)
        state = trainer.accelerator.get_state_dict(trainer.model) if trainer.is_fsdp_enabled else {}
        held = state.values() if state else model.parameters()
        if trainer.args.should_save:
            if not all(bool(torch.isfinite(each).all()) for each in held):
                raise UserError(
                    f"step {trainer.state.global_step}: a weight is no number after it, so no "
                    f"model is saved; lower learning_rate ({trainer.args.learning_rate})"
                )
            with writing(folder):
                save_classifier(model, self.plan.encoder, folder, self.limit, state or None)


def checker(
    plan: Plan, real: LabelledTexts | None = None, kept: QualityCheckers | None = None
) -> Fit:
    """Return how a loss trains its checkers, see `Plan.for_checker`.

    Args:
        plan: How the model is trained.
        real: The texts of the quality checker.
        kept: Where quality checkers are kept, for one process; None to train each anew.
    """

    def fit(train: LabelledTexts, texts: Sequence[str]) -> Floats:
        with tempfile.TemporaryDirectory() as scratch:
            own = replace(plan, arguments={**plan.arguments, "output_dir": scratch})
            own = own.for_checker(len(train) if train is real else None)
            place = kept.place(own, train) if kept is not None and train is real else None
            there = place is not None and place.is_dir()
            fitting = Fitting(own, train, start=place if there else None)
            if not there:
                fitting.train()
            if place is not None and not there:
                part = place.with_suffix(".part")
                fitting.save(part)
                part.rename(place)
            return fitting.probabilities(fitting.tokenised(texts))

    return fit


def _multiplied(
    plan: Plan, train: LabelledTexts, by_loss: Floats, by_source: Floats | None
) -> Floats:
    """Return how much each text counts: class, source and loss weights multiplied (n,)."""
    labels = np.asarray(train.labels, dtype=np.int64)
    total = by_loss.astype(np.float32)
    if by_source is not None:
        total = total * by_source
        if plan.loss.keeps_labels:
            before = np.bincount(labels, by_source, minlength=len(train.label_names))
            after = np.bincount(labels, total, minlength=len(train.label_names))
            kept = before / np.where(after > 0, after, 1)
            total = total * kept[labels].astype(np.float32)
    if plan.settings.class_weights == "balanced":
        total = total * class_weights(labels, len(train.label_names), by_source)[labels]
    return total


def _load(encoder: Encoder, label_names: tuple[str, ...], start: Path | None) -> PreTrainedModel:
    from transformers import AutoConfig, AutoModelForSequenceClassification

    with loading(encoder):
        config = AutoConfig.from_pretrained(encoder.path, trust_remote_code=False)
    made_as = config.architectures or []
    if start is None and any(name.endswith("ForSequenceClassification") for name in made_as):
        raise UserError(
            f"--encoder {encoder.name}: is a classifier already, and what it was trained on would "
            "count here too; name the encoder that it was made of, or save its AutoModel alone"
        )
    with loading(encoder):
        model, found = AutoModelForSequenceClassification.from_pretrained(
            start or encoder.path,
            num_labels=len(label_names),
            id2label=dict(enumerate(label_names)),
            label2id={name: i for i, name in enumerate(label_names)},
            # The encoder's own might have the pipeline take each label for itself.
            problem_type="single_label_classification",
            dtype="float32",
            ignore_mismatched_sizes=True,  # they are refused below, by their names
            output_loading_info=True,
            trust_remote_code=False,
        )
    check_weights(encoder, model, found)
    loaded: PreTrainedModel = model
    return loaded


def _trainer(
    plan: Plan,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    train: Tokens,
    validation: Tokens | None,
    callbacks: Sequence[TrainerCallback],
) -> WeightedTrainer:
    from transformers import DataCollatorWithPadding, PrinterCallback

    from trainers.finetuning.arguments import training_arguments
    from trainers.finetuning.batches import Batches
    from trainers.finetuning.scores import metrics
    from trainers.finetuning.weighted_trainer import WeightedTrainer

    own, arguments = plan.settings, training_arguments(plan.settings, plan.arguments)
    for name, n in (("training texts", len(train)), ("batch_size", own.batch_size)):
        if n < arguments.world_size:
            raise UserError(
                f"{name}: {n} is less than the {arguments.world_size} processes, and each needs a "
                "text a step; start fewer"
            )
    if arguments.activation_checkpointing and not model.supports_gradient_checkpointing:
        raise UserError(
            f"activation_checkpointing: a {model.config.model_type} does not have it; leave it out"
        )
    with refused("TrainingArguments"):
        trainer = WeightedTrainer(
            loss=plan.loss,
            batches=Batches(
                train.lengths,
                own.batch_size,
                arguments.seed,
                own.order,
                arguments.process_index,
                arguments.world_size,
            ),
            model=model,
            args=arguments,
            train_dataset=train,
            eval_dataset=validation,
            data_collator=DataCollatorWithPadding(tokenizer),
            compute_metrics=metrics,
            callbacks=list(callbacks),
        )
    trainer.remove_callback(PrinterCallback)  # it would print a dictionary on standard output
    if trainer.is_fsdp_enabled:
        kept = trainer.accelerator.state.fsdp_plugin.state_dict_type
        if arguments.load_best_model_at_end and "SHARDED" in str(kept):
            raise UserError(
                "fsdp_state_dict_type SHARDED_STATE_DICT: the best model cannot be read back from "
                "it; say FULL_STATE_DICT, or validation: none"
            )
        # Accelerate 1.15 spreads the table of word pieces by itself, and fails where what holds it
        # is spread already.
        whole: Any = model
        whole._no_split_modules = [
            name for name in whole._no_split_modules or () if not name.endswith("Embeddings")
        ]
    return trainer
