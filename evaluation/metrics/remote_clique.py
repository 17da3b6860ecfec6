"""Remote Clique as a measurement of `evaluate`."""

import evaluate
from numpy.typing import ArrayLike

from evaluation.embedding_space.diversity import remote_clique
from evaluation.metrics.base import COX_2021, EMBEDDING_FEATURES, EmbeddingMeasurement

_DESCRIPTION = """
Remote Clique: the mean over texts of the mean cosine distance (1 - cosine, on unit vectors) to the
other texts. Higher is more diverse.
"""

_INPUTS = """
Args:
    embeddings: One vector a text (n, d), at least two; they are normalised.

Returns:
    remote_clique: From 0 to 2.

Example:
    >>> RemoteClique().compute(embeddings=[[1.0, 0.0], [0.0, 1.0]])
    {'remote_clique': 1.0}
"""


class RemoteClique(EmbeddingMeasurement):
    """The mean over texts of the mean cosine distance to the other texts."""

    def _info(self) -> evaluate.MeasurementInfo:
        return evaluate.MeasurementInfo(
            description=_DESCRIPTION,
            citation=COX_2021,
            inputs_description=_INPUTS,
            features=EMBEDDING_FEATURES,
            reference_urls=["https://doi.org/10.1145/3411764.3445782"],
        )

    def _compute(self, embeddings: ArrayLike) -> dict[str, float]:
        return {"remote_clique": remote_clique(embeddings)}
