"""Settings that differ from those of a study that is there already."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from builders.errors import UserError


def refuse_other_settings(out: Path, there: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Refuse another study in the place of one.

    Args:
        out: The study's folder, for the message.
        there: The settings of the study that is there.
        settings: Those that are asked for.

    Raises:
        UserError: They differ; the message names the first that does.
    """
    for name, value in settings.items():
        was = there.get(name)
        if was != value:
            raise UserError(
                f"--out {out}: holds another study ({name.replace('_', '-')} is {_spelled(was)} "
                f"there and {_spelled(value)} here); name another folder"
            )


def _spelled(value: Any) -> str:
    return "not given" if value is None else repr(value)
