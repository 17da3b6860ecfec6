"""The probe: a frozen encoder with the paper's head on top; a whole study in minutes."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from builders.data import LabelledTexts
from builders.errors import UserError
from trainers.base import ClassifierTrainer, Outcome, Setting
from trainers.embeddings import Embeddings, Pooling
from trainers.encoders import Encoder, loading
from trainers.heads import HIDDEN, HeadSettings, build_head, predict, train_head
from trainers.saving import save_classifier

if TYPE_CHECKING:
    import torch
    from transformers import BertForSequenceClassification


class Probe(ClassifierTrainer):
    """Trains only a head: one hidden layer, then the output layer.

    Args:
        encoder: The frozen encoder.
        embeddings: Where its vectors come from; its pooling decides the head. `mean`: a hidden
            layer of 768 units. `first`: BERT's own pooler, starting from the encoder's weights,
            so that encoder and head are exactly a `BertForSequenceClassification`.
        settings: How the head is trained.

    Raises:
        UserError: The pooling is `first` and the encoder has no BERT pooler to start from.
    """

    name = "probe"

    def __init__(
        self, encoder: Encoder, embeddings: Embeddings, settings: HeadSettings | None = None
    ) -> None:
        self.encoder = encoder
        self.embeddings = embeddings
        self.head_settings = settings or HeadSettings()
        self.settings: dict[str, Setting] = {
            "pooling": embeddings.pooling,
            "hidden": HIDDEN if embeddings.pooling == "mean" else "pooler",
            **asdict(self.head_settings),
        }
        if embeddings.pooling == "first":
            _pooler_weights(encoder)  # what would fail in the first run fails before any work

    @property
    def pooling(self) -> Pooling:
        """How a text's token vectors become one."""
        return self.embeddings.pooling

    def prepare(self, texts: list[str]) -> None:
        """Embed `texts`; every text once, whatever the number of runs."""
        self.embeddings.of(texts)

    def run(self, train: LabelledTexts, test: LabelledTexts, seed: int) -> Outcome:
        """Train a head on the vectors of `train` and predict `test`."""
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

        Raises:
            UserError: The pooling is `mean`, or the encoder is not a BERT; said before any work.
        """
        self.check_savable()
        head, outcome = self._run(train, test, seed)
        self.save_model(head, train.label_names, folder)
        return outcome

    def save_model(
        self, head: torch.nn.Sequential, label_names: tuple[str, ...], folder: Path
    ) -> None:
        """Write encoder and head to `folder` as one `BertForSequenceClassification`, no pickles.

        Raises:
            UserError: The pooling is `mean`, or the encoder is not a BERT.
        """
        save_classifier(self.as_sequence_classifier(head, label_names), self.encoder, folder)

    def fit(self, train: LabelledTexts, seed: int) -> tuple[torch.nn.Sequential, int]:
        """Return a trained head and its optimiser steps."""
        vectors = self.embeddings.of(train.texts)
        head = self._new_head(vectors.shape[1], len(train.label_names), seed)
        labels = np.asarray(train.labels, dtype=np.int64)
        return head, train_head(head, vectors, labels, self.head_settings, seed)

    def as_sequence_classifier(
        self, head: torch.nn.Sequential, label_names: tuple[str, ...]
    ) -> BertForSequenceClassification:
        """Return encoder and head as the model that a `pipeline` loads; logits are the same.

        Raises:
            UserError: The pooling is `mean`, or the encoder is not a BERT.
        """
        import torch
        from transformers import BertForSequenceClassification

        self.check_savable()
        with loading(self.encoder):
            model = BertForSequenceClassification.from_pretrained(
                self.encoder.path,
                num_labels=len(label_names),
                id2label=dict(enumerate(label_names)),
                label2id={name: i for i, name in enumerate(label_names)},
            )
        pooler = model.bert.pooler
        assert pooler is not None
        with torch.no_grad():
            pooler.dense.load_state_dict(head[0].state_dict())
            model.classifier.load_state_dict(head[3].state_dict())
        model.eval()
        return model

    def check_savable(self) -> None:
        """Refuse a probe that is no model of `transformers`.

        Raises:
            UserError: The pooling is `mean`, or the encoder is not a BERT.
        """
        from transformers import AutoConfig

        if self.pooling != "first":
            raise UserError(
                "a probe with mean pooling is no model that transformers knows: train it with "
                "pooling=first to publish it"
            )
        config = AutoConfig.from_pretrained(self.encoder.path)
        if config.model_type != "bert":
            raise UserError(
                f"{self.encoder.name}: is of type {config.model_type}, not bert; a probe on it "
                "cannot be published; use --trainer finetune"
            )

    def _run(
        self, train: LabelledTexts, test: LabelledTexts, seed: int
    ) -> tuple[torch.nn.Sequential, Outcome]:
        self.prepare([*train.texts, *test.texts])
        start = time.perf_counter()
        head, steps = self.fit(train, seed)
        predictions = np.zeros(0, dtype=np.int64)
        if len(test):
            predictions = predict(head, self.embeddings.of(test.texts))
        return head, Outcome(predictions, time.perf_counter() - start, {"steps": steps})

    def _new_head(self, dimension: int, n_labels: int, seed: int) -> torch.nn.Sequential:
        import torch

        hidden = HIDDEN if self.pooling == "mean" else dimension
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            head = build_head(dimension, hidden, n_labels, self.head_settings.dropout)
        if self.pooling == "first":
            head[0].load_state_dict(_pooler_weights(self.encoder))
        return head


def _pooler_weights(encoder: Encoder) -> dict[str, torch.Tensor]:
    """Read the BERT pooler of `encoder`, the only layer of it that the head starts from."""
    from safetensors import safe_open

    path = encoder.path / "model.safetensors"
    if not path.is_file():
        raise UserError(
            f"--pooling first: needs a model.safetensors in {encoder.path}; use --pooling mean"
        )
    with safe_open(path, framework="pt") as weights:
        names = [name for name in weights.keys() if "pooler" in name]  # noqa: SIM118 - no dict
        found = {name.split("pooler.dense.")[-1]: name for name in names}
        if set(found) != {"weight", "bias"}:
            raise UserError(
                f"--pooling first: {encoder.name} has no BERT pooler; use --pooling mean"
            )
        return {part: weights.get_tensor(name) for part, name in found.items()}
