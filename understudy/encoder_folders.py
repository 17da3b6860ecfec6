"""Where the studies of several encoders lie: a folder each below that of the whole."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from builders.errors import UserError
from understudy.other_settings import refuse_other_settings
from understudy.study_folder import PLAN, StudyFolder

REPORT = "report"


def parse_encoders(option: str) -> tuple[str, ...]:
    """Read `--encoder`: encoders with commas between.

    Raises:
        UserError: It names none, one twice, or two that would share a folder.
    """
    names = tuple(name.strip() for name in option.split(",") if name.strip())
    if not names:
        raise UserError("--encoder: names no encoder; use minilm, a folder, or a repository")
    folders: dict[str, str] = {}
    for name in names:
        own = folder_name(name)
        if folders.setdefault(own, name) != name:
            raise UserError(
                f"--encoder: {folders[own]!r} and {name!r} end alike, and scores of each go to a "
                f"folder {own}; give them studies of their own"
            )
    if len(folders) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"--encoder: {twice!r} stands twice; name each encoder once")
    return names


def folder_name(encoder: str) -> str:
    """Return the folder of an encoder's study: the last part of its name or path."""
    return Path(os.path.normpath(Path(encoder).absolute())).name


def encoder_folders(out: Path) -> tuple[Path, ...]:
    """Return the folders below `out` with a study whose encoder they are named after, sorted.

    Raises:
        UserError: The plan of one is damaged.
    """
    found = []
    for plan in sorted(out.glob(f"*/{PLAN}")):
        settings = (StudyFolder(plan.parent).plan() or {}).get("settings", {})
        if folder_name(str(settings.get("encoder") or "")) == plan.parent.name:
            found.append(plan.parent)
    return tuple(found)


def places(encoders: Sequence[str], out: Path) -> dict[str, Path]:
    """Return where the study of each encoder goes.

    One encoder has `out` to itself, unless there are studies of several below it already.

    Raises:
        UserError: `out` is the study of one encoder and more are asked for.
    """
    if len(encoders) == 1 and not encoder_folders(out):
        return {encoders[0]: out}
    plan = StudyFolder(out).plan()
    if plan is not None:
        was = plan["settings"].get("encoder")
        raise UserError(
            f"--out {out}: holds the study of one encoder ({was}); name another folder for "
            f"{len(encoders)}"
        )
    return {encoder: out / folder_name(encoder) for encoder in encoders}


def check_places(found: Mapping[str, Path], out: Path, settings: Mapping[str, Any]) -> None:
    """Refuse, before any work, a folder that holds something else, or studies that differ.

    Args:
        found: What `places` gave.
        out: The folder of the whole.
        settings: What is asked for, whatever the encoder.

    Raises:
        UserError: The settings of a study that is there are others, or there are other files.
    """
    if out in found.values():
        return  # of one encoder: the study itself checks it
    if out.exists() and not out.is_dir():
        raise UserError(f"--out {out}: is a file; name a folder")
    there = encoder_folders(out)
    for path in sorted(out.glob("[!.]*")):
        begun = path in found.values() and not any(path.glob("[!.]*"))
        if path not in there and path.name != REPORT and not begun:
            raise UserError(
                f"--out {out}: holds something else beside studies ({path.name}); name another "
                "folder"
            )
    shared = {name: value for name, value in settings.items() if name != "encoder"}
    for folder in there:
        plan = StudyFolder(folder).plan()
        assert plan is not None
        own = {name: value for name, value in plan["settings"].items() if name != "encoder"}
        refuse_other_settings(out, own, shared)
