"""Diversity and similarity of the arms of a task, each figure computed once."""

import hashlib
from collections.abc import Iterator

import numpy as np

from evaluation.records import MeasureRecord
from trainers.embeddings import Embeddings
from understudy.materials import Materials
from understudy.settings import REAL_FULL
from understudy.study_folder import StudyFolder


def measure(
    materials: Materials,
    arms: list[str],
    embeddings: Embeddings,
    folder: StudyFolder,
    known: dict[str, MeasureRecord],
) -> list[str]:
    """Measure the arms at equal size; return the keys of all figures of the task.

    Args:
        materials: The task's data.
        arms: The planned arms; `real_full` has another size and is left out.
        embeddings: Unit vectors (mean pooling), as the paper's similarity analysis takes them.
        folder: Where new figures go.
        known: Figures that are there already, by key.
    """
    keys: list[str] = []
    for arm in arms:
        if arm == REAL_FULL or arm in materials.absent:
            continue
        for record in _figures(materials, arm, embeddings, known):
            if record.key not in known:
                folder.add_measure(record)
                known[record.key] = record
            keys.append(record.key)
    return keys


def _figures(
    materials: Materials, arm: str, embeddings: Embeddings, known: dict[str, MeasureRecord]
) -> Iterator[MeasureRecord]:
    from evaluation.diversity import chamfer, remote_clique
    from evaluation.similarity import mean_top5_cosine

    texts = materials.train(arm, seed=0)
    test = materials.test
    own = [("remote_clique", ""), ("chamfer", "")]
    if test is not None:
        own.append(("top5_cosine", test.content_hash))
    for name, against in own:
        key = _key(name, materials.task.name, arm, texts.content_hash, against, embeddings)
        if key in known:
            yield known[key]
            continue
        vectors = embeddings.of(texts.texts)
        if name == "top5_cosine":
            assert test is not None
            value = mean_top5_cosine(embeddings.of(test.texts), vectors)
        else:
            value = (remote_clique if name == "remote_clique" else chamfer)(vectors)
        yield MeasureRecord(
            key=key,
            task=materials.task.name,
            arm=arm,
            measure=name,
            value=float(np.float64(value)),
            n=len(texts),
            n_real=len(test) if test is not None and against else 0,
            encoder=embeddings.encoder.name,
        )


def _key(
    name: str, task: str, arm: str, texts: str, against: str, embeddings: Embeddings
) -> str:
    parts = (name, task, arm, texts, against, embeddings.encoder.fingerprint, embeddings.pooling)
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()[:32]
