"""What a corpus, or the labels of texts, would use of a live LLM: nothing is sent."""

from builders.annotation import LabelOrder, drawn_texts
from builders.annotation.live import labels_asking
from builders.annotation.questions import labels_bytes
from builders.composition import Order, asking_of
from builders.data import LabelledTexts, Texts
from builders.generation import Rounds
from builders.generation.estimate import Estimate, estimate, written_bytes
from builders.ledger import Ledger
from builders.llms.base import LiveLLM
from builders.tasks.base import Task


def corpus_estimate(
    task: Task, order: Order, llm: LiveLLM, train: LabelledTexts | None, known: Ledger | None = None
) -> Estimate:
    """Return what the first round of a corpus would use.

    Args:
        task: The task.
        order: What is asked for.
        llm: What would answer.
        train: Real training texts that a strategy may draw examples from.
        known: What was answered before.

    Raises:
        UserError: The LLM cannot give what is asked for, or there are no texts to show.
    """
    asking, quota = asking_of(task, order, llm, train)
    first = Rounds(task.label_names, quota).first()
    return estimate(asking, first, written_bytes(task, quota.texts_per_request), known)


def labels_estimate(
    task: Task,
    pool: LabelledTexts | Texts,
    order: LabelOrder,
    llm: LiveLLM,
    known: Ledger | None = None,
) -> Estimate:
    """Return what the labels of texts would use.

    Args:
        task: The task.
        pool: The texts that there are to choose from.
        order: What is asked for.
        llm: What would answer.
        known: What was answered before.

    Raises:
        UserError: There is no text.
    """
    asked = drawn_texts(pool, order)
    asking, first = labels_asking(task, Texts(asked.texts, asked.ids), llm, order)
    answer = labels_bytes(task, min(asking.plan.texts_per_request, len(asked)))
    return estimate(asking, first, answer, known)
