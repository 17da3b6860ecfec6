"""What each loss makes of synthetic corpora, by macro-F1 on real test texts.

    python benchmarks/losses.py --cells runs/losses/probe.jsonl [--seeds 5] [--only imdb ...]

Needs `$UNDERSTUDY_DATA`: real texts and other people's corpora. Recorded corpora ship. Each loss is
held against cross-entropy on the same corpus, and against the plain use of the real texts that a
checker needs: adding them to the training texts. Real texts are drawn by the seed of a run, so that
every method of a seed has the same.

The estimated time is printed first. A cell is a corpus and a method, all seeds; it is a line of
the file `--cells` as soon as it is done, and what stands there is not done again. The tables, in
Markdown, come last; `--tables` prints those of the file and runs nothing.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from losses_cells import Cell, read_cells
from losses_corpora import Corpus, corpus_names, load_corpus
from losses_tables import tables
from numpy.typing import NDArray

from builders.data import LabelledTexts
from builders.real.splitting import stratified
from trainers.base import ClassifierTrainer, Job
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

Said = Callable[[str], object]


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

Maker = Callable[[Loss, LabelledTexts, int], ClassifierTrainer]
"""From a loss, the real training texts, and how many of a label a checker has, to a trainer."""


@dataclass(frozen=True)
class Asked:
    """What decides the cells beside corpus and method.

    Attributes:
        trainer: Name of the trainer.
        seeds: The seeds.
        per_label: Real texts of each label.
        max_test: Test texts at most; None for all.
    """

    trainer: str
    seeds: tuple[int, ...]
    per_label: int
    max_test: int | None

    def key(self, corpus: str, method: str) -> str:
        """Return what a cell of the file has to be the one that is asked for."""
        settings = METHODS[method].loss().settings
        decides = {"corpus": corpus, "method": method, **asdict(self), **settings}
        return json.dumps(decides, sort_keys=True)

    def test(self, corpus: Corpus) -> LabelledTexts:
        """Return the real test texts."""
        every = corpus.real.test
        return every if self.max_test is None else stratified(every, self.max_test)

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


def run_cell(corpus: Corpus, method: str, make: Maker, asked: Asked) -> Cell:
    """Train with every seed and predict the real test texts."""
    own, test, start = METHODS[method], asked.test(corpus), time.perf_counter()
    trainer = make(own.loss(), corpus.real.train, asked.per_label)
    jobs = [Job(own.train(corpus.texts, asked.real(corpus, seed)), seed) for seed in asked.seeds]
    outcomes = trainer.run_many(jobs, test)
    return Cell(
        key=asked.key(corpus.name, method),
        group=corpus.group,
        corpus=corpus.name,
        task=corpus.task,
        method=method,
        n_labels=len(test.label_names),
        n_train=len(jobs[0].train),
        left_out=float(np.mean([int(o.details.get("left_out", 0)) for o in outcomes])),
        references=np.asarray(test.labels, dtype=np.int64),
        predictions=np.stack([outcome.predictions for outcome in outcomes]),
        dropped=dict(corpus.dropped),
        seconds=round(time.perf_counter() - start, 1),
    )


# The probe


class ProbeTrainers:
    """Makes probes on the embedded encoder, and says how long they take here."""

    def __init__(self) -> None:
        from trainers.embeddings import Embeddings
        from trainers.encoders import EMBEDDED, load_encoder

        self.encoder = load_encoder(EMBEDDED)
        self.embeddings = Embeddings(self.encoder)

    def make(self, loss: Loss, real: LabelledTexts, per_label: int) -> ClassifierTrainer:
        """Return a probe."""
        from trainers.probe import Probe

        return Probe(
            self.encoder, self.embeddings, loss=loss, real=real, checker_per_label=per_label
        )

    def seconds(self, todo: Sequence[tuple[Corpus, str]], asked: Asked) -> float:
        """Estimate how long cells take: from their steps and texts, and how long some take now."""
        corpora = {corpus.name: corpus for corpus, _ in todo}.values()
        every = sorted({text for corpus in corpora for text in _texts(corpus, asked)})
        new = self.embeddings.missing(every)
        steps = sum(_head_steps(corpus, method, asked) for corpus, method in todo)
        return new * self._a_text(every) + steps * _a_step()

    def _a_text(self, texts: list[str]) -> float:
        before, start = self.embeddings.encoded, time.perf_counter()
        self.embeddings.of(texts[:256])
        encoded = self.embeddings.encoded - before
        return (time.perf_counter() - start) / encoded if encoded else 0.0


def _texts(corpus: Corpus, asked: Asked) -> Iterator[str]:
    """Yield every text that the corpus's cells need."""
    yield from corpus.texts.texts
    yield from asked.test(corpus).texts
    for seed in asked.seeds:
        yield from asked.real(corpus, seed).texts


def _steps(n: int) -> int:
    from trainers.heads import HeadSettings

    settings = HeadSettings()
    per_epoch = -(-n // settings.batch_size)
    return per_epoch * max(settings.epochs, -(-settings.min_steps // per_epoch))


def _head_steps(corpus: Corpus, method: str, asked: Asked) -> int:
    """Count the steps of a cell's heads, those of checkers included."""
    own, n_labels = METHODS[method], len(corpus.texts.label_names)
    real = asked.real(corpus, 0)
    texts_of_all = own.train(corpus.texts, real)
    steps = _steps(len(texts_of_all))

    def counting(train: LabelledTexts, texts: Sequence[str]) -> NDArray[np.float32]:
        nonlocal steps
        steps += _steps(len(train))
        # Any that differ will do: the weights that come of them are not looked at.
        drawn = np.random.default_rng(0).dirichlet(np.ones(n_labels), len(texts))
        return drawn.astype(np.float32)

    own.loss().example_weights(texts_of_all, counting, real)
    return steps * len(asked.seeds)


def _a_step() -> float:
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


TRAINERS = {"probe": ProbeTrainers}


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the options above."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cells", type=Path, required=True, help="the file of finished cells")
    parser.add_argument("--trainer", choices=TRAINERS, default="probe")
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--checker-per-label", type=int, default=50, help="real texts of a label")
    parser.add_argument("--max-test", type=int, help="test texts at most (stratified)")
    parser.add_argument("--only", nargs="+", default=[""], help="corpora with this in their names")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--tables", action="store_true", help="print the tables, run nothing")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what is missing, then print the tables."""
    options = make_parser().parse_args(arguments)
    data = Path(os.environ.get("UNDERSTUDY_DATA") or sys.exit("set UNDERSTUDY_DATA"))
    asked = Asked(
        options.trainer, tuple(range(options.seeds)), options.checker_per_label, options.max_test
    )
    names = [
        (group, name)
        for group, name in corpus_names(data)
        if any(part in name for part in options.only)
    ]
    wanted = [asked.key(name, method) for _, name in names for method in options.methods]
    if not options.tables:
        fill(options.cells, names, options.methods, asked, data)
    done = read_cells(options.cells)
    print(tables([done[key] for key in wanted if key in done], list(METHODS)))


def fill(
    path: Path,
    names: Sequence[tuple[str, str]],
    methods: Sequence[str],
    asked: Asked,
    data: Path,
    said: Said = lambda line: print(line, file=sys.stderr, flush=True),
) -> None:
    """Do the cells that the file does not have, and add each to it as it is done."""
    done: Mapping[str, Cell] = read_cells(path)
    missing = {
        (group, name): [m for m in methods if asked.key(name, m) not in done]
        for group, name in names
    }
    corpora = {name: load_corpus(group, name, data) for (group, name), ms in missing.items() if ms}
    todo = [(corpora[name], method) for (_, name), ms in missing.items() for method in ms]
    if not todo:
        return
    trainers = TRAINERS[asked.trainer]()
    said(f"{len(todo)} cells, about {trainers.seconds(todo, asked) / 60:.0f} minutes")
    path.parent.mkdir(parents=True, exist_ok=True)
    for i, (corpus, method) in enumerate(todo, 1):
        cell = run_cell(corpus, method, trainers.make, asked)
        with path.open("a", encoding="utf-8") as file:
            file.write(cell.as_json() + "\n")
        said(f"{i}/{len(todo)} {corpus.name}: {method}: {cell.seconds:.0f} s")


if __name__ == "__main__":
    main()
