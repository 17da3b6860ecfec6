"""Which words an LLM was asked with, as one digest: a release that asks in others is told by it."""

import hashlib
import json

from builders.strategies.base import DIVERSITY_PROMPT
from builders.strategies.few_shot import RULE, FewShot
from builders.tasks.base import Task


def prompts_digest(task: Task, strategy: str) -> str:
    """Return a SHA-256 (hex) of the words that a strategy asks with: other words, another digest.

    Examples that a prompt shows do not count, nor how many texts one request asks for.
    """
    rule = RULE if strategy == FewShot.name else ""
    words = [task.prompt.context, task.prompt.generate, DIVERSITY_PROMPT, rule]
    meanings = list(task.labels.items())
    asked = json.dumps([words, meanings, list(task.length_words)], ensure_ascii=False)
    return hashlib.sha256(asked.encode()).hexdigest()
