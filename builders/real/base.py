"""Real texts of a task: what they are, whatever they were read from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from builders.data import LabelledTexts

SPLITS = ("train", "validation", "test")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class RawSplits:
    """Rows as a source holds them, before labels are mapped.

    Attributes:
        splits: Our split name -> its rows.
        source: Where they came from, for tables; a Hub data set with its resolved commit.
        class_names: Names of the label column's classes, where the source states them.
        task_form: Whether labels may be the task's own names (files), not only values of the
            task's `real:` block (the Hub).
    """

    splits: Mapping[str, Iterable[Row]]
    source: str
    class_names: tuple[str, ...] = ()
    task_form: bool = True


@dataclass(frozen=True)
class RealData:
    """A task's real texts, ready to train and test on.

    Attributes:
        train: Training texts; none of them stands in `test`, case and punctuation ignored.
        test: Test texts.
        validation: Validation texts, where the source has them or a split was drawn.
        source: Where they came from.
        dropped: Value of the label column -> rows dropped because the task has no label for it.
        moved: Training and validation texts removed because the test split holds them too.
        blank: Rows dropped because their text is blank.
    """

    train: LabelledTexts
    test: LabelledTexts
    validation: LabelledTexts | None
    source: str
    dropped: dict[str, int] = field(default_factory=dict)
    moved: int = 0
    blank: int = 0
