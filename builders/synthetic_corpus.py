"""The corpus as a `datasets` builder: one configuration per strategy, released as Parquet.

The module's name is the data set's name in the `datasets` cache. Importing it loads `datasets`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from builders.composition import Composition, Order, compose
from builders.corpus_builder import DEFAULT_VERSION, CorpusBuilder, CorpusConfig
from builders.errors import UserError
from builders.strategies import STRATEGIES


class SyntheticCorpus(CorpusBuilder):
    """Builds one configuration of a corpus.

    `SyntheticCorpus("few_shot", task="humor").download_and_prepare(DIR, file_format="parquet")`
    composes the corpus from the embedded recording; with `composition` it writes what was composed
    before.

    Args:
        config_name: Name of the strategy.
        task: Task name, or the path of a task file; not needed with `composition`.
        version: Semantic version of the release.
        composition: The texts, or None to compose them from the embedded recording.
        kwargs: Passed on to `datasets.GeneratorBasedBuilder`.

    Raises:
        UserError: There is no such task or strategy, or no recorded answers for them.
    """

    BUILDER_CONFIGS: ClassVar = [CorpusConfig(name=name) for name in STRATEGIES]

    def __init__(
        self,
        config_name: str,
        task: str | None = None,
        version: str = DEFAULT_VERSION,
        composition: Composition | None = None,
        **kwargs: Any,
    ) -> None:
        if composition is None:
            composition = _from_embedded_recording(task, config_name)
        elif composition.record.strategy != config_name:
            raise ValueError(f"{config_name!r}: the texts are {composition.record.strategy}'s")
        self.composition = composition
        super().__init__(config_name, composition.task, version, **kwargs)

    def provenance(self) -> Mapping[str, str]:
        """Return what tells where a text came from: the turn that it was answered in."""
        places = dict.fromkeys(("conversation", "turn", "index"), "int32")
        return {"strategy": "string", "llm": "string", **places}

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the kept texts, in the order of the requests."""
        for kept in self.composition.kept:
            yield {
                "id": kept.id,
                "text": kept.text,
                "label": kept.label,
                "strategy": kept.request.strategy,
                "llm": self.composition.record.llm,
                "conversation": kept.request.conversation,
                "turn": kept.request.turn,
                "index": kept.index,
            }


def _from_embedded_recording(task: str | None, strategy: str) -> Composition:
    from builders.llms.recording import Recording
    from builders.tasks import load_task

    if task is None:
        raise UserError('SyntheticCorpus: give a task, as in SyntheticCorpus("few_shot", "humor")')
    return compose(load_task(task), Order(strategy), Recording())
