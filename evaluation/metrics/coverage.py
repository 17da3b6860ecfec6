"""Coverage as a measurement of `evaluate`."""

from dataclasses import asdict

import evaluate
from numpy.typing import ArrayLike

from evaluation.embedding_space.coverage import coverage
from evaluation.metrics.base import EMBEDDING_FEATURES, EmbeddingMeasurement

_DESCRIPTION = """
Precision, recall, density and coverage of synthetic against real texts, by the balls around each
text that hold its k nearest texts of the same set. All depend on the numbers of texts: compare sets
of equal size only.
"""

_INPUTS = """
Args:
    embeddings: One vector a synthetic text (n, d), more than `k`; they are normalised.
    real: One vector a real text (m, d), more than `k`; they are normalised.
    k: How many neighbours a ball holds, by default 5.

Returns:
    precision: Share of synthetic texts in the ball of a real one.
    recall: Share of real texts in the ball of a synthetic one.
    density: Real balls that hold a synthetic text, on average, over k.
    coverage: Share of real texts in whose ball a synthetic one lies.

Example:
    >>> Coverage().compute(embeddings=[[1, 0], [0, 1]], real=[[1, 0], [1, 0.1]], k=1)["precision"]
    0.5
"""

_CITATION = """
@inproceedings{kynkaanniemi2019improved,
  title = {Improved Precision and Recall Metric for Assessing Generative Models},
  author = {Kynk{\\"a}{\\"a}nniemi, Tuomas and Karras, Tero and Laine, Samuli and
    Lehtinen, Jaakko and Aila, Timo},
  booktitle = {Advances in Neural Information Processing Systems},
  year = {2019}
}
@inproceedings{naeem2020reliable,
  title = {Reliable Fidelity and Diversity Metrics for Generative Models},
  author = {Naeem, Muhammad Ferjad and Oh, Seong Joon and Uh, Youngjung and Choi, Yunjey and
    Yoo, Jaejun},
  booktitle = {Proceedings of the 37th International Conference on Machine Learning},
  year = {2020}
}
"""


class Coverage(EmbeddingMeasurement):
    """Precision, recall, density and coverage of real texts by synthetic ones."""

    def _info(self) -> evaluate.MeasurementInfo:
        return evaluate.MeasurementInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=EMBEDDING_FEATURES,
            reference_urls=["https://arxiv.org/abs/2002.09797"],
        )

    def _compute(self, embeddings: ArrayLike, real: ArrayLike, k: int = 5) -> dict[str, float]:
        return asdict(coverage(real, embeddings, k))
