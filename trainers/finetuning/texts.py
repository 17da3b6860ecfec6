"""The texts of a run: what is trained on and how much each counts, and what training is watched on.

Test texts are no part of them: `test_texts` reads them when the training is over. At the start real
data is loaded too, to refuse what is wrong with it before hours of work, and so that no training
text is a copy of a test text, real or synthetic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from builders.data import LabelledTexts
from builders.errors import NotAtHand, UserError
from builders.facts import BuildRecord
from builders.real import RealData, load_real
from builders.real.splitting import without
from builders.tasks.base import Task
from trainers.finetuning.corpora import load_corpus
from trainers.finetuning.held_out import hold_out, real_held_out
from trainers.finetuning.recipe import Recipe
from trainers.finetuning.sources import REAL, SYNTHETIC, Part, parse_train, parse_validation

Floats = NDArray[np.float32]
Said = Callable[[str], object]


@dataclass(frozen=True)
class RunTexts:
    """What a run is trained on and watched on.

    Attributes:
        arm: A strategy, `real_full` for all real texts, `real` for some, or two with a `+`.
        train: Training texts.
        weights: How much each counts by where it is from (n,), on average 1.
        validation: Texts that training is watched on, or None.
        checker: Real texts for the quality checker of a loss, or None.
        corpus: What building the corpus gave, where synthetic texts are trained on.
        corpus_source: `OWNER/NAME@COMMIT` of a corpus from the Hub; empty otherwise.
        real_source: Where real training texts came from; empty where there are none.
    """

    arm: str
    train: LabelledTexts
    weights: Floats
    validation: LabelledTexts | None
    checker: LabelledTexts | None
    corpus: BuildRecord | None
    corpus_source: str
    real_source: str


def gather_texts(
    task: Task, recipe: Recipe, seed: int, said: Said, *, checker: bool = False
) -> RunTexts:
    """Load what a recipe names.

    Args:
        task: The task.
        recipe: Where the texts are.
        seed: Draws the texts where fewer are asked for than there are.
        said: Called with each line that a person should read.
        checker: Whether the loss needs real texts for its quality checker.

    Raises:
        UserError: A source is not at hand, its labels are not the task's, or a label has no text.
    """
    parts = parse_train(recipe.train)
    validation = parse_validation(recipe.validation)
    sources = {part.source for part in parts}
    watched_on_real = validation is not None and not validation.share
    needed = REAL in sources or watched_on_real or checker
    real = _real(task, recipe, said, needed=needed)
    at_hand: dict[str, LabelledTexts] = {REAL: real.train} if real else {}
    corpus = None
    if SYNTHETIC in sources:
        corpus = load_corpus(task, recipe.corpus, recipe.config, recipe.revision)
        own = corpus.texts
        at_hand[SYNTHETIC] = own if real is None else _without_copies(own, real.test, said)
    record = corpus.record if corpus else None
    drawn = [_drawn(part, at_hand[part.source], seed, said) for part in parts]
    train, weights = _mixed(parts, drawn)
    watched = None
    if validation is not None and validation.share:
        watched, kept = hold_out(train, validation.share, said)
        train, weights = train.select(kept), weights[kept]
    elif validation is not None and real is not None:
        watched = real_held_out(real, train, validation.per_label, seed)
        _say_fewer("--validation real", watched, validation.per_label or 0, said)
    refuse_gaps(train, "training")
    return RunTexts(
        arm="+".join(_arm(part, record) for part in parts),
        train=train,
        weights=(weights / weights.mean()).astype(np.float32),
        validation=watched,
        checker=_checker_texts(at_hand[REAL], watched, recipe.checker_per_label, seed, said)
        if checker
        else None,
        corpus=record,
        corpus_source=corpus.source if corpus else "",
        real_source=real.source if real and REAL in sources else "",
    )


def test_texts(task: Task, recipe: Recipe) -> tuple[str, LabelledTexts] | None:
    """Return where real test texts came from, and them; None where none are at hand."""
    try:
        real = load_real(task, recipe.real)
    except NotAtHand:
        return None
    return real.source, real.test


def refuse_gaps(texts: LabelledTexts, what: str) -> None:
    """Refuse texts of which a label has none.

    Raises:
        UserError: A label has none.
    """
    counts = texts.counts()
    empty = [label for label, n in counts.items() if not n]
    if len(empty) == len(counts) - 1 and len(texts):
        only = next(label for label, n in counts.items() if n)
        raise UserError(
            f"all {len(texts)} {what} texts have the label {only!r}, so there is nothing to tell "
            "apart; every label of the task needs some"
        )
    if empty:
        raise UserError(
            f"no {what} text has the label {empty[0]!r}; every label of the task needs some"
        )


def _real(task: Task, recipe: Recipe, said: Said, *, needed: bool) -> RealData | None:
    """Return the real data, None where there are none and none are needed."""
    try:
        real = load_real(task, recipe.real)
    except NotAtHand as error:
        if needed:
            raise
        said(f"{task.name}: will not be scored: {error}")
        return None
    if needed and not len(real.train):
        raise UserError(f"{real.source}: has test texts alone; training ones are needed too")
    return real


def _arm(part: Part, record: BuildRecord | None) -> str:
    if part.source == SYNTHETIC and record is not None:
        return record.strategy
    return "real_full" if part.per_label is None else "real"


def _without_copies(corpus: LabelledTexts, test: LabelledTexts, said: Said) -> LabelledTexts:
    """Leave out the synthetic texts that repeat a real test text, as a build does.

    The corpus may have been built where no real texts were at hand.
    """
    from builders.filters.copies import CopyIndex

    known = CopyIndex(test.texts, contained=True)
    kept = [i for i, text in enumerate(corpus.texts) if known.copy_of(text) is None]
    if len(kept) == len(corpus):
        return corpus
    said(f"synthetic: {len(corpus) - len(kept)} texts left out: copies of real test texts")
    return corpus.select(kept)


def _checker_texts(
    real: LabelledTexts, watched: LabelledTexts | None, per_label: int, seed: int, said: Said
) -> LabelledTexts:
    """Return real texts for the quality checker, none of which training is watched on."""
    left = real if watched is None else without(real, watched)
    if not all(left.counts().values()) and all(real.counts().values()):
        raise UserError(
            "validation: training is watched on every real text of a label, and none is left for "
            "the checker of the loss; say validation: real:20-per-label"
        )
    return _drawn(Part(REAL, per_label), left, seed, said)


def _drawn(part: Part, texts: LabelledTexts, seed: int, said: Said) -> LabelledTexts:
    if part.per_label is None:
        return texts
    _say_fewer(part.source, texts, part.per_label, said)
    return texts.sample_per_label(part.per_label, seed)


def _say_fewer(what: str, texts: LabelledTexts, per_label: int, said: Said) -> None:
    for label, n in texts.counts().items():
        if n < per_label:
            said(f"{what}: {n} texts of {label!r}, not the {per_label} asked for")


def _mixed(
    parts: Sequence[Part], drawn: Sequence[LabelledTexts]
) -> tuple[LabelledTexts, NDArray[np.float64]]:
    """Return the texts of all parts, each part's after the other's, and their weights."""
    texts = LabelledTexts(
        texts=tuple(text for each in drawn for text in each.texts),
        labels=tuple(label for each in drawn for label in each.labels),
        label_names=drawn[0].label_names,
        ids=tuple(
            f"{part.source}/{name}"
            for part, each in zip(parts, drawn, strict=True)
            for name in each.ids
        ),
    )
    weights = [part.weight for part, each in zip(parts, drawn, strict=True) for _ in each.ids]
    return texts, np.asarray(weights, dtype=np.float64)  # their mean may be far from 1
