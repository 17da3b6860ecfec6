"""The `Trainer` of fine-tuning: weighs each text, and passes a batch in parts of similar length.

Imported inside functions only, as it subclasses a class of transformers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader
from transformers import Trainer
from transformers.integrations.integration_utils import get_reporting_integration_callbacks
from transformers.trainer_utils import SchedulerType
from transformers.training_args import OptimizerNames

from builders.errors import UserError
from trainers.finetuning.batches import Batches, equal_passes, passes
from trainers.finetuning.refusal import refused
from trainers.finetuning.tokens import Tokens
from trainers.losses import CrossEntropy, Loss

OF_A_TEXT = ("labels", "weights", "quality")
"""What a row holds beside what the model takes."""


class WeightedTrainer(Trainer):
    """Minimises, in each step, the sum of weight * loss over its texts, divided by their number.

    Args:
        loss: The loss of a text.
        batches: The texts of each step that this process takes.
        given: What a `Trainer` takes.
    """

    def __init__(self, *, loss: Loss, batches: Batches, **given: Any) -> None:
        super().__init__(**given)
        self.loss = loss
        self.batches = batches
        # Lets the base class count the texts of a step over all processes.
        self.compute_loss_func = self.compute_loss

    def get_train_dataloader(self) -> DataLoader[Any]:
        """Return this process's batches; they are shared out already."""
        texts: Any = self.train_dataset
        return _EpochLoader(
            texts,
            batch_sampler=self.batches,
            collate_fn=self.data_collator,
            num_workers=self.args.dataloader_num_workers,
            pin_memory=self.args.dataloader_pin_memory,
            # Its own, so that making a loader draws nothing from the generator of the dropout.
            generator=torch.Generator(),
        )

    def create_optimizer(self, *given: Any, **named: Any) -> torch.optim.Optimizer:
        """Return the optimiser.

        Raises:
            UserError: It does not take what was given for it.
        """
        with refused(f"optim {OptimizerNames(self.args.optim).value}"):
            made: torch.optim.Optimizer = super().create_optimizer(*given, **named)
        return made

    def create_scheduler(self, *given: Any, **named: Any) -> Any:
        """Return the schedule of the learning rate.

        Raises:
            UserError: It does not take what was given for it.
        """
        with refused(f"lr_scheduler_type {SchedulerType(self.args.lr_scheduler_type).value}"):
            return super().create_scheduler(*given, **named)

    def training_step(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Add up the gradient of a batch; return its loss, over all processes.

        Raises:
            UserError: The loss is no number.
        """
        model.train()
        lengths = inputs["attention_mask"].sum(dim=1).tolist()
        parts = self._passes(lengths, num_items_in_batch)
        own = torch.zeros((), device=self.args.device)
        for part in parts:
            longest = lengths[part.start]
            taken = {
                name: values[part] if values.dim() == 1 else values[part, :longest]
                for name, values in inputs.items()
            }
            # Processes add up their gradients once a step.
            shared = part is parts[-1]
            with nullcontext() if shared else self.accelerator.no_sync(model=model):
                taken = self._prepare_inputs(taken)
                loss = self.compute_loss(model, taken, num_items_in_batch=num_items_in_batch)
                self.accelerator.backward(loss)
            own += loss.detach()
        total: torch.Tensor = self.accelerator.reduce(own, reduction="mean")
        if not torch.isfinite(total):
            raise UserError(
                f"step {self.state.global_step + 1}: the loss is {float(total)}, so training was "
                f"stopped and no model is saved; lower learning_rate ({self.args.learning_rate}) "
                "or set precision to fp32"
            )
        return total

    def _passes(self, lengths: list[int], total: torch.Tensor | int | None) -> list[slice]:
        most = self.args.per_device_train_batch_size
        if self.is_fsdp_enabled or self.is_deepspeed_enabled:
            n = len(lengths) if total is None else int(total)
            return equal_passes(len(lengths), n, self.args.world_size, most)
        return passes(lengths, most, self.args.device.type)

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Return the sum of weight * loss of the texts of a pass over the texts of the step."""
        own = {name: inputs.pop(name) for name in OF_A_TEXT if name in inputs}
        outputs = model(**inputs)
        labels = own["labels"]
        logits = outputs["logits"].float()
        if "weights" in own:
            losses = self.loss.per_text(logits, labels, own.get("quality")) * own["weights"]
        else:  # validation texts: no checker has judged them
            losses = CrossEntropy().per_text(logits, labels, None)
        n = len(labels) if num_items_in_batch is None else num_items_in_batch
        # Gradients of processes are averaged, and these are to be added up.
        loss = losses.sum() / n * self.accelerator.num_processes
        return (loss, outputs) if return_outputs else loss

    def logits(self, tokens: Tokens) -> NDArray[np.float32]:
        """Return the logits of texts (n, labels), in their order; in all processes.

        Args:
            tokens: The texts; labels and the like in their rows are left alone.
        """
        ordered, order = tokens.longest_first()
        bare: Any = [{"input_ids": row["input_ids"]} for row in ordered.rows]
        # A loader draws a number from the generator of the dropout: a look changes no training.
        with torch.random.fork_rng(devices=[]), self._unreported():
            found = np.asarray(self.predict(bare).predictions, dtype=np.float32)
        logits = np.empty_like(found)
        logits[order] = found
        return logits

    @contextmanager
    def _unreported(self) -> Iterator[None]:
        """Keep from reports how long a look took; of one after training, trackio makes a run."""
        handler: Any = self.callback_handler
        told = handler.callbacks
        reporters = tuple(get_reporting_integration_callbacks(self.args.report_to))
        handler.callbacks = [each for each in told if not isinstance(each, reporters)]
        try:
            yield
        finally:
            handler.callbacks = told


class _EpochLoader(DataLoader[Any]):
    """Tells its batches which epoch it is, as `Trainer` tells it."""

    def set_epoch(self, epoch: int) -> None:
        """Take the order of another epoch."""
        batches: Any = self.batch_sampler
        batches.set_epoch(epoch)
