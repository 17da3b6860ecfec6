"""Which of the accepted texts make up a corpus."""

import random
from collections import Counter
from collections.abc import Sequence

from builders.data import LabelledTexts
from builders.filters.base import Candidate
from builders.tasks.base import Task


def labelled_texts(task: Task, kept: Sequence[Candidate]) -> LabelledTexts:
    """Return candidates as labelled texts of `task`."""
    names = task.label_names
    return LabelledTexts(
        texts=tuple(c.text for c in kept),
        labels=tuple(names.index(c.label) for c in kept),
        label_names=names,
        ids=tuple(c.id for c in kept),
    )


def chosen_texts(
    task: Task, accepted: Sequence[Candidate], per_label: int, seed: int
) -> tuple[Candidate, ...]:
    """Draw `per_label` of each label where more were accepted; keep the order."""
    chosen: set[str] = set()
    order = {label: i for i, label in enumerate(task.label_names)}
    accepted = sorted(
        accepted, key=lambda c: (order[c.label], c.request.conversation, c.request.turn, c.index)
    )
    for label in task.label_names:
        own = [c.id for c in accepted if c.label == label]
        rng = random.Random(f"{seed}/{task.name}/{label}")
        chosen.update(own if len(own) <= per_label else rng.sample(own, per_label))
    return tuple(c for c in accepted if c.id in chosen)


def counts_per_label(task: Task, candidates: Sequence[Candidate]) -> dict[str, int]:
    """Return how many candidates each label of `task` has."""
    counts = Counter(c.label for c in candidates)
    return {label: counts[label] for label in task.label_names}
