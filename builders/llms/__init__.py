"""What answers a request. `create_llm` reads the `--llm` option."""

from pathlib import Path

from builders.errors import UserError
from builders.llms.base import LLM

__all__ = ["LLM", "create_llm"]


def create_llm(name: str) -> LLM:
    """Return the LLM that `name` means.

    Args:
        name: `recording` (the embedded one) or `recording:PATH`.

    Raises:
        UserError: The name means no LLM, or there is none at the path.
    """
    kind, colon, rest = name.partition(":")
    if kind == "recording" and bool(colon) == bool(rest):
        from builders.llms.recording import Recording

        return Recording(Path(rest) if rest else None)
    raise UserError(f"--llm {name}: unknown; use recording, or recording:PATH for one of your own")
