"""The placeholders of a task's generation prompt, which `str.format` fills."""

import re
from collections.abc import Iterator

from builders.tasks.mistakes import closest

PLACEHOLDERS = ("count", "label", "meaning", "min_words", "max_words")
"""The names that `prompt.generate` may hold, in braces."""

REQUIRED = ("count", "label")
"""The names that it must hold."""

# A doubled brace is how `str.format` writes a single one.
_PART = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}]*)\}|[{}]")
_CONTEXT = 12


def placeholder_mistakes(text: str) -> Iterator[tuple[str, str]]:
    """Yield (what is wrong, what would be right) for each fault of the generation prompt `text`."""
    found = set()
    for part in _PART.finditer(text):
        name = part["name"]
        if part[0] in ("{", "}"):
            yield (
                f"has a stray {part[0]} {_where(text, part)}",
                f"write {part[0] * 2} for one brace",
            )
        elif name in PLACEHOLDERS:
            found.add(name)
        elif name is not None:
            yield f"has the unknown placeholder {part[0]} {_where(text, part)}", _instead(name)
    for name in REQUIRED:
        if name not in found:
            yield f"has no {{{name}}}", f"name it in the request: {_PURPOSE[name]}"


_PURPOSE = {
    "count": "{count} is how many texts the LLM has to write",
    "label": "{label} is the label they have to have",
}


def _where(text: str, part: re.Match[str]) -> str:
    start, end = max(part.start() - _CONTEXT, 0), part.end() + _CONTEXT
    excerpt = " ".join(text[start:end].split())
    return f"at character {part.start() + 1} (near '{excerpt}')"


def _instead(name: str) -> str:
    near = closest(name, PLACEHOLDERS)
    meant = f"did you mean {{{near}}}? " if near else ""
    return f"{meant}placeholders are {', '.join(f'{{{each}}}' for each in PLACEHOLDERS)}"
