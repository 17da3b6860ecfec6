"""Where synthetic texts are: a corpus folder, or a release on the Hub at one commit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from builders.corpus import read_corpus, read_records
from builders.data import LabelledTexts
from builders.errors import UserError
from builders.facts import BuildRecord
from builders.tasks.base import Task


@dataclass(frozen=True)
class Loaded:
    """One configuration of a corpus.

    Attributes:
        texts: Its texts.
        record: What its build gave.
        source: `OWNER/NAME@COMMIT` where it is from the Hub; empty for a folder.
    """

    texts: LabelledTexts
    record: BuildRecord
    source: str


def load_corpus(task: Task, where: str | None, config: str | None, revision: str | None) -> Loaded:
    """Load one configuration of a corpus.

    Args:
        task: The task.
        where: A folder, or `OWNER/NAME` on the Hub.
        config: The configuration; None for the only one.
        revision: The release; needed for one on the Hub, which would otherwise move.

    Raises:
        UserError: There is no such corpus, it is another task's, or its labels are not the task's.
    """
    if where is None:
        raise UserError(
            "--train synthetic: say where its texts are with --corpus FOLDER (understudy build "
            f"{task.name} writes one), or leave synthetic out"
        )
    folder, commit = _folder(where, revision)
    records = {record.strategy: record for record in read_records(folder)}
    if not records:
        raise UserError(
            f"--corpus {where}: is no corpus; give a folder that understudy build wrote, or a "
            "release of one"
        )
    if config is None and len(records) > 1:
        raise UserError(f"--corpus {where}: has {', '.join(records)}; choose one with --config")
    config = config or next(iter(records))
    if config not in records:
        raise UserError(
            f"--config {config}: {where} has no such configuration; it has {', '.join(records)}"
        )
    record = records[config]
    if record.task != task.name:
        raise UserError(
            f"--corpus {where}: is of task {record.task!r}, and {task.name!r} is to be trained; "
            "name the corpus of this task"
        )
    return Loaded(
        read_corpus(folder, config, task.label_names),
        replace(record, path="", files=""),
        f"{where}@{commit}" if commit else "",
    )


def _folder(where: str, revision: str | None) -> tuple[Path, str]:
    """Return where the files are, and at which commit of the Hub; empty for a folder here."""
    path = Path(where)
    if path.exists():
        if revision is not None:
            raise UserError(f"--revision {revision}: is of the Hub, and {where} is a folder here")
        return path, ""
    if where.count("/") != 1:
        raise UserError(f"--corpus {where}: no such folder; name one, or OWNER/NAME on the Hub")
    if revision is None:
        raise UserError(
            f"--corpus {where}: no such folder; for the Hub say which release with --revision, "
            "such as v1.0.0"
        )
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(where, repo_type="dataset", revision=revision))
    except Exception as error:  # the client raises a dozen unrelated types here
        line = " ".join(str(error).split())[:200]
        raise UserError(
            f"--corpus {where}: no such folder, and the Hub does not give {revision} "
            f"({type(error).__name__}: {line}); check both names, the network and HF_TOKEN"
        ) from error
    return folder, folder.name  # a snapshot's folder is named by its commit, whatever the revision
