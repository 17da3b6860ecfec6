"""The record of a finished run: its scores, what they depend on, its training curve."""

import numpy as np
from numpy.typing import NDArray

from evaluation.records import RunRecord
from trainers.base import ClassifierTrainer, Outcome
from understudy.materials import Materials
from understudy.planning import PlannedRun
from understudy.settings import StudySettings
from understudy.versions import versions

Ints = NDArray[np.int64]


def run_record(
    run: PlannedRun,
    outcome: Outcome,
    materials: Materials,
    trainer: ClassifierTrainer,
    settings: StudySettings,
) -> RunRecord:
    """Return the record of a run; where its predictions lie is added when they are written."""
    from evaluation.metrics.accuracy import Accuracy

    labels, n_labels = np.asarray(run.test.labels, dtype=np.int64), len(run.test.label_names)
    predictions = outcome.predictions[: len(labels)]
    accuracy = Accuracy().compute(predictions=predictions, references=labels)["accuracy"]
    return RunRecord(
        key=run.key,
        status="done",
        task=materials.task.name,
        arm=run.arm,
        encoder=settings.encoder,
        trainer=settings.trainer,
        seed=run.seed,
        n_train=len(run.train),
        n_per_label=run.train.counts(),
        n_test=len(run.test),
        macro_f1=_macro_f1(labels, predictions, n_labels),
        accuracy=float(accuracy),
        seconds=round(outcome.seconds, 3),
        evaluated_on=run.evaluated_on,
        train_hash=run.train.content_hash,
        test_hash=run.test.content_hash,
        real_source=materials.real.source if materials.real else "",
        versions=versions(),
        settings={**trainer.settings, **outcome.details},
        curve=[
            (step, _macro_f1(labels, predicted[: len(labels)], n_labels))
            for step, predicted in sorted(outcome.curve.items())
        ],
    )


def voted_predictions(run: PlannedRun, outcome: Outcome) -> dict[str, Ints]:
    """Return what was predicted of the texts with votes, by the name of the votes."""
    voted, start = {}, len(run.test)
    for name, texts in run.voted.items():
        voted[name] = outcome.predictions[start : start + len(texts)]
        start += len(texts)
    return voted


def _macro_f1(labels: Ints, predictions: Ints, n_labels: int) -> float:
    from evaluation.metrics.macro_f1 import MacroF1

    given = {"predictions": predictions, "references": labels}
    return float(MacroF1(labels=range(n_labels)).compute(**given)["macro_f1"])
