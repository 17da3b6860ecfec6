"""Zero-shot: the label and what it means, no example."""

from builders.strategies.base import Plan, Strategy, generation_prompt
from builders.tasks.base import Task


class ZeroShot(Strategy):
    """Asks with the task's prompt alone (Li et al. 2023, section 3, zero-shot)."""

    name = "zero_shot"

    def prompt(self, task: Task, label: str, plan: Plan, conversation: int, turn: int) -> str:
        """Return the task's generation prompt."""
        del conversation, turn
        return generation_prompt(task, label, plan.texts_per_request)
