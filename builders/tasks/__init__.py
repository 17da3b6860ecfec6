"""Tasks: the shipped ones by name, a user's own by its YAML file, and the check of such a file."""

from builders.tasks.base import Prompt, RealSource, Scalar, Task
from builders.tasks.mistakes import Mistake
from builders.tasks.registry import list_tasks, load_task, task_names
from builders.tasks.validation import check_task_file

__all__ = [
    "Mistake",
    "Prompt",
    "RealSource",
    "Scalar",
    "Task",
    "check_task_file",
    "list_tasks",
    "load_task",
    "task_names",
]
