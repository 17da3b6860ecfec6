"""Diversity and similarity of the arms of a task, each figure computed once."""

import hashlib
from dataclasses import dataclass

from builders.data import LabelledTexts
from evaluation.arms import REAL_FULL, Kind, parse_arm
from evaluation.records import MeasureRecord
from trainers.embeddings import Embeddings
from understudy.materials import Materials

_LEAST_TEXTS = {"remote_clique": 2, "chamfer": 2, "top5_cosine": 5}
"""Measure -> texts of an arm below which it is not defined."""


@dataclass(frozen=True)
class PlannedFigure:
    """A figure that can be computed.

    Attributes:
        key: Hash over texts, encoder and measure (hex).
        task: Task name.
        arm: Whose texts are measured.
        measure: `remote_clique`, `chamfer` or `top5_cosine`.
        texts: The arm's texts.
        test: The real texts that `top5_cosine` compares them with, else None.
    """

    key: str
    task: str
    arm: str
    measure: str
    texts: LabelledTexts
    test: LabelledTexts | None


def plan_figures(materials: Materials, embeddings: Embeddings) -> list[PlannedFigure]:
    """Return the figures of one task: of every arm at equal size, so without `real_full`.

    An arm of too few texts for a measure has no figure of it.

    Args:
        materials: The task's data.
        embeddings: Unit vectors (mean pooling), as the paper's similarity analysis takes them.
    """
    planned: list[PlannedFigure] = []
    for arm in materials.arms:
        if parse_arm(arm).kind is not Kind.MAIN or arm == REAL_FULL or arm in materials.absent:
            continue
        texts = materials.train(arm, seed=0)
        for measure, least in _LEAST_TEXTS.items():
            test = materials.test if measure == "top5_cosine" else None
            if len(texts) < least or (measure == "top5_cosine" and test is None):
                continue
            decides = (
                measure,
                materials.task.name,
                arm,
                texts.content_hash,
                test.content_hash if test else "",
                embeddings.encoder.fingerprint,
                embeddings.pooling,
            )
            key = hashlib.sha256("\x00".join(decides).encode()).hexdigest()[:32]
            planned.append(PlannedFigure(key, materials.task.name, arm, measure, texts, test))
    return planned


def compute_figure(figure: PlannedFigure, embeddings: Embeddings) -> MeasureRecord:
    """Compute one planned figure."""
    from evaluation.diversity import chamfer, remote_clique
    from evaluation.similarity import mean_top5_cosine

    vectors = embeddings.of(figure.texts.texts)
    if figure.test is not None:
        value = mean_top5_cosine(embeddings.of(figure.test.texts), vectors)
    else:
        value = (remote_clique if figure.measure == "remote_clique" else chamfer)(vectors)
    return MeasureRecord(
        key=figure.key,
        task=figure.task,
        arm=figure.arm,
        measure=figure.measure,
        value=float(value),
        n=len(figure.texts),
        n_real=len(figure.test) if figure.test is not None else 0,
        encoder=embeddings.encoder.name,
    )
