"""Real texts from the Hub, at one resolved commit."""

import os
from typing import Any

from builders.errors import NotAtHand, UserError
from builders.real.base import RawSplits
from builders.tasks.base import RealSource, Task


def read_hub(task: Task) -> RawSplits:
    """Load the task's data set at one commit.

    The revision is resolved to a commit first and that commit is loaded: `load_dataset` alone
    would silently give an older cached version where the Hub does not answer.

    Raises:
        NotAtHand: The task names no data set, the Hub cannot be reached, or it refuses.
        UserError: The data set has no such split.
    """
    source = task.real
    if source is None:
        raise NotAtHand(f"task {task.name} names no data set on the Hub: give --real PATH")
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        raise NotAtHand(f"{source.path}: HF_HUB_OFFLINE is set; unset it, or give --real PATH")
    try:
        commit, loaded = _load(source)
    except Exception as error:  # the clients raise a dozen unrelated types here
        line = " ".join(str(error).split())[:200]
        raise NotAtHand(
            f"cannot load {source.path} from the Hub ({type(error).__name__}: {line}); "
            "check the network, HF_ENDPOINT and HF_TOKEN, or give --real PATH"
        ) from error
    missing = [name for name in source.splits.values() if name and name not in loaded]
    if missing:
        raise UserError(
            f"{source.path} has no split {missing[0]!r}; it has {', '.join(loaded)}: "
            "correct real.splits in the task file"
        )
    splits = {ours: loaded[theirs] for ours, theirs in source.splits.items() if theirs}
    feature = next(iter(loaded.values())).features.get(source.label)
    names = getattr(feature, "names", None) or getattr(
        getattr(feature, "feature", None), "names", None
    )
    return RawSplits(
        splits=splits,
        source=f"{source.path}@{commit}",
        class_names=tuple(names or ()),
        task_form=False,
    )


def _load(source: RealSource) -> tuple[str, Any]:
    from datasets import load_dataset
    from huggingface_hub import HfApi

    commit = HfApi().dataset_info(source.path, revision=source.revision, timeout=30).sha
    files = dict(source.data_files) if source.data_files else None
    loaded = load_dataset(source.path, source.name, data_files=files, revision=commit)
    return str(commit), loaded
