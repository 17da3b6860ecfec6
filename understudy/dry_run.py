"""What a study would do and take: its runs, requests, money and time; nothing is sent or written.

What it takes is estimated from texts as long as they are to be, where a live LLM is to write them.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from builders.data import LabelledTexts
from builders.real import HUB
from builders.tasks.base import Task
from evaluation.arms import LLM
from evaluation.records import RunRecord
from evaluation.report.columns import TextColumn, set_columns
from evaluation.report.terminal import WIDTH
from evaluation.report.wording import listed, number_of
from understudy.dry_writer import DryWriter
from understudy.encoder_folders import check_places, places
from understudy.gathering import gather
from understudy.llm_session import LLMSession
from understudy.materials import Materials
from understudy.pace import ForeseenRun, training_time
from understudy.planning import widened
from understudy.progress import say
from understudy.settings import Grid, StudySettings, check_llm
from understudy.study_folder import StudyFolder
from understudy.votes import check_votes, parse_votes
from understudy.writer import Writer

Said = Callable[[str], object]


@dataclass(frozen=True)
class _EncoderRuns:
    """The runs of one encoder's study."""

    encoder: str
    runs: tuple[ForeseenRun, ...]

    def of(self, task: str, arm: str) -> list[ForeseenRun]:
        """Return the runs of an arm."""
        return [run for run in self.runs if (run.task, run.arm) == (task, arm)]


def dry_run(
    grid: Grid,
    settings: StudySettings,
    encoders: Sequence[str],
    out: Path,
    session: LLMSession,
    processes: int,
    said: Said = say,
) -> None:
    """Say what a study would do; arguments are those of `run_studies`.

    Raises:
        UserError: The study would be refused.
    """
    found = places(encoders, out)
    check_places(found, out, settings.as_dict())
    check_votes(parse_votes(settings.votes), grid.tasks)
    with _writer(session) as writer:
        check_llm(writer.llm, grid, settings)
        gathered = _Gathered(replace(settings, hub=False), writer, said)
        studies = []
        for encoder, folder in found.items():
            own = replace(settings, encoder=encoder)
            StudyFolder(folder).check(own.as_dict())
            runs = _runs(grid, StudyFolder(folder), gathered, exact=not writer.asks)
            studies.append(_EncoderRuns(encoder, tuple(runs)))
        _say_hub(gathered.without_real, settings, said)
        _say_runs(studies, said)
        _say_requests(writer, said)
    for study in studies:
        own = replace(settings, encoder=study.encoder)
        said(f"time to train {study.encoder}: {training_time(own, study.runs, processes)}")
    said("This was a dry run: nothing was sent, and nothing was written.")


@contextmanager
def _writer(session: LLMSession) -> Iterator[Writer]:
    if session.live:
        with session.unasked() as (llm, known):
            yield DryWriter(llm, known)
    else:
        with session.opened() as (recording, _):
            yield Writer(recording)


class _Gathered:
    """The data of each task, once for all encoders that have the same arms."""

    def __init__(self, settings: StudySettings, writer: Writer, said: Said) -> None:
        self.settings = settings
        self.writer = writer
        self.said = said
        self.without_real: list[str] = []
        self._known: dict[tuple[str, ...], Materials] = {}

    def of(self, task: Task, asked: Sequence[str]) -> Materials:
        """Return the data of a task, and say which arms have none."""
        place = (task.name, *asked)
        if place not in self._known:
            votes = parse_votes(self.settings.votes)
            found = gather(task, asked, self.settings, self.writer, self.said, votes)
            for arm, why in found.absent.items():
                self.said(f"skipped: {task.name} {arm}: {why}")
            if found.real is None and task.name not in self.without_real:
                self.without_real.append(task.name)
            self._known[place] = found
        return self._known[place]


def _runs(
    grid: Grid, folder: StudyFolder, gathered: _Gathered, *, exact: bool
) -> Iterator[ForeseenRun]:
    """Yield the runs of one encoder's study, each with its record where it is there already.

    Args:
        grid: What is asked for.
        folder: The study's folder.
        gathered: The data.
        exact: Whether texts are those of the study, and not as many in their place.
    """
    old, known = folder.plan(), folder.runs()
    for task in grid.tasks:
        asked, seeds = widened(grid, old, task.name)
        materials = gathered.of(task, asked)
        planned = old["tasks"].get(task.name, {}).get("runs", []) if old else []
        records = {(arm, seed): known.get(key) for arm, seed, key in planned}
        for arm in materials.arms:
            if arm in materials.absent:
                continue
            for seed in seeds[:1] if arm == LLM else seeds:
                train = None if arm == LLM else materials.train(arm, seed)
                _, test = materials.tested_on(arm)
                record = _still(records.get((arm, seed)), train, test, exact=exact)
                voted = [each.rated.texts for each in materials.voted.values()]
                yield ForeseenRun(task.name, arm, train, test.joined(*voted), record)


def _still(
    record: RunRecord | None, train: LabelledTexts | None, test: LabelledTexts, *, exact: bool
) -> RunRecord | None:
    """Return the record of a run if it is finished, on these texts."""
    if record is None or record.status != "done" or record.test_hash != test.content_hash:
        return None
    if train is None:
        return record
    same = (
        record.train_hash == train.content_hash if exact else record.n_per_label == train.counts()
    )
    return record if same else None


def _say_hub(tasks: Sequence[str], settings: StudySettings, said: Said) -> None:
    if tasks and settings.hub and settings.real in (None, HUB):
        said(
            f"real texts of {listed(tasks)} are not at hand: the study asks the Hub for them, a "
            "dry run does not, so that what needs them is left out here"
        )


def _say_runs(studies: Sequence[_EncoderRuns], said: Said) -> None:
    rows = list(dict.fromkeys((run.task, run.arm) for study in studies for run in study.runs))
    first = {(run.task, run.arm): run for study in reversed(studies) for run in study.runs[::-1]}
    sizes = [first[row].train for row in rows]
    columns = [TextColumn("texts to train on", tuple(f"{len(t):,}" if t else "-" for t in sizes))]
    for study in studies:
        own = [study.of(*row) for row in rows]
        name = f"{study.encoder} " if len(studies) > 1 else ""
        there = [sum(run.record is not None for run in runs) for runs in own]
        columns.append(TextColumn(f"{name}runs", tuple(str(len(runs)) for runs in own)))
        columns.append(TextColumn(f"{name}there already", tuple(map(str, there))))
    if rows:
        names = TextColumn("task and arm", tuple(" ".join(row) for row in rows))
        said(f"\n{set_columns(names, columns, WIDTH)}\n")
    every = [run for study in studies for run in study.runs]
    known = sum(run.record is not None for run in every)
    said(f"{number_of(len(every), 'run')}, of which {known} are there already")


def _say_requests(writer: Writer, said: Said) -> None:
    llm = writer.llm.description
    if not isinstance(writer, DryWriter):
        said(f"{llm}: sends nothing and costs nothing")
        return
    found = list(writer.estimates.items())
    for name, each in found:
        money = f", about {each.usd:.4f} USD" if each.usd is not None else ""
        tokens = each.prompt_tokens + each.answer_tokens
        said(
            f"{name}: {each.requests} requests, of which {each.known} are in the ledger already; "
            f"about {tokens:,.0f} tokens{money}"
        )
    if not found:
        said(f"{llm}: is asked nothing")
        return
    total = found[0][1]
    for _, each in found[1:]:
        total += each
    said(f"all of it, by {llm}:")
    for line in total.lines():
        said(f"  {line}")
