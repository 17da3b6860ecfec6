"""Length distance as a measurement of `evaluate`."""

from collections.abc import Sequence

import evaluate

from evaluation.metrics.base import TEXT_FEATURES, TextMeasurement
from evaluation.texts.lengths import length_distance

_DESCRIPTION = """
Length distance: the 1-Wasserstein distance between the numbers of words of synthetic and of real
texts, the words by which a text would have to change on average. Lower is closer.
"""

_INPUTS = """
Args:
    texts: Strings, the synthetic texts.
    real: Strings, the real texts.

Returns:
    length_distance: Words, from 0.

Example:
    >>> LengthDistance().compute(texts=["a cup of tea"], real=["a cup", "tea"])
    {'length_distance': 2.5}
"""

_CITATION = """
@article{virtanen2020scipy,
  title = {{SciPy} 1.0: Fundamental Algorithms for Scientific Computing in {P}ython},
  author = {Virtanen, Pauli and Gommers, Ralf and Oliphant, Travis E. and others},
  journal = {Nature Methods},
  volume = {17},
  pages = {261--272},
  year = {2020},
  doi = {10.1038/s41592-019-0686-2}
}
"""


class LengthDistance(TextMeasurement):
    """The 1-Wasserstein distance between the numbers of words of two sets of texts."""

    def _info(self) -> evaluate.MeasurementInfo:
        return evaluate.MeasurementInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=TEXT_FEATURES,
            reference_urls=[
                "https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.wasserstein_distance.html"
            ],
        )

    def _compute(self, texts: Sequence[str], real: Sequence[str]) -> dict[str, float]:
        return {"length_distance": length_distance(real, texts)}
