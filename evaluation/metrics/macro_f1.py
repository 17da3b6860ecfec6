"""Macro-averaged F1 as a metric of `evaluate`."""

from collections.abc import Iterable, Sequence
from typing import Any

import evaluate

from evaluation.metrics.base import LABEL_FEATURES, LabelMetric

_DESCRIPTION = """
The plain mean, over all labels of a task, of each label's F1 = 2 TP / (predicted + true). Every
label counts the same, however rare. A label that is never predicted right counts 0, and so does one
that is neither predicted nor true.
"""

_INPUTS = """
Args:
    predictions: Predicted label indices (n,), integers.
    references: True label indices (n,), integers.
    labels: All label indices of the task; not needed where the constructor was given them.

Returns:
    macro_f1: From 0 to 1.

Example:
    >>> MacroF1(labels=range(3)).compute(predictions=[0, 1, 1], references=[0, 1, 0])
    {'macro_f1': 0.4444444444444444}
"""

_CITATION = """
@article{opitz2019macro,
  title = {Macro {F1} and Macro {F1}},
  author = {Opitz, Juri and Burst, Sebastian},
  journal = {arXiv preprint arXiv:1911.03347},
  year = {2019},
  note = {The averaged F1 of the two that it tells apart.}
}
@article{pedregosa2011scikit,
  title = {Scikit-learn: Machine Learning in {P}ython},
  author = {Pedregosa, F. and Varoquaux, G. and Gramfort, A. and Michel, V. and Thirion, B. and
    Grisel, O. and Blondel, M. and Prettenhofer, P. and Weiss, R. and Dubourg, V. and
    Vanderplas, J. and Passos, A. and Cournapeau, D. and Brucher, M. and Perrot, M. and
    Duchesnay, E.},
  journal = {Journal of Machine Learning Research},
  volume = {12},
  pages = {2825--2830},
  year = {2011}
}
"""


class MacroF1(LabelMetric):
    """Macro-F1 over all labels of a task.

    Args:
        labels: All label indices of the task, or None to give them to `compute`.
        options: What `evaluate.Metric` takes.
    """

    def __init__(self, labels: Iterable[int] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.labels = None if labels is None else list(labels)

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=LABEL_FEATURES,
            reference_urls=[
                "https://scikit-learn.org/stable/modules/generated/sklearn.metrics.f1_score.html"
            ],
        )

    def _compute(
        self,
        predictions: Sequence[int],
        references: Sequence[int],
        labels: Iterable[int] | None = None,
    ) -> dict[str, float]:
        from sklearn.metrics import f1_score

        every = self.labels if labels is None else list(labels)
        if not every:
            raise ValueError("macro-F1 needs the task's label indices: MacroF1(labels=range(n))")
        stray = {*predictions, *references}.difference(every)
        if stray:
            raise ValueError(f"label indices {sorted(stray)} are not among the labels {every}")
        score = f1_score(references, predictions, labels=every, average="macro", zero_division=0)
        return {"macro_f1": float(score)}
