"""Trainings that take turns, step by step, so that other work on the machine slows all alike."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Training:
    """A training that takes turns with others.

    Attributes:
        start: Trains to the end.
        predict: Gives the label indices of the held-out texts.
        seconds: Processor seconds of each step.
    """

    start: Callable[[], object]
    predict: Callable[[], Any]
    seconds: list[float] = field(default_factory=list)


class Turns:
    """Lets several trainings go on one step at a time, each after the other."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[int] = []
        self._failed: list[Exception] = []

    def callback(self, name: int, training: Training) -> Any:
        """Return what makes a `Trainer` take its turns, and measures them."""
        from transformers import TrainerCallback

        turns = self

        class Turn(TrainerCallback):
            """Waits before a batch is fetched, and hands on after the update."""

            def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
                """Wait for the first turn of an epoch."""
                turns.wait(name)
                self.begun = time.thread_time()

            def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
                """End a turn; the next begins here, unless the epoch is over."""
                training.seconds.append(time.thread_time() - self.begun)
                turns.hand_on(name)
                turns.wait(name)
                self.begun = time.thread_time()

        return Turn()

    def wait(self, name: int) -> None:
        """Wait until it is this one's turn."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting[0] == name)

    def hand_on(self, name: int) -> None:
        """Let the next one go on."""
        with self._changed:
            self._waiting.append(self._waiting.pop(0))
            self._changed.notify_all()

    def run(self, trainings: Sequence[Training]) -> None:
        """Train all of them to their ends."""
        self._waiting = list(range(len(trainings)))
        threads = [
            threading.Thread(target=self._one, args=(i, training))
            for i, training in enumerate(trainings)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._failed:
            raise self._failed[0]

    def _one(self, name: int, training: Training) -> None:
        import torch

        torch.set_num_threads(1)  # it counts for the thread that says it
        try:
            training.start()
        except Exception as error:
            self._failed.append(error)
        finally:
            with self._changed:
                self._waiting.remove(name)
                self._changed.notify_all()
