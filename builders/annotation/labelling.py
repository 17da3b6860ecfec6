"""Texts with the labels that an LLM gave them, and the reasons where it gave none."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from builders.annotation.answers import LabelNames, parse_labels
from builders.annotation.record import Agreement, LabellingRecord
from builders.composition import Halt
from builders.data import LabelledTexts, Texts
from builders.requests import Completion
from builders.tasks.base import Task
from builders.token_use import TokenUse

FAILED, UNKNOWN, NOT_ASKED = "failed request", "unknown label", "not asked"


@dataclass(frozen=True)
class Outcome:
    """What became of one text.

    Attributes:
        label: The index of its label; None if it got none.
        reason: Why it got none: that of its answer (see `ParsedLabels`), `unknown label`, `failed
            request`, or `not asked` after a halt; empty where it has a label.
        request: Name of the request that decided it; empty where there was none.
        model: The model as it named itself in the answer.
    """

    label: int | None
    reason: str = ""
    request: str = ""
    model: str | None = None

    @property
    def spoiled(self) -> bool:
        """Whether its request said nothing of any of its texts."""
        return self.reason not in ("", UNKNOWN, NOT_ASKED)


@dataclass
class Found:
    """What an LLM said of texts, before it is counted.

    Attributes:
        outcomes: What became of each text, in their order.
        texts_per_request: Texts of one request.
        most_words: Words of a text that were shown, None where that is not known.
        use: Tokens of the requests that were answered.
        failed: Why requests had nothing usable, one each.
        asked_again: Requests whose texts were asked about one at a time.
        missing: Texts that a recording has labels for and that are not at hand.
        sampling: Sampling parameters of the requests.
        halt: Why texts were not asked about, None if nothing stopped it.
    """

    outcomes: list[Outcome]
    texts_per_request: int
    most_words: int | None
    use: TokenUse = field(default_factory=TokenUse)
    failed: list[str] = field(default_factory=list)
    asked_again: int = 0
    missing: int = 0
    sampling: dict[str, float | int | str] = field(default_factory=dict)
    halt: Halt | None = None


@dataclass(frozen=True)
class Labelling:
    """Texts that an LLM was to label, in the order of the requests.

    As a classifier, the LLM's predictions are `predictions`, and a text that is not among them it
    gave no answer for: that is no right answer.

    Attributes:
        task: The task.
        asked: The texts; with their true labels, where these are known.
        outcomes: What became of each.
        record: Counts and reasons.
        halt: Why texts were not asked about, None if nothing stopped the labelling.
    """

    task: Task
    asked: LabelledTexts | Texts
    outcomes: tuple[Outcome, ...]
    record: LabellingRecord
    halt: Halt | None = None

    @cached_property
    def texts(self) -> LabelledTexts:
        """The texts that got a label, with the label that the LLM gave."""
        return llm_labelled(self.task, self.asked, self.outcomes)

    @cached_property
    def gold(self) -> LabelledTexts | None:
        """The texts that got a label, with the true one; None where these are not known."""
        if not isinstance(self.asked, LabelledTexts):
            return None
        return self.asked.select([i for i, each in enumerate(self.outcomes) if not each.reason])

    @property
    def predictions(self) -> dict[str, int]:
        """Name of a text -> the index of the label that the LLM gave it."""
        return dict(zip(self.texts.ids, self.texts.labels, strict=True))


def outcomes_of(
    names: LabelNames, request: str, n_texts: int, completion: Completion | None
) -> list[Outcome]:
    """Return what an answer makes of the texts that its request showed.

    Args:
        names: The labels of the task.
        request: The request's name.
        n_texts: How many texts it showed.
        completion: The answer, None where there is none.
    """
    if completion is None:
        return [Outcome(None, FAILED, request)] * n_texts
    parsed = parse_labels(completion, n_texts)
    if parsed.failure is not None:
        return [Outcome(None, parsed.failure, request, completion.model)] * n_texts
    found = [names.index(label) for label in parsed.labels]
    return [Outcome(i, UNKNOWN if i is None else "", request, completion.model) for i in found]


def llm_labelled(
    task: Task, asked: LabelledTexts | Texts, outcomes: Sequence[Outcome]
) -> LabelledTexts:
    """Return the texts that got a label, with the label that the LLM gave."""
    found = [(i, outcome.label) for i, outcome in enumerate(outcomes) if outcome.label is not None]
    return LabelledTexts(
        texts=tuple(asked.texts[i] for i, _ in found),
        labels=tuple(label for _, label in found),
        label_names=task.label_names,
        ids=tuple(asked.ids[i] for i, _ in found),
    )


def agreement(
    task: Task, asked: LabelledTexts | Texts, outcomes: Sequence[Outcome]
) -> Agreement | None:
    """Return how the labels agree with the true ones, None where these are not known."""
    if not isinstance(asked, LabelledTexts):
        return None
    names = task.label_names
    pairs = Counter(
        (names[true], names[outcome.label])
        for true, outcome in zip(asked.labels, outcomes, strict=True)
        if outcome.label is not None
    )
    return Agreement(
        confusion={true: {given: pairs[true, given] for given in names} for true in names}
    )
