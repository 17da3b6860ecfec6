"""The probe: a frozen encoder with the paper's head on top; a whole study in minutes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from builders.data import LabelledTexts
from builders.errors import UserError
from trainers.base import ClassifierTrainer, Cut, Job, Outcome, Setting
from trainers.embeddings import Embeddings, Pooling
from trainers.encoder_parts import check_weights
from trainers.encoders import Encoder, loading
from trainers.head_curves import HeadCurves, classes
from trainers.head_training import Lesson, train_heads
from trainers.heads import HIDDEN, HeadSettings, build_head, class_probabilities
from trainers.losses import CHECKER_PER_LABEL, CrossEntropy, Loss
from trainers.losses.base import real_for_checker
from trainers.pooler import pooler_weights
from trainers.saving import save_classifier

if TYPE_CHECKING:
    import torch
    from transformers import BertForSequenceClassification

Trained = tuple["torch.nn.Sequential", dict[str, Setting]]
"""A head, ready to predict, and what its training was like: steps, and what the loss counted."""


class Probe(ClassifierTrainer):
    """Trains only a head: one hidden layer, then the output layer.

    Args:
        encoder: The frozen encoder.
        embeddings: Where its vectors come from; its pooling decides the head. `mean`: a hidden
            layer of 768 units. `first`: BERT's own pooler, starting from the encoder's weights,
            so that encoder and head are exactly a `BertForSequenceClassification`.
        settings: How the head is trained.
        loss: What is minimised, every class weighing the same; None for cross-entropy. Its checkers
            are heads on the same vectors.
        real: Real training texts, of which each run's seed draws those for the quality checker;
            None for a loss that needs none.
        checker_per_label: Real texts of each label for the quality checker; all of a label that has
            fewer.
        curve_steps: Steps between two points of `Outcome.curve`; None for no curve. It changes no
            result, and so is no part of `settings`.

    Raises:
        UserError: The pooling is `first` and the encoder has no BERT pooler to start from, or the
            loss needs real texts and there are none of a label.
    """

    name = "probe"
    side_by_side = True

    def __init__(
        self,
        encoder: Encoder,
        embeddings: Embeddings,
        settings: HeadSettings | None = None,
        loss: Loss | None = None,
        real: LabelledTexts | None = None,
        checker_per_label: int = CHECKER_PER_LABEL,
        curve_steps: int | None = None,
    ) -> None:
        self.encoder = encoder
        self.embeddings = embeddings
        self.head_settings = settings or HeadSettings()
        self.loss = loss or CrossEntropy()
        self.real = real
        self.checker_per_label = checker_per_label
        self.curve_steps = curve_steps
        self.settings: dict[str, Setting] = {
            "pooling": embeddings.pooling,
            "hidden": HIDDEN if embeddings.pooling == "mean" else "pooler",
            **asdict(self.head_settings),
            **self.loss.settings,
        }
        # What would fail in the first run fails before any work.
        if embeddings.pooling == "first":
            pooler_weights(encoder)
        if self.loss.needs_real:
            pool = real_for_checker(real, self.loss.name)
            self.settings |= {
                "checker_per_label": checker_per_label,
                "checker_pool": pool.content_hash,
            }

    @property
    def pooling(self) -> Pooling:
        """How a text's token vectors become one."""
        return self.embeddings.pooling

    def prepare(self, texts: list[str]) -> None:
        """Embed `texts`; every text once, whatever the number of runs."""
        self.embeddings.of(texts)

    def cut(self, texts: Sequence[str]) -> Cut:
        """Count the texts that are cut before they are embedded."""
        return self.embeddings.cut(texts)

    def run(self, train: LabelledTexts, test: LabelledTexts, seed: int) -> Outcome:
        """Train a head on the vectors of `train` and predict `test`."""
        return self.run_many([Job(train, seed)], test)[0]

    def run_many(self, jobs: Sequence[Job], test: LabelledTexts) -> list[Outcome]:
        """Do each job as `run` does; heads with equally many texts are trained side by side."""
        return [outcome for _, outcome in self._run_many(jobs, test)]

    def judge(
        self, train: LabelledTexts, texts: Sequence[str], *, seed: int
    ) -> NDArray[np.float32]:
        """Return the probabilities (n, labels) that a head trained on `train` gives to `texts`.

        With a seed it is the `Fit` of a loss.

        Args:
            train: What the head is trained on, by cross-entropy.
            texts: What it judges (n).
            seed: Draws order, dropout and initial weights.
        """
        ((head, _),) = self._train([Job(train, seed)], CrossEntropy())
        return class_probabilities(head, self.embeddings.of(texts))

    def checker_texts(self, seed: int) -> LabelledTexts:
        """Return the real texts of the quality checker in a run with that seed.

        Raises:
            UserError: There are none of a label.
        """
        real = real_for_checker(self.real, self.loss.name)
        return real.sample_per_label(self.checker_per_label, seed)

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
        ((head, outcome),) = self._run_many([Job(train, seed)], test)
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

    def fit(self, train: LabelledTexts, seed: int) -> Trained:
        """Return a head trained on `train`, and what its training was like."""
        return self._train([Job(train, seed)], self.loss)[0]

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
            loaded: Any = BertForSequenceClassification.from_pretrained(
                self.encoder.path,
                num_labels=len(label_names),
                id2label=dict(enumerate(label_names)),
                label2id={name: i for i, name in enumerate(label_names)},
                problem_type="single_label_classification",
                dtype="float32",
                output_loading_info=True,
                trust_remote_code=False,
            )
        model: BertForSequenceClassification = loaded[0]
        check_weights(self.encoder, model, loaded[1])
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
        with loading(self.encoder):
            config = AutoConfig.from_pretrained(self.encoder.path, trust_remote_code=False)
        if config.model_type != "bert":
            raise UserError(
                f"{self.encoder.name}: is of type {config.model_type}, not bert; a probe on it "
                "cannot be published; use --trainer finetune"
            )

    def _run_many(
        self, jobs: Sequence[Job], test: LabelledTexts
    ) -> list[tuple[torch.nn.Sequential, Outcome]]:
        needed = [*test.texts, *(text for job in jobs for text in job.train.texts)]
        if self.loss.needs_real:
            needed += [text for job in jobs for text in self.checker_texts(job.seed).texts]
        self.prepare(needed)
        start = time.perf_counter()
        vectors = self.embeddings.of(test.texts)
        curves = HeadCurves(self.curve_steps, vectors)
        trained = self._train(jobs, self.loss, curves)
        found = [class_probabilities(head, vectors) for head, _ in trained]
        seconds = (time.perf_counter() - start) / max(1, len(jobs))
        outcomes = []
        for place, ((head, details), each) in enumerate(zip(trained, found, strict=True)):
            curves.add(place, int(details["steps"]), classes(each))
            curve = curves.points.get(place, {})
            outcomes.append((head, Outcome(classes(each), seconds, details, each, curve)))
        return outcomes

    def _train(
        self, jobs: Sequence[Job], loss: Loss, curves: HeadCurves | None = None
    ) -> list[Trained]:
        """Train a head for each job, those with equally many texts and labels side by side."""
        curves = curves or HeadCurves(None, np.zeros((0, 0), dtype=np.float32))
        lessons = [self._lesson(job, loss) for job in jobs]
        heads = [
            self._new_head(lesson.vectors.shape[1], len(job.train.label_names), job.seed)
            for job, (lesson, _) in zip(jobs, lessons, strict=True)
        ]
        alike: dict[tuple[int, int], list[int]] = {}
        for i, job in enumerate(jobs):
            alike.setdefault((len(job.train), len(job.train.label_names)), []).append(i)
        steps: dict[int, int] = {}
        for own in alike.values():
            taken = train_heads(
                [heads[i] for i in own],
                [lessons[i][0] for i in own],
                loss,
                self.head_settings,
                curves.every,
                partial(curves.look, own, heads),
            )
            steps |= dict.fromkeys(own, taken)
        return [
            (head, {"steps": steps[i], **counted})
            for i, (head, (_, counted)) in enumerate(zip(heads, lessons, strict=True))
        ]

    def _lesson(self, job: Job, loss: Loss) -> tuple[Lesson, dict[str, Setting]]:
        """Return what a head learns from, and what the loss counted: texts left out, real ones."""
        real = self.checker_texts(job.seed) if loss.needs_real else None
        known = loss.example_weights(job.train, partial(self.judge, seed=job.seed), real)
        lesson = Lesson(
            vectors=self.embeddings.of(job.train.texts),
            labels=np.asarray(job.train.labels, dtype=np.int64),
            seed=job.seed,
            weights=known.weights,
            quality=known.quality,
        )
        counted: dict[str, Setting] = {} if real is None else {"checker_size": len(real)}
        if left_out := int((known.weights == 0).sum()):
            counted["left_out"] = left_out
        return lesson, counted

    def _new_head(self, dimension: int, n_labels: int, seed: int) -> torch.nn.Sequential:
        hidden = HIDDEN if self.pooling == "mean" else dimension
        head = build_head(dimension, hidden, n_labels, self.head_settings.dropout, seed)
        if self.pooling == "first":
            head[0].load_state_dict(pooler_weights(self.encoder))
        return head
