"""What commands that write a corpus folder have in common: where to, and how they end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from builders.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from builders.annotation import Labelling
    from builders.composition import Composition

UNFINISHED = 3
"""Exit code of what a budget, a server or a label without new texts ended early."""


def refuse_unloadable(folder: Path) -> None:
    """Refuse a folder that `load_dataset` would take for a pattern or for a chained address."""
    place = str(folder.resolve())
    if found := next((part for part in ("[", "::") if part in place), None):
        raise UserError(
            f"--out {folder}: load_dataset cannot read a folder with {found} in its path; name "
            "another folder"
        )


def write_output(
    command: str, made: Composition | Labelling, folder: Path, summary: Iterable[str]
) -> int:
    """Write what there is and say how it came about; return the exit code."""
    from builders.corpus import write_corpus

    record, halt = made.record, made.halt
    for line in summary:
        print(f"  {line}")
    kept = sum(record.kept.values())
    if kept:
        write_corpus(made, folder)
        print(f"{folder}: load_dataset({str(folder)!r}, {record.strategy!r})")
    elif halt is None:
        write_corpus(made, folder)  # says that there is nothing to write
    if halt is None:
        return 0
    print(
        f"understudy {command}: {halt.why}; {kept} texts are kept, and every answer is in the "
        f"ledger: {halt.remedy}",
        file=sys.stderr,
    )
    return UNFINISHED if halt.signal is None else 128 + halt.signal
