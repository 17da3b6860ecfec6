"""Top-5 cosine as a measurement of `evaluate`."""

import evaluate
from numpy.typing import ArrayLike

from evaluation.embedding_space.similarity import mean_top5_cosine
from evaluation.metrics.base import EMBEDDING_FEATURES, EmbeddingMeasurement

_DESCRIPTION = """
Top-5 cosine: the mean over real texts of the mean of the five largest cosines to synthetic texts.
Higher is closer to the real texts. It grows as synthetic texts are added: compare sets of equal
size only.
"""

_INPUTS = """
Args:
    embeddings: One vector a synthetic text (n, d), at least five; they are normalised.
    real: One vector a real text (m, d); they are normalised.

Returns:
    top5_cosine: From -1 to 1.

Example:
    >>> Top5Cosine().compute(embeddings=[[1.0, 0.0]] * 5, real=[[2.0, 0.0], [0.0, 2.0]])
    {'top5_cosine': 0.5}
"""

_CITATION = """
@inproceedings{li2023synthetic,
  title = {Synthetic Data Generation with Large Language Models for Text Classification:
    Potential and Limitations},
  author = {Li, Zhuoyan and Zhu, Hangxiao and Lu, Zhuoran and Yin, Ming},
  booktitle = {Proceedings of the 2023 Conference on Empirical Methods in Natural Language
    Processing},
  year = {2023}
}
"""


class Top5Cosine(EmbeddingMeasurement):
    """The mean over real texts of the mean of the five largest cosines to synthetic texts."""

    def _info(self) -> evaluate.MeasurementInfo:
        return evaluate.MeasurementInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=EMBEDDING_FEATURES,
            reference_urls=["https://arxiv.org/abs/2310.07849"],
        )

    def _compute(self, embeddings: ArrayLike, real: ArrayLike) -> dict[str, float]:
        return {"top5_cosine": mean_top5_cosine(real, embeddings)}
