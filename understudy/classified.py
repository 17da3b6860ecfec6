"""The LLM itself as the classifier: what it said of real test texts, as a run without training."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from builders.data import LabelledTexts
from evaluation.arms import LLM
from evaluation.records import REAL_TEST, RunRecord
from evaluation.uncertainty.joint_bootstrap import JointBootstrap
from understudy.materials import Materials
from understudy.planning import hashed


@dataclass(frozen=True)
class Classified:
    """What the LLM itself said of test texts: a run without training.

    Attributes:
        key: Hash over test texts and answers (hex).
        seed: The seed it is listed under; nothing is drawn.
        test: All test texts.
        rows: Places of those that it was asked about (n,), ascending.
        predictions: The label index that it gave each (n,); -1 where it gave none.
    """

    key: str
    seed: int
    test: LabelledTexts
    rows: NDArray[np.int64]
    predictions: NDArray[np.int64]


def plan_classified(materials: Materials, seeds: Sequence[int]) -> Classified | None:
    """Return what the LLM said of test texts; None where it was not asked, or not about these."""
    labelling, test = materials.labels.test, materials.test
    if LLM not in materials.arms or LLM in materials.absent or labelling is None or test is None:
        return None
    place = {name: row for row, name in enumerate(test.ids)}
    said = labelling.predictions
    found = sorted((place[name], said.get(name, -1)) for name in labelling.asked.ids)
    rows, predictions = (np.array(column, dtype=np.int64) for column in zip(*found, strict=True))
    decides = {
        "task": materials.task.name,
        "arm": LLM,
        "test": test.content_hash,
        "said": found,
        "llm": labelling.record.llm,
    }
    return Classified(hashed(decides), min(seeds), test, rows, predictions)


def classified_record(planned: Classified, materials: Materials, place: str) -> RunRecord:
    """Return the record of what the LLM itself said.

    Args:
        planned: What it said.
        materials: The task's data.
        place: Where the predictions lie.
    """
    labelling = materials.labels.test
    assert labelling is not None
    labels = np.asarray(planned.test.labels, dtype=np.int64)[planned.rows]
    said, n_labels = {LLM: planned.predictions[None]}, len(planned.test.label_names)
    scores = JointBootstrap(labels, said, n_labels, replicates=1)
    return RunRecord(
        key=planned.key,
        status="done",
        task=materials.task.name,
        arm=LLM,
        encoder=labelling.record.llm,
        trainer="llm",
        seed=planned.seed,
        n_test=len(planned.rows),
        macro_f1=scores.macro_f1(LLM).value,
        accuracy=scores.accuracy(LLM).value,
        evaluated_on=REAL_TEST,
        test_hash=planned.test.content_hash,
        predictions=place,
        real_source=materials.real.source if materials.real else "",
        settings={"unanswered": int((planned.predictions < 0).sum())},
    )


def _macro_f1(labels: NDArray[np.int64], said: NDArray[np.int64], n_labels: int) -> float:
    from evaluation.uncertainty.joint_bootstrap import JointBootstrap

    return JointBootstrap(labels, {LLM: said[None]}, n_labels, replicates=1).macro_f1(LLM).value
