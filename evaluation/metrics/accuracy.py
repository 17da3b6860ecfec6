"""Accuracy as a metric of `evaluate`."""

from collections.abc import Sequence

import evaluate

from evaluation.metrics.base import LABEL_FEATURES, LabelMetric

_DESCRIPTION = """
The share of texts whose predicted label is the true one.
"""

_INPUTS = """
Args:
    predictions: Predicted label indices (n,), integers.
    references: True label indices (n,), integers.

Returns:
    accuracy: From 0 to 1.

Example:
    >>> Accuracy().compute(predictions=[0, 1, 1, 2], references=[0, 1, 0, 2])
    {'accuracy': 0.75}
"""

_CITATION = """
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


class Accuracy(LabelMetric):
    """The share of texts whose predicted label is the true one."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=LABEL_FEATURES,
            reference_urls=[
                "https://scikit-learn.org/stable/modules/generated/"
                "sklearn.metrics.accuracy_score.html"
            ],
        )

    def _compute(self, predictions: Sequence[int], references: Sequence[int]) -> dict[str, float]:
        from sklearn.metrics import accuracy_score

        return {"accuracy": float(accuracy_score(references, predictions))}
