"""Real texts of a task: from files, from `$UNDERSTUDY_DATA/real`, or from the Hub."""

import os
from pathlib import Path

from builders.data import LabelledTexts
from builders.errors import NotAtHand, UserError
from builders.real.base import RawSplits, RealData
from builders.real.files import has_files, read_files
from builders.real.labels import NONE, SEVERAL, LabelMap, labelled
from builders.real.splitting import split, without
from builders.tasks.base import Task

__all__ = ["HUB", "NO_REAL", "NotAtHand", "RealData", "load_real"]

HUB = "hub"
"""The `--real` value that means the Hub."""

NO_REAL = "none"
"""The `--real` value that means no real texts, whatever is at hand."""


def load_real(task: Task, where: str | None = None, *, allow_hub: bool = True) -> RealData:
    """Load the task's real texts.

    Args:
        task: The task.
        where: A file or folder, `hub` or `none`; None tries `$UNDERSTUDY_DATA/real`, then the Hub.
        allow_hub: Whether the Hub may be asked when `where` is None.

    Raises:
        NotAtHand: None can be reached.
        UserError: A column is missing, or labels are not the task's.
    """
    raw = _raw(task, where, allow_hub)
    labels = LabelMap(task, raw.class_names, raw.task_form)
    splits = {}
    blank = 0
    for name, rows in raw.splits.items():
        splits[name], empty = labelled(rows, labels, raw, name)
        blank += empty
    _refuse_unknown(labels, raw, sum(map(len, splits.values())))
    train, validation, test = _three(task, splits)
    clean = without(train, test)
    moved = len(train) - len(clean)
    if validation is not None:
        kept = without(validation, test)
        moved += len(validation) - len(kept)
        validation = kept
    _refuse_empty(raw.source, "test", test)
    if len(train):
        _refuse_empty(raw.source, "training", clean)
    return RealData(clean, test, validation, raw.source, dict(labels.dropped), moved, blank)


def _three(
    task: Task, splits: dict[str, LabelledTexts]
) -> tuple[LabelledTexts, LabelledTexts | None, LabelledTexts]:
    """Return train, validation and test; without a test split the training split is divided.

    Real test texts alone are enough to score synthetic arms: the training part is empty then.
    """
    if "test" in splits:
        train = splits.get("train") or LabelledTexts((), (), task.label_names, ())
        return train, splits.get("validation"), splits["test"]
    drawn = split(splits["train"])
    own = splits.get("validation")
    if own is None:
        return drawn.train, drawn.validation, drawn.test
    tested = set(drawn.test.ids)
    rest = [i for i, name in enumerate(splits["train"].ids) if name not in tested]
    return splits["train"].select(rest), own, drawn.test


def _raw(task: Task, where: str | None, allow_hub: bool) -> RawSplits:
    from builders.real.hub import read_hub

    if where == HUB:
        return read_hub(task)
    if where == NO_REAL:
        raise NotAtHand(f"no real data for {task.name}: --real {NO_REAL}")
    if where == "":
        raise UserError("--real: is empty; give a file, a folder, hub or none")
    if where is not None:
        return read_files(Path(where), task.name)
    folder = os.environ.get("UNDERSTUDY_DATA")
    if folder and has_files(Path(folder) / "real", task.name):
        raw = read_files(Path(folder) / "real", task.name)
        return RawSplits(raw.splits, f"$UNDERSTUDY_DATA/real/{task.name}")
    if allow_hub:
        return read_hub(task)
    raise NotAtHand(
        f"no real data for {task.name} at hand: give --real PATH, set UNDERSTUDY_DATA, or allow "
        "the Hub"
    )


def _refuse_unknown(labels: LabelMap, raw: RawSplits, kept: int) -> None:
    """Unknown values are dropped where the `real:` block maps values, and a mistake elsewhere."""
    unknown = [v for v in labels.dropped if v not in (SEVERAL, NONE)]
    if not unknown or labels.by_value:
        return
    some = ", ".join(map(repr, sorted(unknown)[:5]))
    raise UserError(
        f"{raw.source}: labels that task {labels.task.name} does not have: {some}"
        f"{' ...' if len(unknown) > 5 else ''} ({kept} rows fit); it has "
        f"{', '.join(map(repr, labels.task.label_names))}: correct the file or the task"
    )


def _refuse_empty(source: str, name: str, part: LabelledTexts) -> None:
    empty = [label for label, n in part.counts().items() if not n]
    if empty:
        raise UserError(
            f"{source}: no {name} text has the label {empty[0]!r}; every label of the task needs "
            "some"
        )
