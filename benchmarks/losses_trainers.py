"""The trainers that losses are compared with, and how long their cells take here."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
from losses_corpora import Corpus
from losses_methods import METHODS, Asked
from numpy.typing import NDArray

from builders.data import LabelledTexts
from builders.real.splitting import stratified
from trainers.base import ClassifierTrainer
from trainers.encoders import EMBEDDED, Encoder, load_encoder
from trainers.finetuning.plan import QUALITY_STEPS
from trainers.losses import CrossEntropy, Loss

Todo = Sequence[tuple[Corpus, str]]
"""Corpora and methods."""


class Trainers(Protocol):
    """Makes trainers of one kind, on the embedded encoder.

    Attributes:
        encoder: The encoder.
    """

    encoder: Encoder

    def make(self, loss: Loss, real: LabelledTexts, asked: Asked) -> ClassifierTrainer:
        """Return a trainer whose checkers learn from some of the real texts."""

    def seconds(self, todo: Todo, asked: Asked) -> float:
        """Estimate how long cells take, from how long some work of theirs takes now."""


class ProbeTrainers:
    """Heads on the frozen encoder."""

    def __init__(self) -> None:
        from trainers.embeddings import Embeddings

        self.encoder = load_encoder(EMBEDDED)
        self.embeddings = Embeddings(self.encoder)

    def make(self, loss: Loss, real: LabelledTexts, asked: Asked) -> ClassifierTrainer:
        """Return a probe."""
        from trainers.probe import Probe

        return Probe(
            self.encoder, self.embeddings, loss=loss, real=real, checker_per_label=asked.per_label
        )

    def seconds(self, todo: Todo, asked: Asked) -> float:
        """Count new texts and steps of heads."""
        corpora = {corpus.name: corpus for corpus, _ in todo}.values()
        every = sorted({text for corpus in corpora for text in _texts(corpus, asked)})
        new = self.embeddings.missing(every)
        steps = sum(
            _head_steps(n)
            for corpus, method in todo
            for n, _, _ in trainings(corpus, method, asked) * len(asked.seeds)
        )
        return new * self._a_text(every) + steps * _a_head_step()

    def _a_text(self, texts: list[str]) -> float:
        before, start = self.embeddings.encoded, time.perf_counter()
        self.embeddings.of(texts[:256])
        encoded = self.embeddings.encoded - before
        return (time.perf_counter() - start) / encoded if encoded else 0.0


class FinetuneTrainers:
    """Every weight of the encoder."""

    def __init__(self) -> None:
        from trainers.finetuning.checkers import QualityCheckers

        self.encoder = load_encoder(EMBEDDED)
        self.checkers = QualityCheckers()

    def make(self, loss: Loss, real: LabelledTexts, asked: Asked) -> ClassifierTrainer:
        """Return a trainer that fine-tunes."""
        from trainers.finetune import Finetune, FinetuneSettings

        assert asked.epochs is not None
        settings = replace(FinetuneSettings(), epochs=asked.epochs, precision=asked.precision)
        return Finetune(
            self.encoder,
            settings,
            loss=loss,
            real=real,
            checker_per_label=asked.per_label,
            checkers=self.checkers,
        )

    def seconds(self, todo: Todo, asked: Asked) -> float:
        """Count texts: of those trained on as often as they are, of those judged a third."""
        from trainers.finetune import FinetuneSettings

        assert asked.epochs is not None
        self._a_text(todo[0][0], asked)  # the first run reads the encoder and its libraries
        corpora = {corpus.name: corpus for corpus, _ in todo}
        by_corpus = {name: self._a_text(corpus, asked) for name, corpus in corpora.items()}
        passed = 0.0
        for corpus, method in todo:
            for n, judged, least in trainings(corpus, method, asked) * len(asked.seeds):
                trained = max(n * asked.epochs, least * FinetuneSettings().batch_size)
                passed += (trained + judged / 3) * by_corpus[corpus.name]
        return passed

    def _a_text(self, corpus: Corpus, asked: Asked) -> float:
        """Return the seconds of a training text in one epoch."""
        some = stratified(corpus.texts, _TIMED)
        trainer = self.make(CrossEntropy(), corpus.real.train, replace(asked, epochs=1))
        return trainer.run(some, some.select(()), 0).seconds / len(some)


_TIMED = 64

TRAINERS: dict[str, Callable[[], Trainers]] = {"probe": ProbeTrainers, "finetune": FinetuneTrainers}


def trainings(corpus: Corpus, method: str, asked: Asked) -> list[tuple[int, int, int]]:
    """Return how many texts are learned from and judged in each training of a run.

    The checkers' trainings come first; the third number is of the steps that fine-tuning takes at
    least.
    """
    train, real = asked.train(corpus, method, 0), asked.real(corpus, 0)
    n_labels = len(train.label_names)
    found: list[tuple[int, int, int]] = []

    def counting(train: LabelledTexts, texts: Sequence[str]) -> NDArray[np.float32]:
        found.append((len(train), len(texts), QUALITY_STEPS if train is real else 0))
        # Any that differ will do: the weights that come of them are not looked at.
        drawn = np.random.default_rng(0).dirichlet(np.ones(n_labels), len(texts))
        return drawn.astype(np.float32)

    METHODS[method].loss().example_weights(train, counting, real)
    return [*found, (len(train), len(asked.test(corpus)), 0)]


def _texts(corpus: Corpus, asked: Asked) -> Iterator[str]:
    """Yield every text that the corpus's cells need."""
    yield from corpus.texts.texts
    yield from asked.test(corpus).texts
    for seed in asked.seeds:
        yield from asked.real(corpus, seed).texts


def _head_steps(n: int) -> int:
    from trainers.heads import HeadSettings

    settings = HeadSettings()
    per_epoch = -(-n // settings.batch_size)
    return per_epoch * max(settings.epochs, -(-settings.min_steps // per_epoch))


def _a_head_step() -> float:
    """Return the seconds of a step of one head."""
    from trainers.head_training import Lesson, train_heads
    from trainers.heads import HIDDEN, HeadSettings, build_head

    vectors = np.random.default_rng(0).normal(size=(640, 384)).astype(np.float32)
    labels = np.arange(640) % 2
    lesson, head = (
        Lesson(vectors, labels, 0, np.ones(640, "f4")),
        build_head(384, HIDDEN, 2, 0.1, 0),
    )
    start = time.perf_counter()
    steps = train_heads([head], [lesson], CrossEntropy(), HeadSettings())
    return (time.perf_counter() - start) / steps
