"""Who trains the runs of a study: this process, or several, each with a GPU of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from itertools import groupby
from multiprocessing.queues import SimpleQueue
from types import TracebackType
from typing import Self

from builders.errors import UserError
from trainers.base import ClassifierTrainer, Job, Outcome
from understudy.planning import PlannedRun

GPUS = "CUDA_VISIBLE_DEVICES"

Environment = Mapping[str, str]
Finished = tuple[PlannedRun, Outcome]


class Workers:
    """Trains runs, in this process or in several; a context manager that leaves none behind.

    Each run is trained by one process, as it would be in this one. On a CPU they share its cores,
    and sums over another number of threads are rounded otherwise; nothing else depends on it. They
    are started when the first run needs them.

    Args:
        processes: How many; 1 for none but this one.
    """

    def __init__(self, processes: int = 1) -> None:
        self.processes = processes
        self._pool: ProcessPoolExecutor | None = None
        self._others: set[int | None] = set()
        self._scratch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            if kind is not None:  # else the runs that were begun would be waited for
                for process in multiprocessing.active_children():
                    if process.pid not in self._others:
                        process.terminate()
            self._pool.shutdown(cancel_futures=True)
        self._scratch.cleanup()

    def train(self, trainer: ClassifierTrainer, runs: Sequence[PlannedRun]) -> Iterator[Finished]:
        """Yield each run with what it gave, as they are finished.

        Raises:
            UserError: A run cannot be done, or the system ended one of the processes.
        """
        if self.processes > 1 and not trainer.side_by_side:
            yield from self._shared(trainer, runs)
            return
        for group in _side_by_side(runs, trainer):
            jobs = [Job(run.train, run.seed) for run in group]
            yield from zip(group, trainer.run_many(jobs, group[0].predicted), strict=True)

    def _shared(self, trainer: ClassifierTrainer, runs: Sequence[PlannedRun]) -> Iterator[Finished]:
        pool = self._pool = self._pool or self._started()
        # The longest first, so that at the end no process works on alone.
        ordered = sorted(runs, key=lambda run: -len(run.train))
        asked: dict[Future[Outcome], PlannedRun] = {
            pool.submit(trainer.run, run.train, run.predicted, run.seed): run for run in ordered
        }
        try:
            for done in as_completed(asked):
                yield asked[done], done.result()
        except BrokenProcessPool as error:
            raise UserError(
                "a process that trained was ended by the system, as one that takes too much memory "
                "is; the same command goes on from what is finished, with fewer --processes if so"
            ) from error

    def _started(self) -> ProcessPoolExecutor:
        self._others = {process.pid for process in multiprocessing.active_children()}
        # Not forked: a process that has threads, or has used a GPU, cannot be.
        context = multiprocessing.get_context("spawn")
        places: SimpleQueue[Environment] = context.SimpleQueue()
        for place in range(self.processes):
            places.put(environment(place, self.processes, gpus()))
        return ProcessPoolExecutor(self.processes, context, _prepare, (places, self._scratch.name))


def gpus() -> int:
    """Return how many GPUs a process that is started here sees."""
    import torch

    return torch.cuda.device_count()


def environment(place: int, processes: int, n_gpus: int) -> dict[str, str]:
    """Return the variables of the environment of one process: its GPU, its share of the cores.

    Args:
        place: Which process, from 0.
        processes: How many there are.
        n_gpus: How many GPUs they share; more processes than GPUs take them in turn.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = str(max(1, (cores or 1) // processes))
    variables = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", threads)}
    if n_gpus:
        named = [name for name in os.environ.get(GPUS, "").split(",") if name]
        names = named or [str(number) for number in range(n_gpus)]
        variables[GPUS] = names[place % n_gpus]
    return variables


def _prepare(places: SimpleQueue[Environment], scratch: str) -> None:
    """Make a process ready: its GPU and threads, and an end that does not wait for its own."""
    os.environ.update(places.get())
    tempfile.tempdir = scratch  # gone with the study, whatever ends this process
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the first process to heed
    threading.Thread(target=_end_with_the_first, daemon=True).start()


def _end_with_the_first() -> None:
    """End this process when the one that started it is gone, which a kill does not tell it."""
    first = multiprocessing.parent_process()
    if first is not None:
        first.join()
        os._exit(1)


def _side_by_side(
    runs: Sequence[PlannedRun], trainer: ClassifierTrainer
) -> Iterator[list[PlannedRun]]:
    """Yield the runs that are trained in one go, each group written down when it is finished."""
    if not trainer.side_by_side:
        yield from ([run] for run in runs)
        return

    def alike(run: PlannedRun) -> tuple[str, int]:
        return run.predicted.content_hash, len(run.train)

    for _, group in groupby(sorted(runs, key=alike), key=alike):
        yield list(group)
