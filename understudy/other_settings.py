"""Settings that differ from those of a study that is there already."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from builders.errors import UserError
from trainers.finetuning.settings import FinetuneSettings
from understudy.settings import CLASSIFIED, LABELLED, StudySettings, is_recording

_OF_A_LIVE_LLM = ("labelled", "classified")


def refuse_other_settings(out: Path, there: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Refuse another study in the place of one.

    What one of them does not name has its default there: it may have been written before there was
    such a setting.

    Args:
        out: The study's folder, for the message.
        there: The settings of the study that is there.
        settings: Those that are asked for.

    Raises:
        UserError: They differ; the message names the first that does.
    """
    usual = {
        **asdict(StudySettings(labelled=LABELLED, classified=CLASSIFIED)),
        **asdict(FinetuneSettings()),
    }
    for name in {**settings, **there}:
        if name in _OF_A_LIVE_LLM and is_recording(there.get("llm", usual["llm"])):
            continue  # older studies name them of a recording, too, of which they decide nothing
        was, value = (each.get(name, usual.get(name)) for each in (there, settings))
        if was != value:
            raise UserError(
                f"--out {out}: holds another study ({name.replace('_', '-')} is {_spelled(was)} "
                f"there and {_spelled(value)} here); name another folder"
            )


def _spelled(value: Any) -> str:
    return "not given" if value is None else repr(value)
