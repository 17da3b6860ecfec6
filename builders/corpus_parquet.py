"""The rows of one configuration as Parquet, named by their content."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from builders.annotation import Labelling
from builders.composition import Composition

_ROW_GROUP = 50_000  # rows; small groups, which the library's default makes, are slow to read


def write_parquet(made: Composition | Labelling, place: Path, version: str) -> str:
    """Write the Parquet to the new folder `place`, named by its content; return the digest."""
    import datasets

    from builders.corpus_builder import CorpusBuilder
    from builders.labelled_corpus import LabelledCorpus
    from builders.synthetic_corpus import SyntheticCorpus

    options: dict[str, Any] = {
        "version": version,
        "cache_dir": str(place.parent / "cache"),
        "writer_batch_size": _ROW_GROUP,
    }
    builder: CorpusBuilder
    if isinstance(made, Labelling):
        builder = LabelledCorpus(made, **options)
    else:
        builder = SyntheticCorpus(made.record.strategy, composition=made, **options)
    try:
        with _quiet_datasets():
            builder.download_and_prepare(str(place), file_format="parquet")
    except datasets.exceptions.DatasetGenerationError as error:
        # The library hides what the system said, such as that the disk is full.
        if isinstance(error.__cause__, OSError):
            raise error.__cause__ from error
        raise
    (place / "dataset_info.json").unlink()  # repeats the card, with sizes of this machine
    files = sorted(place.glob("*.parquet"))
    digest = hashlib.sha256(b"".join(_digest(file) for file in files)).hexdigest()[:16]
    for i, file in enumerate(files):
        file.rename(place / f"train-{digest}-{i:05d}-of-{len(files):05d}.parquet")
    return digest


def _digest(file: Path) -> bytes:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").digest()


@contextmanager
def _quiet_datasets() -> Iterator[None]:
    """Keep the progress bars of `datasets` off the terminal: a corpus takes a second."""
    import datasets

    was = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if was:
            datasets.enable_progress_bars()
