"""What writes the corpora of a study and labels its real texts."""

from collections.abc import Sequence

from builders.annotation import Labelling, LabelOrder, label_texts
from builders.composition import Composition, Live, Order, compose
from builders.data import LabelledTexts
from builders.filters.copies import CopyIndex
from builders.llms.base import LLM
from builders.tasks.base import Task


class Writer:
    """An LLM, and what it needs if it is asked live.

    Args:
        llm: What answers.
        live: What a live LLM needs; None for a recording.
    """

    def __init__(self, llm: LLM, live: Live | None = None) -> None:
        self.llm = llm
        self.live = live

    @property
    def asks(self) -> bool:
        """Whether a live LLM is asked, so that what is not used is not to be asked for."""
        return self.live is not None

    def write(
        self,
        task: Task,
        order: Order,
        train: LabelledTexts | None,
        tested: Sequence[str] | CopyIndex | None,
    ) -> Composition:
        """Return a corpus.

        Args:
            task: The task.
            order: What is asked for.
            train: Real training texts that a strategy may draw examples from.
            tested: Texts that no corpus may copy.

        Raises:
            UserError: As `compose`.
        """
        return compose(task, order, self.llm, train=train, real_test_texts=tested, live=self.live)

    def label(self, task: Task, texts: LabelledTexts, order: LabelOrder, source: str) -> Labelling:
        """Return the labels of real texts; arguments and errors are those of `label_texts`."""
        return label_texts(task, texts, self.llm, order, source=source, live=self.live)
