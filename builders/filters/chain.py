"""The filters of a corpus in their order; a further filter is one file and one line here."""

from collections.abc import Iterable

from builders.filters.base import Filter, FilterChain
from builders.filters.copies import CopyIndex
from builders.filters.duplicate import Duplicate
from builders.filters.empty import Empty
from builders.filters.label_named import LabelNamed
from builders.filters.length import Length
from builders.filters.near_duplicate import NearDuplicate
from builders.filters.real_test_copy import RealTestCopy
from builders.filters.refusal import Refusal
from builders.filters.seed_copy import SeedCopy
from builders.tasks.base import Task


def build_chain(
    task: Task,
    *,
    seed_examples: Iterable[str] | None,
    real_test_texts: Iterable[str] | CopyIndex | None,
    shows_examples: bool = True,
) -> FilterChain:
    """Return the filters that every corpus of `task` passes, fresh.

    Args:
        task: The task.
        seed_examples: The real texts that the run's prompts showed, None where not at hand.
        real_test_texts: The task's real test texts, None where not at hand.
        shows_examples: Whether the strategy shows examples at all.
    """
    filters: list[Filter] = [
        Refusal(),
        Empty(),
        Length(task),
        *([LabelNamed()] if task.forbid_label else []),
        Duplicate(),
        NearDuplicate(),
        SeedCopy(seed_examples, shown=shows_examples),
        RealTestCopy(real_test_texts),
    ]
    return FilterChain(filters)
