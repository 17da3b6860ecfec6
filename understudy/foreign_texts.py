"""Looks whether the encoders of a study know the language of its texts, and read them whole."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from builders.data import LabelledTexts
from evaluation.arms import REAL, Kind, parse_arm
from evaluation.records import WORD_PIECES
from trainers.base import ClassifierTrainer
from trainers.encoders import Encoder
from trainers.word_pieces import word_pieces
from understudy.findings import PlannedFinding
from understudy.materials import Materials
from understudy.planning import hashed

VERSION = 2
"""Raised when it is computed otherwise, so that older ones are computed again."""


def plan_word_pieces(
    materials: Materials, trainer: ClassifierTrainer, training: Encoder, measuring: Encoder
) -> list[PlannedFinding]:
    """Return a finding for the real test texts and each corpus, and for each encoder.

    Args:
        materials: The task's data.
        trainer: What classifiers are trained by: says how many texts it cuts.
        training: The encoder that classifiers are trained on.
        measuring: The encoder that diversity and closeness are measured with.
    """
    planned = []
    encoders = {each.fingerprint: each for each in (training, measuring)}
    for arm, texts in _texts(materials):
        for encoder in encoders.values():
            decides = {
                "finding": [WORD_PIECES, VERSION],
                "task": materials.task.name,
                "texts": texts.content_hash,
                "encoder": encoder.fingerprint,
            }
            cuts = trainer if encoder is encoders[training.fingerprint] else None
            if cuts is not None:
                decides["cut"] = [cuts.settings.get(name, "") for name in ("pooling", "max_length")]
            find = partial(_word_pieces, encoder, texts, cuts)
            key = hashed(decides)
            planned.append(PlannedFinding(key, materials.task.name, WORD_PIECES, arm, find))
    return planned


def _texts(materials: Materials) -> Iterable[tuple[str, LabelledTexts]]:
    if materials.test is not None:
        yield REAL, materials.test
    for arm in materials.arms:
        parsed = parse_arm(arm)
        if parsed.kind is Kind.MAIN and parsed.synthetic and arm not in materials.absent:
            yield arm, materials.train(arm, seed=0)


def _word_pieces(
    encoder: Encoder,
    texts: LabelledTexts,
    trainer: ClassifierTrainer | None,
    predictions: Callable[[str], Any],
) -> dict[str, Any]:
    del predictions
    values: dict[str, Any] = {"encoder": encoder.name}
    if trainer is not None:
        cut = trainer.cut(texts.texts)
        values |= {"texts": len(texts), "cut": cut.n, "limit": cut.limit}
    found = word_pieces(encoder, texts.texts)
    if found is None:
        return values | {"undefined": "its tokenizer does not tell its words"}
    return values | {
        "words": found.words,
        "pieces": round(found.pieces, 3),
        "unknown": round(found.unknown, 4),
        "foreign": found.foreign,
    }
