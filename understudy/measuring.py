"""Diversity, wording and closeness to real text of a task's arms, each figure computed once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from builders.data import LabelledTexts
from evaluation.arms import REAL_FULL, Kind, parse_arm
from evaluation.records import MeasureRecord
from trainers.embeddings import Embeddings, Vectors
from understudy.materials import Materials
from understudy.planning import hashed

Values = dict[str, float]


@dataclass(frozen=True)
class PlannedFigures:
    """Figures of one arm that are computed together.

    Attributes:
        keys: Measure -> hash over texts, encoder and measure (hex).
        task: Task name.
        arm: Whose texts are measured.
        kind: Which figures: `diversity`, `wording`, `closeness`, `coverage` or `words`.
        texts: The arm's texts.
        others: The texts that they are compared with: real test texts, or those of the other arms.
    """

    keys: dict[str, str]
    task: str
    arm: str
    kind: str
    texts: LabelledTexts
    others: tuple[LabelledTexts, ...] = ()


@dataclass(frozen=True)
class _Kind:
    """Figures that are computed together.

    Attributes:
        measures: Their names.
        least: Texts of an arm below which they are not defined.
        compute: From the arm's texts, the others and the embeddings to the values.
    """

    measures: tuple[str, ...]
    least: int
    compute: Callable[[LabelledTexts, Sequence[LabelledTexts], Embeddings], Values]


def plan_figures(materials: Materials, embeddings: Embeddings) -> list[PlannedFigures]:
    """Return the figures of one task: of every arm at equal size, so without `real_full`.

    An arm of too few texts for a measure has no figure of it, nor one of too short texts, or texts
    without words, of a measure that counts n-grams or words.

    Args:
        materials: The task's data.
        embeddings: Unit vectors (mean pooling), as the paper's similarity analysis takes them.
    """
    arms = {
        arm: materials.train(arm, seed=0)
        for arm in materials.arms
        if parse_arm(arm).kind is Kind.MAIN and arm != REAL_FULL and arm not in materials.absent
    }
    planned: list[PlannedFigures] = []
    for arm, texts in arms.items():
        for name, kind in _KINDS.items():
            measured, others = _compared(name, texts, tuple(arms.values()), materials.test)
            if len(measured) < kind.least or (name in _AGAINST_REAL and not others):
                continue
            decides = {
                "task": materials.task.name,
                "arm": arm,
                "texts": measured.content_hash,
                "others": [each.content_hash for each in others],
                "encoder": embeddings.encoder.fingerprint,
                "pooling": embeddings.pooling,
            }
            keys = {
                measure: hashed({"measure": measure, **decides})
                for measure in kind.measures
                if _is_defined(measure, measured, others)
            }
            planned.append(PlannedFigures(keys, materials.task.name, arm, name, measured, others))
    return planned


def compute_figures(planned: PlannedFigures, embeddings: Embeddings) -> list[MeasureRecord]:
    """Compute the planned figures of one arm and kind."""
    values = _KINDS[planned.kind].compute(planned.texts, planned.others, embeddings)
    return [
        MeasureRecord(
            key=key,
            task=planned.task,
            arm=planned.arm,
            measure=measure,
            value=values[measure],
            n=len(planned.texts),
            n_real=len(planned.others[0]) if planned.kind in _AGAINST_REAL else 0,
            encoder=embeddings.encoder.name if planned.kind not in _OF_WORDS else "",
        )
        for measure, key in planned.keys.items()
    ]


_AGAINST_REAL = ("closeness", "coverage", "words")
_OF_WORDS = ("wording", "words")
_ORDERS = {"distinct_1": 1, "distinct_2": 2, "distinct_3": 3}


def _compared(
    kind: str,
    texts: LabelledTexts,
    arms: tuple[LabelledTexts, ...],
    test: LabelledTexts | None,
) -> tuple[LabelledTexts, tuple[LabelledTexts, ...]]:
    """Return the texts that are measured, and those they are compared with: none if not at hand."""
    if kind == "wording":
        return texts, arms  # all are given at the number of n-grams of the smallest
    if kind not in _AGAINST_REAL or test is None:
        return texts, ()
    if kind == "closeness":
        return texts, (test,)
    # As many of each label on both sides: neither number nor mix of labels makes a difference.
    return texts.sample_per_label(test.counts(), 0), (test.sample_per_label(texts.counts(), 0),)


def _is_defined(measure: str, texts: LabelledTexts, others: Sequence[LabelledTexts]) -> bool:
    """Say whether the texts have what the measure counts: n-grams, or words on both sides."""
    from evaluation.texts.words import words

    if measure in _ORDERS:
        return _has_ngrams(texts, _ORDERS[measure])
    if measure in ("vocabulary", "vocabulary_same_source"):
        return all(any(map(words, each.texts)) for each in (texts, *others))
    return True


def _has_ngrams(texts: LabelledTexts, order: int) -> bool:
    from evaluation.texts.words import tokens

    return any(len(tokens(text)) >= order for text in texts.texts)


def _diversity(
    texts: LabelledTexts, others: Sequence[LabelledTexts], embeddings: Embeddings
) -> Values:
    from evaluation.embedding_space.diversity import chamfer, remote_clique
    from evaluation.embedding_space.vendi import vendi_score

    del others
    vectors = embeddings.of(texts.texts)
    return {
        "remote_clique": remote_clique(vectors),
        "chamfer": chamfer(vectors),
        "vendi": vendi_score(vectors),
    }


def _wording(
    texts: LabelledTexts, others: Sequence[LabelledTexts], embeddings: Embeddings
) -> Values:
    from evaluation.texts.distinct_n import distinct_n_alike
    from evaluation.texts.self_bleu import self_bleu

    del embeddings
    found: Values = {"self_bleu": self_bleu(texts.texts).value}
    for measure, order in _ORDERS.items():
        compared = [each for each in others if _has_ngrams(each, order)]
        hashes = [each.content_hash for each in compared]
        if texts.content_hash in hashes:
            alike = distinct_n_alike([each.texts for each in compared], order)
            found[measure] = alike[hashes.index(texts.content_hash)].value
    return found


def _closeness(
    texts: LabelledTexts, others: Sequence[LabelledTexts], embeddings: Embeddings
) -> Values:
    from evaluation.embedding_space.similarity import mean_top5_cosine

    real, own = _vectors(others[0], texts, embeddings)
    return {"top5_cosine": mean_top5_cosine(real, own)}


def _coverage(
    texts: LabelledTexts, others: Sequence[LabelledTexts], embeddings: Embeddings
) -> Values:
    from evaluation.embedding_space.coverage import coverage
    from evaluation.embedding_space.frontier import divergence_frontier

    real, own = _vectors(others[0], texts, embeddings)
    found = coverage(real, own)
    return {
        "precision": found.precision,
        "recall": found.recall,
        "density": found.density,
        "coverage": found.coverage,
        "frontier": divergence_frontier(real, own).area,
    }


def _words(texts: LabelledTexts, others: Sequence[LabelledTexts], embeddings: Embeddings) -> Values:
    from evaluation.texts.lengths import length_distance
    from evaluation.texts.vocabulary import vocabulary_distance

    del embeddings
    found = {"length": length_distance(others[0].texts, texts.texts)}
    if _is_defined("vocabulary", texts, others):
        distance = vocabulary_distance(others[0].texts, texts.texts)
        found |= {"vocabulary": distance.value, "vocabulary_same_source": distance.same_source}
    return found


def _vectors(
    real: LabelledTexts, own: LabelledTexts, embeddings: Embeddings
) -> tuple[Vectors, Vectors]:
    return embeddings.of(real.texts), embeddings.of(own.texts)


_KINDS = {
    "diversity": _Kind(("remote_clique", "chamfer", "vendi"), 2, _diversity),
    "wording": _Kind(("self_bleu", "distinct_1", "distinct_2", "distinct_3"), 2, _wording),
    "closeness": _Kind(("top5_cosine",), 5, _closeness),
    "coverage": _Kind(("precision", "recall", "density", "coverage", "frontier"), 20, _coverage),
    "words": _Kind(("vocabulary", "vocabulary_same_source", "length"), 1, _words),
}
