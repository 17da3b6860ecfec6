"""Real texts with an LLM's labels as a `datasets` builder, released as Parquet.

The module's name is the data set's name in the `datasets` cache. Importing it loads `datasets`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from builders.annotation import Labelling
from builders.corpus_builder import DEFAULT_VERSION, CorpusBuilder


class LabelledCorpus(CorpusBuilder):
    """Writes the texts that an LLM gave a label; their `id` is their name in the source.

    Args:
        labelling: The texts and labels.
        version: Semantic version of the release.
        kwargs: Passed on to `datasets.GeneratorBasedBuilder`.
    """

    def __init__(self, labelling: Labelling, version: str = DEFAULT_VERSION, **kwargs: Any) -> None:
        self.labelling = labelling
        super().__init__(labelling.record.strategy, labelling.task, version, **kwargs)

    def provenance(self) -> Mapping[str, str]:
        """Return what tells where a label came from: who gave it, in answer to which request."""
        return {"llm": "string", "request": "string"}

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the texts with a label, in the order of the requests."""
        labelling = self.labelling
        decided = [outcome for outcome in labelling.outcomes if outcome.label is not None]
        texts = labelling.texts
        for name, text, outcome in zip(texts.ids, texts.texts, decided, strict=True):
            yield {
                "id": name,
                "text": text,
                "label": texts.label_names[outcome.label or 0],
                "llm": labelling.record.llm,
                "request": outcome.request,
            }
