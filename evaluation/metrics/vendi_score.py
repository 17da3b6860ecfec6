"""Vendi score as a measurement of `evaluate`."""

import evaluate
from numpy.typing import ArrayLike

from evaluation.embedding_space.vendi import vendi_score
from evaluation.metrics.base import EMBEDDING_FEATURES, EmbeddingMeasurement

_DESCRIPTION = """
Vendi score: the effective number of different texts, the exponential of the entropy of the
eigenvalues of their cosines over n. Higher is more diverse. It grows as texts are added, and is at
most the number of dimensions: compare sets of equal size only.
"""

_INPUTS = """
Args:
    embeddings: One vector a text (n, d); they are normalised.

Returns:
    vendi_score: From 1 to the smaller of n and d.

Example:
    >>> round(VendiScore().compute(embeddings=[[1.0, 0.0], [0.0, 1.0]])["vendi_score"], 6)
    2.0
"""

_CITATION = """
@article{friedman2023vendi,
  title = {The {Vendi} Score: A Diversity Evaluation Metric for Machine Learning},
  author = {Friedman, Dan and Dieng, Adji Bousso},
  journal = {Transactions on Machine Learning Research},
  year = {2023}
}
"""


class VendiScore(EmbeddingMeasurement):
    """The effective number of different texts."""

    def _info(self) -> evaluate.MeasurementInfo:
        return evaluate.MeasurementInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=EMBEDDING_FEATURES,
            reference_urls=["https://arxiv.org/abs/2210.02410"],
        )

    def _compute(self, embeddings: ArrayLike) -> dict[str, float]:
        return {"vendi_score": vendi_score(embeddings)}
