"""Real texts from the Hub, at one resolved commit."""

import errno
import hashlib
import json
import os
from typing import Any

from builders.errors import NotAtHand, UserError
from builders.real.base import RawSplits
from builders.tasks.base import RealSource, Task

_OFFLINE = ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)


def read_hub(task: Task) -> RawSplits:
    """Load the task's data set at one commit.

    The revision is resolved to a commit first and that commit is loaded: `load_dataset` alone
    would silently give an older cached version where the Hub does not answer.

    Raises:
        NotAtHand: The task names no data set, the Hub cannot be reached, or it refuses.
        UserError: The data set has no such split.
        OSError: The disk is full, or the cache cannot be written.
    """
    source = task.real
    if source is None:
        raise NotAtHand(f"task {task.name} names no data set on the Hub: give --real PATH")
    for name in _OFFLINE:
        if os.environ.get(name, "").upper() in ("1", "TRUE", "YES", "ON"):
            raise NotAtHand(f"{source.path}: {name} is set; unset it, or give --real PATH")
    try:
        commit, splits = _load(source)
    except UserError:
        raise
    except Exception as error:  # the clients raise a dozen unrelated types here
        if (cause := _disk_error(error)) is not None:
            raise cause from error
        line = " ".join(str(error).split())[:200]
        raise NotAtHand(
            f"cannot load {source.path} from the Hub ({type(error).__name__}: {line}); "
            "check the network, HF_ENDPOINT and HF_TOKEN, or give --real PATH"
        ) from error
    return RawSplits(
        splits=splits,
        source=f"{source.path}@{commit}",
        class_names=_class_names(next(iter(splits.values())), source.label),
        task_form=False,
    )


def _load(source: RealSource) -> tuple[str, dict[str, Any]]:
    """Return the commit, and for each of our splits its data set."""
    from datasets import config, load_dataset_builder
    from huggingface_hub import HfApi

    commit = HfApi().dataset_info(source.path, revision=source.revision, timeout=30).sha
    files = dict(source.data_files) if source.data_files else None
    wanted = hashlib.sha256(json.dumps([source.name, files]).encode()).hexdigest()[:16]
    builder = load_dataset_builder(
        # Without the scheme a folder of that name, wherever the process runs, would be read.
        f"hf://datasets/{source.path}",
        source.name,
        data_files=files,
        revision=commit,
        # Where the Hub fails now, `datasets` takes what it cached last, whatever its revision and
        # its files: so each has a cache of its own.
        cache_dir=os.path.join(config.HF_DATASETS_CACHE, "by_commit", f"{commit}-{wanted}"),
    )
    if builder.hash != commit:
        raise ConnectionError(f"commit {commit} was asked for and {builder.hash} was given")
    builder.download_and_prepare()
    theirs = {ours: name for ours, name in source.splits.items() if name}
    return str(commit), {ours: _split(builder, source, name) for ours, name in theirs.items()}


def _split(builder: Any, source: RealSource, name: str) -> Any:
    try:
        return builder.as_dataset(split=name)
    except (ValueError, LookupError, AssertionError) as error:
        raise UserError(
            f"{source.path} has no split {name!r}; it has {', '.join(builder.info.splits)}: "
            "correct real.splits in the task file"
        ) from error


def _class_names(rows: Any, column: str) -> tuple[str, ...]:
    """Return the names of the classes of `column`, or of the lists in it, where there are any."""
    feature = rows.features.get(column)
    feature = feature[0] if isinstance(feature, list) else getattr(feature, "feature", feature)
    return tuple(getattr(feature, "names", None) or ())


def _disk_error(error: BaseException | None) -> OSError | None:
    """Find what the system said of the disk under what a library made of it."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _OF_THE_DISK:
            return error
        error = error.__cause__ or error.__context__
    return None
