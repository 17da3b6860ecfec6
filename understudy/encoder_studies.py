"""A study with one encoder or with several: one after another, each in a folder of its own."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from understudy.encoder_folders import check_places, places
from understudy.llm_session import LLMSession
from understudy.progress import say
from understudy.settings import Grid, StudySettings
from understudy.study import Study, StudyOutcome


def run_studies(
    grid: Grid,
    settings: StudySettings,
    encoders: Sequence[str],
    out: Path,
    said: Callable[[str], object] = say,
    session: LLMSession | None = None,
    processes: int = 1,
) -> Iterator[tuple[str, Path, StudyOutcome]]:
    """Do the study of each encoder; yield the encoder, its folder and what was done.

    A live LLM is asked once: what it wrote for the first is in the ledger for the others.

    Args:
        grid: Tasks, arms and seeds.
        settings: What all runs share, whatever the encoder in them.
        encoders: The encoders.
        out: The folder of the whole.
        said: Called with each line that a person should read.
        session: As of a `Study`.
        processes: As of a `Study`.

    Raises:
        UserError: As of a `Study`; or a folder holds something else, before any work.
    """
    found = places(encoders, out)
    check_places(found, out, settings.as_dict())
    for encoder, folder in found.items():
        if len(found) > 1:
            said(f"encoder {encoder}: {folder}")
        own = replace(settings, encoder=encoder)
        yield encoder, folder, Study(grid, own, folder, said, session, processes).run()
