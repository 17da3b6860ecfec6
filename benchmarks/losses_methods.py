"""What is done with a corpus and a few real texts, and what else is asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from losses_corpora import Corpus

from builders.data import LabelledTexts
from builders.real.splitting import stratified
from trainers.finetuning.settings import Precision
from trainers.losses import (
    Confident,
    CrossEntropy,
    DynamicImportance,
    ExampleWeights,
    Fit,
    Importance,
    LabelSmoothing,
    Loss,
)
from trainers.losses.base import real_for_checker
from trainers.losses.confident import out_of_fold
from trainers.losses.importance import bounded_ratio, of_own_label


class OutOfFold(Importance):
    """IMP whose diversity checker has not seen the text that it judges."""

    def example_weights(
        self, train: LabelledTexts, fit: Fit, real: LabelledTexts | None
    ) -> ExampleWeights:
        """Weigh each training text by P'/Q, 1 on average, Q out of fold."""
        quality = of_own_label(fit(real_for_checker(real, self.name), train.texts), train)
        weights = bounded_ratio(quality, of_own_label(out_of_fold(train, fit), train))
        return ExampleWeights(weights / weights.mean())


@dataclass(frozen=True)
class Method:
    """What is done with a corpus and a few real texts.

    Attributes:
        loss: Makes the loss.
        synthetic: Whether the corpus is trained on.
        real: Whether the real texts are trained on.
    """

    loss: Callable[[], Loss]
    synthetic: bool = True
    real: bool = False

    def train(self, corpus: LabelledTexts, real: LabelledTexts) -> LabelledTexts:
        """Return the training texts."""
        return joined([*[corpus] * self.synthetic, *[real] * self.real])


METHODS = {
    "cross_entropy": Method(CrossEntropy),
    "label_smoothing": Method(LabelSmoothing),
    "confident": Method(Confident),
    "imp": Method(Importance),
    "dimp": Method(DynamicImportance),
    "cross_entropy + real": Method(CrossEntropy, real=True),
    "imp + real": Method(Importance, real=True),
    "dimp + real": Method(DynamicImportance, real=True),
    "real alone": Method(CrossEntropy, synthetic=False, real=True),
    "imp, Q out of fold": Method(OutOfFold),
}


@dataclass(frozen=True)
class Asked:
    """What is asked for beside corpora and methods.

    Attributes:
        trainer: Name of the trainer.
        seeds: The seeds.
        per_label: Real texts of each label.
        max_test: Test texts at most; None for all.
        epochs: Of fine-tuning; None for the probe, which has its own.
        most_per_label: Texts of each label of a corpus at most, drawn by the seed; None for all.
        precision: Of fine-tuning.
    """

    trainer: str
    seeds: tuple[int, ...]
    per_label: int
    max_test: int | None
    epochs: float | None = None
    most_per_label: int | None = None
    precision: Precision = "fp32"

    def test(self, corpus: Corpus) -> LabelledTexts:
        """Return the real test texts."""
        every = corpus.real.test
        return every if self.max_test is None else stratified(every, self.max_test)

    def train(self, corpus: Corpus, method: str, seed: int) -> LabelledTexts:
        """Return the training texts of a run."""
        texts, most = corpus.texts, self.most_per_label
        if most is not None:
            texts = texts.sample_per_label(most, seed)
        return METHODS[method].train(texts, self.real(corpus, seed))

    def real(self, corpus: Corpus, seed: int) -> LabelledTexts:
        """Return the real training texts that a run with that seed may use."""
        return corpus.real.train.sample_per_label(self.per_label, seed)


def joined(parts: Sequence[LabelledTexts]) -> LabelledTexts:
    """Return the texts of all parts, which have the same labels."""
    return LabelledTexts(
        tuple(text for part in parts for text in part.texts),
        tuple(label for part in parts for label in part.labels),
        parts[0].label_names,
        tuple(f"{i}/{name}" for i, part in enumerate(parts) for name in part.ids),
    )
