"""Few-shot: real examples of the label, drawn afresh for every request."""

import random

from builders.data import LabelledTexts
from builders.errors import UserError
from builders.strategies.base import Plan, Strategy, generation_prompt
from builders.tasks.base import Task

SHOTS = 5
POOL_SHARE = 0.1
"""Share of the real training texts of a label that may be shown, as in Li et al. (2023)."""

RULE = (
    "You should imitate the examples I have provided, but you cannot simply modify or rewrite the "
    "examples I have given."
)
"""The paper's wording, section 3."""

_OPENING = "\n\nExamples:\n"


def example_pool(train: LabelledTexts, seed: int) -> LabelledTexts:
    """Draw the texts that prompts may show: a tenth of each label's, at least `SHOTS`.

    Args:
        train: Real training texts; no test text may be among them.
        seed: Draws the pool.

    Raises:
        UserError: A label has no training text.
    """
    counts = train.counts()
    bare = [name for name, n in counts.items() if not n]
    if bare:
        raise UserError(
            f"few_shot shows real training texts of each label, and {bare[0]!r} has none: give "
            "training data that has some, or use zero_shot"
        )
    pools = [
        train.select(
            [i for i, la in enumerate(train.labels) if train.label_names[la] == name]
        ).sample_per_label(max(SHOTS, round(POOL_SHARE * counts[name])), seed)
        for name in train.label_names
    ]
    return LabelledTexts(
        texts=tuple(t for pool in pools for t in pool.texts),
        labels=tuple(la for pool in pools for la in pool.labels),
        label_names=train.label_names,
        ids=tuple(i for pool in pools for i in pool.ids),
    )


def examples_of(message: str) -> tuple[str, ...]:
    """Return the examples that a user's message of this strategy shows."""
    _, found, after = message.rpartition(_OPENING)
    if not found:
        return ()
    return tuple(line[2:] for line in after.split("\n\n")[0].split("\n") if line[:2] == "- ")


class FewShot(Strategy):
    """Adds real examples to the task's prompt and forbids rewriting them (section 3, few-shot).

    Args:
        pool: The texts that may be shown, or None for a recording, which needs no examples.
    """

    name = "few_shot"
    shows_examples = True

    def __init__(self, pool: LabelledTexts | None = None) -> None:
        by_label: dict[str, dict[str, None]] = {}
        if pool is not None:
            for label, text in pool.pairs():
                by_label.setdefault(pool.label_names[label], {})[" ".join(text.split())] = None
        # A text that stands in the pool twice is still one example.
        self._by_label = {label: list(texts) for label, texts in by_label.items()}

    def examples(
        self, task: Task, label: str, plan: Plan, conversation: int, turn: int
    ) -> tuple[str, ...]:
        """Draw the turn's examples: the same for the same seed, another draw for every request."""
        texts = self._by_label.get(label, [])
        draw = f"{plan.seed}/{task.name}/{label}/{conversation}/{turn}"
        return tuple(random.Random(draw).sample(texts, min(SHOTS, len(texts))))

    def prompt(self, task: Task, label: str, plan: Plan, conversation: int, turn: int) -> str:
        """Return the task's generation prompt, the examples and the rule on copying."""
        request = generation_prompt(task, label, plan.texts_per_request)
        examples = self.examples(task, label, plan, conversation, turn)
        if not examples:
            return request
        listed = "\n".join(f"- {text}" for text in examples)
        return f"{request}{_OPENING}{listed}\n\n{RULE}"
