"""A task: a classification problem as its YAML file states it."""

from collections.abc import Mapping
from dataclasses import dataclass

Scalar = str | int | float | bool


@dataclass(frozen=True)
class Prompt:
    """How an LLM is asked for texts.

    Attributes:
        context: Who the LLM is to be; sent as the system message.
        generate: The request, with the placeholders `{count}`, `{label}`, `{meaning}`,
            `{min_words}` and `{max_words}`.
    """

    context: str
    generate: str


@dataclass(frozen=True)
class RealSource:
    """Where a task's real texts are on the Hub, and how its values map to our labels.

    Attributes:
        path: Repository of the data set.
        text: Column of the text; a column of tokens needs `join`.
        label: Column of the label.
        labels: Value in the data -> our label. Other values are dropped and counted.
        splits: Our split (`train`, `validation`, `test`) -> theirs, or None where there is none.
        name: Configuration of the data set.
        revision: Branch, tag or commit.
        data_files: Split -> files, where the repository needs it.
        join: What joins a column of tokens to a text.
    """

    path: str
    text: str
    label: str
    labels: Mapping[Scalar, str]
    splits: Mapping[str, str | None]
    name: str | None = None
    revision: str | None = None
    data_files: Mapping[str, str] | None = None
    join: str | None = None


@dataclass(frozen=True)
class Task:
    """A classification problem: labels, what each means, how to ask for texts, where real ones are.

    Attributes:
        name: The task's name, as in its file.
        title: For tables and pages.
        description: The question that a label answers.
        labels: Label -> its meaning, in the order of the class indices.
        prompt: How an LLM is asked for texts.
        length_words: Least and most words of a text (inclusive).
        real: Where real texts are, or None.
        forbid_label: Whether a text that names its own label is rejected.
        subjectivity_rank_remembered: Rank from least (1) to most subjective (10), as remembered
            from the paper; not measured.
    """

    name: str
    title: str
    description: str
    labels: Mapping[str, str]
    prompt: Prompt
    length_words: tuple[int, int]
    real: RealSource | None = None
    forbid_label: bool = False
    subjectivity_rank_remembered: int | None = None

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels in the order of the class indices."""
        return tuple(self.labels)
