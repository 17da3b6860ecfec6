"""What the metrics share: what `evaluate` takes in silence is refused, and nothing goes to disk.

Instantiate a metric, as in `MacroF1(labels=range(4))`; `evaluate.load` would ask the Hub for it.
"""

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
import numpy as np
from numpy.typing import ArrayLike

LABEL_FEATURES = datasets.Features(
    {"predictions": datasets.Value("int64"), "references": datasets.Value("int64")}
)
EMBEDDING_FEATURES = datasets.Features({"embeddings": datasets.List(datasets.Value("float32"))})
TEXT_FEATURES = datasets.Features({"texts": datasets.Value("string")})
COX_2021 = """
@inproceedings{cox2021directed,
  title = {Directed Diversity: Leveraging Language Embedding Distances for Collective Creativity in
    Crowd Ideation},
  author = {Cox, Samuel Rhys and Wang, Yunlong and Abdul, Ashraf and von der Weth, Christian and
    Lim, Brian Y.},
  booktitle = {Proceedings of the 2021 CHI Conference on Human Factors in Computing Systems},
  year = {2021},
  doi = {10.1145/3411764.3445782}
}
"""


class InMemory(evaluate.EvaluationModule):
    """A module of `evaluate` that leaves the disk alone and is true in a condition."""

    def __init__(self, **options: Any) -> None:
        super().__init__(keep_in_memory=True, **options)

    def __bool__(self) -> bool:
        # The length of a module is that of what it stores, so an empty one would be false.
        return True

    def _build_data_dir(self) -> str:
        # `evaluate` makes a folder in its cache even for a module that stays in memory.
        return ""


class LabelMetric(InMemory, evaluate.Metric):
    """A metric of predicted against true label indices; a subclass has `_info` and `_compute`.

    The constructor takes what `evaluate.Metric` takes.
    """

    def add(self, *, prediction: int, reference: int) -> None:
        """Store one prediction and its reference, both label indices."""
        self.add_batch(predictions=[prediction], references=[reference])

    def add_batch(self, *, predictions: ArrayLike, references: ArrayLike) -> None:
        """Store predictions and references, label indices (n,) each.

        Raises:
            ValueError: Not integers (n,), or not as many of both.
        """
        columns = {
            "predictions": _label_indices("predictions", predictions),
            "references": _label_indices("references", references),
        }
        n_predictions, n_references = map(len, columns.values())
        if n_predictions != n_references:
            raise ValueError(f"{n_predictions} predictions for {n_references} references")
        super().add_batch(**columns)

    def compute(
        self,
        *,
        predictions: ArrayLike | None = None,
        references: ArrayLike | None = None,
        **options: Any,
    ) -> dict[str, float]:
        """Score what was added and `predictions` against `references`, label indices (n,) each.

        Raises:
            ValueError: Nothing to score, not integers (n,), or not as many of both.
        """
        if not len(self) and not np.size([] if predictions is None else predictions):
            raise ValueError("no predictions to score")
        scores: dict[str, float] = super().compute(
            predictions=predictions, references=references, **options
        )
        return scores


class SetMeasurement(InMemory, evaluate.Measurement):
    """A measurement of a set of texts or of their embeddings, one column of rows.

    The constructor takes what `evaluate.Measurement` takes.
    """

    def _measured(self, column: str, rows: Any, options: dict[str, Any]) -> dict[str, float]:
        """Measure what was added and `rows`.

        Raises:
            ValueError: Nothing to measure.
        """
        measured: dict[str, float]
        if len(self):
            measured = super().compute(**{column: rows}, **options)
        elif rows is None or not len(rows):
            raise ValueError(f"no {column} to measure")
        else:
            # Past the store, where every number becomes a Python object: seconds for 20,000 texts.
            measured = self._compute(**{column: rows}, **options)
        return measured


class EmbeddingMeasurement(SetMeasurement):
    """A measurement of embeddings (n, d); a subclass has `_info` and `_compute`."""

    def compute(self, *, embeddings: ArrayLike | None = None, **options: Any) -> dict[str, float]:
        """Measure what was added and `embeddings` (n, d).

        Raises:
            ValueError: Nothing to measure, or embeddings that cannot be measured.
        """
        return self._measured("embeddings", embeddings, options)


class TextMeasurement(SetMeasurement):
    """A measurement of texts (n,); a subclass has `_info` and `_compute`."""

    def compute(self, *, texts: Sequence[str] | None = None, **options: Any) -> dict[str, float]:
        """Measure what was added and `texts` (n,).

        Raises:
            ValueError: Nothing to measure, no sequence of strings, or texts that cannot be
                measured.
        """
        given = () if texts is None else texts
        if isinstance(given, str) or not all(isinstance(text, str) for text in given):
            raise ValueError("texts are not a sequence of strings")
        return self._measured("texts", texts, options)


def _label_indices(name: str, values: ArrayLike) -> Sequence[int]:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ValueError(
            f"{name} are {array.dtype} of shape {array.shape}, not label indices (n,); "
            "pass integers, of class scores their argmax"
        )
    indices: list[int] = array.astype(np.int64).tolist()
    return indices
