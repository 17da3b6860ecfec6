"""Self-BLEU as a measurement of `evaluate`."""

from collections.abc import Sequence

import evaluate

from evaluation.metrics.base import TEXT_FEATURES, TextMeasurement
from evaluation.texts.self_bleu import self_bleu

_DESCRIPTION = """
Self-BLEU: the mean over texts of the BLEU-4 of each against all others (smoothing method 1). Higher
is less diverse. It grows as texts are added: compare sets of equal size only.
"""

_INPUTS = """
Args:
    texts: At least two strings.
    sample: How many texts to draw and score, still against all others; None scores all.
    seed: Of the draw.

Returns:
    self_bleu: From 0 to 1.
    standard_error: Of the draw; 0 where all texts are scored.

Example:
    >>> SelfBleu().compute(texts=["tea is hot", "tea is hot", "coffee"])["self_bleu"] < 0.5
    True
"""

_CITATION = """
@inproceedings{zhu2018texygen,
  title = {Texygen: A Benchmarking Platform for Text Generation Models},
  author = {Zhu, Yaoming and Lu, Sidi and Zheng, Lei and Guo, Jiaxian and Zhang, Weinan and
    Wang, Jun and Yu, Yong},
  booktitle = {The 41st International ACM SIGIR Conference on Research and Development in
    Information Retrieval},
  year = {2018},
  doi = {10.1145/3209978.3210080}
}
"""


class SelfBleu(TextMeasurement):
    """The mean BLEU-4 of each text against all others."""

    def _info(self) -> evaluate.MeasurementInfo:
        return evaluate.MeasurementInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=TEXT_FEATURES,
            reference_urls=["https://doi.org/10.1145/3209978.3210080"],
        )

    def _compute(
        self, texts: Sequence[str], sample: int | None = None, seed: int = 0
    ) -> dict[str, float]:
        estimate = self_bleu(texts, sample=sample, seed=seed)
        return {"self_bleu": estimate.value, "standard_error": estimate.standard_error}
