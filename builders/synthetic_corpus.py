"""The corpus as a `datasets` builder: one configuration per strategy, released as Parquet.

The module's name is the data set's name in the `datasets` cache. Importing it loads `datasets`.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import datasets

from builders.composition import Composition, Order, compose
from builders.strategies import STRATEGIES

DEFAULT_VERSION = "1.0.0"


@dataclass
class SyntheticCorpusConfig(datasets.BuilderConfig):
    """One configuration: the texts of one task that one strategy wrote.

    Attributes:
        task: Task name, or the path of a task file.
    """

    task: str = "sms_spam"


class SyntheticCorpus(datasets.GeneratorBasedBuilder):
    """Builds one configuration of a corpus.

    `SyntheticCorpus("few_shot", task="humor").download_and_prepare(DIR, file_format="parquet")`
    composes the corpus from the embedded recording; with `composition` it writes what was composed
    before.

    The cache is keyed by the content: `datasets` would otherwise take up older data whenever the
    code that makes it changed and the version did not.

    Args:
        config_name: Name of the strategy.
        task: Task name, or the path of a task file.
        version: Semantic version of the release.
        composition: The texts, or None to compose them from the embedded recording.
        kwargs: Passed on to `datasets.GeneratorBasedBuilder`.
    """

    BUILDER_CONFIG_CLASS = SyntheticCorpusConfig
    BUILDER_CONFIGS = [SyntheticCorpusConfig(name=name) for name in STRATEGIES]

    def __init__(
        self,
        config_name: str,
        task: str = "sms_spam",
        version: str = DEFAULT_VERSION,
        composition: Composition | None = None,
        **kwargs: Any,
    ) -> None:
        if composition is None:
            composition = _from_embedded_recording(task, config_name)
        self.composition = composition
        rows = json.dumps(list(_rows(composition)), ensure_ascii=False)
        names = json.dumps(composition.task.label_names)
        super().__init__(
            config_name=config_name,
            task=composition.task.name,
            version=datasets.Version(version),
            hash=hashlib.sha256(f"{names}\n{rows}".encode("utf-8", "surrogatepass")).hexdigest(),
            **kwargs,
        )

    def _info(self) -> datasets.DatasetInfo:
        return datasets.DatasetInfo(
            description=self.composition.task.description,
            features=datasets.Features(
                {
                    "id": datasets.Value("string"),
                    "text": datasets.Value("string"),
                    "label": datasets.ClassLabel(names=list(self.composition.task.label_names)),
                    "strategy": datasets.Value("string"),
                    "llm": datasets.Value("string"),
                    "conversation": datasets.Value("int32"),
                    "turn": datasets.Value("int32"),
                    "index": datasets.Value("int32"),
                }
            ),
        )

    def _split_generators(self, dl_manager: datasets.DownloadManager) -> list[Any]:
        del dl_manager
        return [datasets.SplitGenerator(name=datasets.Split.TRAIN)]

    def _generate_examples(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for row in _rows(self.composition):
            yield str(row["id"]), row


def _rows(composition: Composition) -> Iterator[dict[str, Any]]:
    for kept in composition.kept:
        yield {
            "id": kept.id,
            "text": kept.text,
            "label": kept.label,
            "strategy": kept.request.strategy,
            "llm": composition.record.llm,
            "conversation": kept.request.conversation,
            "turn": kept.request.turn,
            "index": kept.index,
        }


def _from_embedded_recording(task: str, strategy: str) -> Composition:
    from builders.llms.recording import Recording
    from builders.tasks import load_task

    return compose(load_task(task), Order(strategy), Recording())
