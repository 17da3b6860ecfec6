"""A study on disk: plan, runs, measures and predictions, safe against a kill at any point."""

import contextlib
import json
import os
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from builders.errors import UserError
from evaluation.records import FindingRecord, MeasureRecord, RunRecord
from evaluation.subjectivity.votes import RatedTexts
from understudy.other_settings import refuse_other_settings

Ints = NDArray[np.int64]
Record = TypeVar("Record", RunRecord, MeasureRecord, FindingRecord)

RUNS, MEASURES, FINDINGS = "runs.jsonl", "measures.jsonl", "findings.jsonl"
PLAN, LOCK = "study.json", ".lock"


class StudyFolder:
    """The folder of one study.

    `study.json` holds the plan (settings, tasks, which runs), `runs.jsonl`, `measures.jsonl` and
    `findings.jsonl` one line for each finished thing, `predictions/KEY.npz` what each run
    predicted, `votes/TASK.NAME.npz` labels and agreement of texts with votes.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for one writer; the lock goes with the process.

        A folder that nothing was written to is gone afterwards, if it was made here.

        Raises:
            UserError: Another process writes to the folder.
        """
        from filelock import FileLock, Timeout

        made = _make_folders(self.path)
        lock = FileLock(self.path / LOCK, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise UserError(
                f"--out {self.path}: another study is writing there; wait for it, or name "
                "another folder"
            ) from None
        except BaseException:
            _remove_empty(made)
            raise
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                if [path.name for path in self.path.iterdir()] == [LOCK]:
                    # Still locked: who opened the file meanwhile finds it unlinked, tries again.
                    (self.path / LOCK).unlink()
                    _remove_empty(made)
            lock.release()

    def check(self, settings: Mapping[str, Any]) -> None:
        """Refuse a folder that holds another study, or something else.

        Raises:
            UserError: It does; the message names the first setting that differs.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"--out {self.path}: is a file; name a folder")
        plan = self.plan()
        if plan is None:
            others = sorted(p.name for p in self.path.glob("*") if not p.name.startswith("."))
            if others:
                raise UserError(
                    f"--out {self.path}: is not empty and holds no study ({others[0]}); name "
                    "another folder"
                )
            return
        refuse_other_settings(self.path, plan["settings"], settings)

    def plan(self) -> dict[str, Any] | None:
        """Return the plan, or None where there is none yet.

        Raises:
            UserError: It is damaged.
        """
        path = self.path / PLAN
        if not path.is_file():
            return None
        try:
            plan: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            _check_plan(plan)
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise UserError(
                f"{path}: is no plan of a study ({type(error).__name__}: {error}); restore the "
                "file, or name another folder"
            ) from error
        return plan

    def write_plan(self, plan: dict[str, Any]) -> None:
        """Replace the plan in one step."""
        text = json.dumps(plan, indent=1, ensure_ascii=False) + "\n"
        _replace(self.path / PLAN, lambda file: file.write(text.encode()))

    def runs(self) -> dict[str, RunRecord]:
        """Return the run records by key."""
        return {r.key: r for r in self._records(RUNS, RunRecord)}

    def measures(self) -> dict[str, MeasureRecord]:
        """Return the measure records by key."""
        return {r.key: r for r in self._records(MEASURES, MeasureRecord)}

    def findings(self) -> dict[str, FindingRecord]:
        """Return the finding records by key."""
        return {r.key: r for r in self._records(FINDINGS, FindingRecord)}

    def add_run(self, record: RunRecord) -> None:
        """Append one run for good."""
        _append(self.path / RUNS, asdict(record))

    def add_measure(self, record: MeasureRecord) -> None:
        """Append one measure for good."""
        _append(self.path / MEASURES, asdict(record))

    def add_finding(self, record: FindingRecord) -> None:
        """Append one finding for good."""
        _append(self.path / FINDINGS, asdict(record))

    def mend(self) -> None:
        """Drop half lines and half files that a kill left; call it under the lock, first of all."""
        for name in (RUNS, MEASURES, FINDINGS):
            path = self.path / name
            if path.is_file():
                _drop_torn_line(path)
        for half in (*self.path.glob(f".{PLAN}.*"), *self.path.glob("*/.*.npz.*")):
            half.unlink()

    def write_predictions(
        self,
        key: str,
        labels: Ints,
        predictions: Ints,
        *,
        voted: Mapping[str, Ints] | None = None,
        rows: Ints | None = None,
    ) -> str:
        """Keep what a run predicted; return the file's place, relative to the study.

        Args:
            key: The run's key.
            labels: True label index of each predicted test text (n,).
            predictions: The predicted ones (n,).
            voted: Name of a set of texts with votes -> what was predicted of them.
            rows: Places of the predicted texts among the test texts (n,); None for all.
        """
        arrays: dict[str, NDArray[Any]] = {
            "labels": labels.astype(np.int16),
            "predictions": predictions.astype(np.int16),
            **{f"voted/{name}": own.astype(np.int16) for name, own in (voted or {}).items()},
        }
        if rows is not None:
            arrays["rows"] = rows.astype(np.int32)
        return self._write_arrays(f"predictions/{key}.npz", arrays)

    def predictions(self, key: str) -> Ints:
        """Return what a finished run predicted of the test texts (n,).

        Raises:
            UserError: The file cannot be read.
        """
        path = self.path / "predictions" / f"{key}.npz"
        try:
            with np.load(path, allow_pickle=False) as stored:
                return np.asarray(stored["predictions"], dtype=np.int64)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise UserError(
                f"{path}: cannot be read ({type(error).__name__}); remove that run's line from "
                f"{RUNS} to run it again"
            ) from error

    def write_voted(self, place: str, rated: RatedTexts) -> None:
        """Keep labels and agreement of texts with votes at `place`, relative to the study."""
        labels = np.asarray(rated.texts.labels, dtype=np.int16)
        self._write_arrays(place, {"labels": labels, "agreement": np.asarray(rated.agreement)})

    def _write_arrays(self, place: str, arrays: Mapping[str, NDArray[Any]]) -> str:
        path = self.path / place
        path.parent.mkdir(exist_ok=True)
        _replace(path, lambda file: np.savez_compressed(file, allow_pickle=False, **arrays))
        return place

    def _records(self, name: str, kind: type[Record]) -> Iterator[Record]:
        path = self.path / name
        if not path.is_file():
            return
        lines = path.read_bytes().split(b"\n")
        for number, line in enumerate(lines[:-1], 1):  # what follows the last \n is torn, or empty
            try:
                yield kind(**json.loads(line))
            except (ValueError, TypeError) as error:
                raise UserError(
                    f"{path}, line {number}: not a record of this version ({error}); remove the "
                    "line to run it again"
                ) from error


def _check_plan(plan: dict[str, Any]) -> None:
    """Raise what a wrong form raises: checked here once, so that readers need not."""
    plan["settings"].keys()
    for task in plan["tasks"].values():
        task["facts"].keys()
        for key in ("corpora", "labellings", "measures", "findings"):
            iter(task[key])
        for arm, seed, key in task["runs"]:
            if not (isinstance(arm, str) and isinstance(seed, int) and isinstance(key, str)):
                raise TypeError("a run is not [arm, seed, key]")


def _make_folders(path: Path) -> list[Path]:
    """Make a folder with its parents; return those that were not there, the innermost first."""
    made = [each for each in (path, *path.parents) if not each.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        _remove_empty(made)
        raise
    return made


def _remove_empty(folders: Sequence[Path]) -> None:
    with contextlib.suppress(OSError):  # gone, or in use by now
        for folder in folders:
            folder.rmdir()


def _append(path: Path, row: dict[str, Any]) -> None:
    line = (json.dumps(row, ensure_ascii=False) + "\n").encode()
    # Unbuffered: a buffer would be written once more when the file is closed after an error.
    with path.open("ab", buffering=0) as file:
        start = file.seek(0, os.SEEK_END)
        try:
            while line:
                line = line[file.write(line) :]
            os.fsync(file.fileno())
        except OSError:
            file.truncate(start)  # a full disk leaves no half line
            raise


def _drop_torn_line(path: Path) -> None:
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)


def _replace(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    hidden = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with hidden.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(hidden, path)
    finally:
        hidden.unlink(missing_ok=True)
