"""Chamfer as a measurement of `evaluate`."""

import evaluate
from numpy.typing import ArrayLike

from evaluation.embedding_space.diversity import chamfer
from evaluation.metrics.base import COX_2021, EMBEDDING_FEATURES, EmbeddingMeasurement

_DESCRIPTION = """
Chamfer: the mean over texts of the least cosine distance (1 - cosine, on unit vectors) to another
text. Higher is more diverse. It shrinks as texts are added: compare sets of equal size only.
"""

_INPUTS = """
Args:
    embeddings: One vector a text (n, d), at least two; they are normalised.

Returns:
    chamfer: From 0 to 2.

Example:
    >>> Chamfer().compute(embeddings=[[1.0, 0.0], [0.0, 1.0]])
    {'chamfer': 1.0}
"""


class Chamfer(EmbeddingMeasurement):
    """The mean over texts of the least cosine distance to another text."""

    def _info(self) -> evaluate.MeasurementInfo:
        return evaluate.MeasurementInfo(
            description=_DESCRIPTION,
            citation=COX_2021,
            inputs_description=_INPUTS,
            features=EMBEDDING_FEATURES,
            reference_urls=["https://doi.org/10.1145/3411764.3445782"],
        )

    def _compute(self, embeddings: ArrayLike) -> dict[str, float]:
        return {"chamfer": chamfer(embeddings)}
