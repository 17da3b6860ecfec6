"""Distinct-n as a measurement of `evaluate`."""

from collections.abc import Sequence

import evaluate

from evaluation.metrics.base import TEXT_FEATURES, TextMeasurement
from evaluation.texts.distinct_n import distinct_n

_DESCRIPTION = """
Distinct-n: the number of different n-grams over the number of n-grams, for n = 1, 2 and 3. Higher
is more diverse. It falls as texts are added: compare at equal numbers of n-grams (`at`).
"""

_INPUTS = """
Args:
    texts: Strings, at least one of three tokens.
    at: Give the value expected of so many n-grams drawn from the texts; None takes them all.

Returns:
    distinct_1, distinct_2, distinct_3: Above 0 to 1.

Example:
    >>> DistinctN().compute(texts=["tea is hot", "tea is cold"])["distinct_2"]
    0.75
"""

_CITATION = """
@inproceedings{li2016diversity,
  title = {A Diversity-Promoting Objective Function for Neural Conversation Models},
  author = {Li, Jiwei and Galley, Michel and Brockett, Chris and Gao, Jianfeng and Dolan, Bill},
  booktitle = {Proceedings of NAACL-HLT},
  year = {2016},
  doi = {10.18653/v1/N16-1014}
}
@article{hurlbert1971nonconcept,
  title = {The Nonconcept of Species Diversity: A Critique and Alternative Parameters},
  author = {Hurlbert, Stuart H.},
  journal = {Ecology},
  volume = {52},
  number = {4},
  pages = {577--586},
  year = {1971}
}
"""


class DistinctN(TextMeasurement):
    """Different n-grams over n-grams, for n = 1, 2 and 3."""

    def _info(self) -> evaluate.MeasurementInfo:
        return evaluate.MeasurementInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=TEXT_FEATURES,
            reference_urls=["https://doi.org/10.18653/v1/N16-1014"],
        )

    def _compute(self, texts: Sequence[str], at: int | None = None) -> dict[str, float]:
        return {f"distinct_{n}": distinct_n(texts, n, at=at).value for n in (1, 2, 3)}
