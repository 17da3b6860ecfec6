"""What labelling texts gave: counted, with reasons, for cards and reports."""

from dataclasses import dataclass
from typing import Any

from builders.annotation.questions import SYSTEM, label_prompt
from builders.facts import BuildRecord
from builders.tasks.base import Task

CONFIGURATION = "llm_labelled"
"""Name of the configuration, and of the arm, that real texts with an LLM's labels make up."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How an LLM's labels agree with the true ones.

    Attributes:
        confusion: True label -> LLM's label -> texts; of texts that the LLM gave a label.
    """

    confusion: dict[str, dict[str, int]]

    @property
    def texts(self) -> int:
        """Texts that have both labels."""
        return sum(sum(row.values()) for row in self.confusion.values())

    @property
    def agreeing(self) -> int:
        """Texts whose two labels are the same."""
        return sum(row[label] for label, row in self.confusion.items())

    @property
    def share(self) -> float | None:
        """The agreeing among all of them; None where there are none, so that it is undefined."""
        return self.agreeing / self.texts if self.texts else None


@dataclass(frozen=True, kw_only=True)
class LabellingRecord(BuildRecord):
    """What labelling texts gave.

    `kept` counts the labelled texts by the label that the LLM gave.

    Attributes:
        split: What the texts are part of: `train`, `test`, or `texts` of a file.
        source: Where they came from.
        at_hand: Texts that there were to choose from.
        requested: How many of them were wanted; all of a recording, or of a file, if not said.
        asked: How many the LLM was asked about.
        unlabelled: Reason -> texts that got no label.
        asked_again: Requests without usable labels whose texts were asked about one at a time.
        missing: Texts that a recording has labels for and that are not at hand.
        most_words: Words of a text that were shown; None where that is not known.
        cut: Texts that were longer, None where that is not known.
        agreement: How the labels agree with the true ones, None where there are none.
    """

    split: str
    source: str
    at_hand: int
    requested: int
    asked: int
    unlabelled: dict[str, int]
    asked_again: int = 0
    missing: int = 0
    most_words: int | None = None
    cut: int | None = None
    agreement: Agreement | None = None

    @property
    def labelled(self) -> int:
        """Texts that got a label."""
        return sum(self.kept.values())

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "LabellingRecord":
        """Read the record back from JSON.

        Raises:
            TypeError: It is not one.
        """
        record = super().from_dict(values)
        found: Any = record.agreement
        if found is None:
            return record
        if not isinstance(found, dict) or not isinstance(found.get("confusion"), dict):
            raise TypeError("agreement is none")
        return cls(**{**vars(record), "agreement": Agreement(confusion=found["confusion"])})


def words_of(task: Task) -> tuple[str, str]:
    """Return the two messages that labels are asked for with, as they are for two texts."""
    return SYSTEM, label_prompt(task, ["...", "..."])
