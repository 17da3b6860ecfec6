"""Vocabulary distance as a measurement of `evaluate`."""

from collections.abc import Sequence

import evaluate

from evaluation.metrics.base import TEXT_FEATURES, TextMeasurement
from evaluation.texts.vocabulary import vocabulary_distance

_DESCRIPTION = """
Vocabulary distance: the Jensen-Shannon distance (base 2) between the distributions of words of
synthetic and of real texts, and what it would be if both were dealt out of one pile. Lower is
closer. It shrinks as texts are added: compare sets of equal size only.
"""

_INPUTS = """
Args:
    texts: Strings, the synthetic texts.
    real: Strings, the real texts.
    seed: Of the deals.

Returns:
    vocabulary_distance: From 0 to 1.
    same_source: From 0 to 1.

Example:
    >>> VocabularyDistance().compute(texts=["tea"], real=["coffee"])["vocabulary_distance"]
    1.0
"""

_CITATION = """
@article{lin1991divergence,
  title = {Divergence Measures Based on the {Shannon} Entropy},
  author = {Lin, Jianhua},
  journal = {IEEE Transactions on Information Theory},
  volume = {37},
  number = {1},
  pages = {145--151},
  year = {1991},
  doi = {10.1109/18.61115}
}
"""


class VocabularyDistance(TextMeasurement):
    """The Jensen-Shannon distance between the words of two sets of texts."""

    def _info(self) -> evaluate.MeasurementInfo:
        return evaluate.MeasurementInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=TEXT_FEATURES,
            reference_urls=["https://doi.org/10.1109/18.61115"],
        )

    def _compute(
        self, texts: Sequence[str], real: Sequence[str], seed: int = 0
    ) -> dict[str, float]:
        distance = vocabulary_distance(real, texts, seed=seed)
        return {"vocabulary_distance": distance.value, "same_source": distance.same_source}
