"""Divergence frontier as a measurement of `evaluate`."""

import evaluate
from numpy.typing import ArrayLike

from evaluation.embedding_space.frontier import divergence_frontier
from evaluation.metrics.base import EMBEDDING_FEATURES, EmbeddingMeasurement

_DESCRIPTION = """
Divergence frontier: the area under the curve of exponentiated divergences of synthetic and of real
texts to their mixtures, over k-means buckets of their embeddings, as MAUVE has it. Higher is
closer. It depends on the numbers of texts: compare sets of equal size only.
"""

_INPUTS = """
Args:
    embeddings: One vector a synthetic text (n, d), at least 20; they are normalised.
    real: One vector a real text (m, d), at least 20; they are normalised.
    seed: Of the start of k-means.

Returns:
    frontier_area: From 0 to 1.

Example:
    >>> DivergenceFrontier().compute(embeddings=[[1.0, 0.0]] * 20, real=[[2.0, 0.0]] * 20)
    {'frontier_area': 1.0}
"""

_CITATION = """
@inproceedings{pillutla2021mauve,
  title = {{MAUVE}: Measuring the Gap Between Neural Text and Human Text using Divergence
    Frontiers},
  author = {Pillutla, Krishna and Swayamdipta, Swabha and Zellers, Rowan and Thickstun, John and
    Welleck, Sean and Choi, Yejin and Harchaoui, Zaid},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2021}
}
"""


class DivergenceFrontier(EmbeddingMeasurement):
    """The area under the divergence frontier of real and synthetic texts."""

    def _info(self) -> evaluate.MeasurementInfo:
        return evaluate.MeasurementInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=EMBEDDING_FEATURES,
            reference_urls=["https://arxiv.org/abs/2102.01454"],
        )

    def _compute(self, embeddings: ArrayLike, real: ArrayLike, seed: int = 0) -> dict[str, float]:
        return {"frontier_area": divergence_frontier(real, embeddings, seed=seed).area}
