"""Rejects a text that is far too short or far too long, and warns of one that is a little so."""

from builders.filters.base import Candidate, Filter
from builders.normalisation import word_count
from builders.tasks.base import Task


def outside(task: Task, text: str) -> bool:
    """Say whether `text` has fewer or more words than `task` asks for."""
    least, most = task.length_words
    return not least <= word_count(text) <= most


class Length(Filter):
    """Rejects a text below half of the task's least or above twice its most words.

    Real texts are not cut to measure, so a text that misses the range by less is style: it stays
    and is counted as a warning.

    Args:
        task: The task.
    """

    reason = "length"

    def __init__(self, task: Task) -> None:
        self._task = task

    def keeps(self, candidate: Candidate) -> bool:
        """Say whether the length of `candidate` is anywhere near what was asked for."""
        least, most = self._task.length_words
        return least / 2 <= word_count(candidate.text) <= most * 2

    def warns(self, candidate: Candidate) -> bool:
        """Say whether the length of `candidate` is not what was asked for."""
        return outside(self._task, candidate.text)
