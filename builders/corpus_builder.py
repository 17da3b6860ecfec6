"""What the `datasets` builders of corpora share: one split of rows, in a folder of their own.

Importing it loads `datasets`.
"""

import hashlib
import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
from datasets.config import DATASET_INFO_FILENAME

from builders.errors import UserError
from builders.tasks.base import Task

DEFAULT_VERSION = "1.0.0"


@dataclass
class CorpusConfig(datasets.BuilderConfig):
    """One configuration: texts of one task.

    Attributes:
        task: Task name, or the path of a task file.
    """

    task: str = ""


class CorpusBuilder(datasets.GeneratorBasedBuilder):
    """Writes rows that are there already.

    Neither the cache nor an output folder answers with other content: `datasets` alone takes up
    what is there whenever the version is the same, and empties a folder that it does not know.

    Args:
        config_name: Name of the configuration.
        task: The task.
        version: Semantic version of the release.
        kwargs: Passed on to `datasets.GeneratorBasedBuilder`.
    """

    BUILDER_CONFIG_CLASS = CorpusConfig

    def __init__(self, config_name: str, task: Task, version: str, **kwargs: Any) -> None:
        self._task = task
        super().__init__(
            config_name=config_name,
            task=task.name,
            version=datasets.Version(version),
            hash=self._content_hash(),
            **kwargs,
        )

    @abstractmethod
    def provenance(self) -> Mapping[str, str]:
        """Return the columns beside `id`, `text` and `label`: name -> type of `datasets`."""

    @abstractmethod
    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows."""

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
        others = {name: datasets.Value(kind) for name, kind in self.provenance().items()}
        return datasets.DatasetInfo(
            description=self._task.description,
            features=datasets.Features(
                {
                    "id": datasets.Value("string"),
                    "text": datasets.Value("string"),
                    "label": datasets.ClassLabel(names=list(self._task.label_names)),
                    **others,
                }
            ),
        )

    def _split_generators(self, dl_manager: datasets.DownloadManager) -> list[Any]:
        del dl_manager
        return [datasets.SplitGenerator(name=datasets.Split.TRAIN)]

    def _generate_examples(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for row in self.rows():
            yield str(row["id"]), row

    def _content_hash(self) -> str:
        """Return a hash (hex) of all that the written corpus holds."""
        info = self._info()
        digest = hashlib.sha256(json.dumps([info.description, info.features.to_dict()]).encode())
        for row in self.rows():
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
