"""The corpus as a `datasets` builder: one configuration per strategy, released as Parquet.

The module's name is the data set's name in the `datasets` cache. Importing it loads `datasets`.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import datasets
from datasets.config import DATASET_INFO_FILENAME

from builders.composition import Composition, Order, compose
from builders.errors import UserError
from builders.strategies import STRATEGIES

DEFAULT_VERSION = "1.0.0"


@dataclass
class SyntheticCorpusConfig(datasets.BuilderConfig):
    """One configuration: the texts of one task that one strategy wrote.

    Attributes:
        task: Task name, or the path of a task file.
    """

    task: str = ""


class SyntheticCorpus(datasets.GeneratorBasedBuilder):
    """Builds one configuration of a corpus.

    `SyntheticCorpus("few_shot", task="humor").download_and_prepare(DIR, file_format="parquet")`
    composes the corpus from the embedded recording; with `composition` it writes what was composed
    before.

    Neither the cache nor an output folder answers with other content: `datasets` alone takes up
    what is there whenever the version is the same, and empties a folder that it does not know.

    Args:
        config_name: Name of the strategy.
        task: Task name, or the path of a task file; not needed with `composition`.
        version: Semantic version of the release.
        composition: The texts, or None to compose them from the embedded recording.
        kwargs: Passed on to `datasets.GeneratorBasedBuilder`.

    Raises:
        UserError: There is no such task or strategy, or no recorded answers for them.
    """

    BUILDER_CONFIG_CLASS = SyntheticCorpusConfig
    BUILDER_CONFIGS: ClassVar = [SyntheticCorpusConfig(name=name) for name in STRATEGIES]

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
        super().__init__(
            config_name=config_name,
            task=composition.task.name,
            version=datasets.Version(version),
            hash=_content_hash(composition, self._info()),
            **kwargs,
        )

    def download_and_prepare(self, output_dir: str | None = None, **kwargs: Any) -> None:
        """Write the corpus to the cache, or to the folder `output_dir`, which it replaces.

        Args:
            output_dir: A folder that is new, empty, or was written by this method.
            kwargs: Passed on to `datasets`.

        Raises:
            UserError: The folder holds something else.
        """
        if output_dir is not None and "://" not in str(output_dir):
            _refuse_foreign(Path(output_dir), f"{self.dataset_name}-")
            kwargs.setdefault("download_mode", datasets.DownloadMode.FORCE_REDOWNLOAD)
        super().download_and_prepare(output_dir, **kwargs)

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


def _content_hash(composition: Composition, info: datasets.DatasetInfo) -> str:
    """Return a hash (hex) of all that the written corpus holds."""
    digest = hashlib.sha256(json.dumps([info.description, info.features.to_dict()]).encode())
    for row in _rows(composition):
        digest.update(json.dumps(row).encode() + b"\n")
    return digest.hexdigest()


def _refuse_foreign(folder: Path, prefix: str) -> None:
    """Refuse a folder that no earlier call wrote: `datasets` would remove all that is in it."""
    if folder.is_file():
        raise UserError(f"{folder}: is a file; name a folder")
    ours = (prefix, DATASET_INFO_FILENAME)
    for path in folder.iterdir() if folder.is_dir() else ():
        if not path.name.startswith(ours):
            raise UserError(
                f"{folder}: holds something else ({path.name}) and would be emptied; name another "
                "folder"
            )


def _from_embedded_recording(task: str | None, strategy: str) -> Composition:
    from builders.llms.recording import Recording
    from builders.tasks import load_task

    if task is None:
        raise UserError('SyntheticCorpus: give a task, as in SyntheticCorpus("few_shot", "humor")')
    return compose(load_task(task), Order(strategy), Recording())
