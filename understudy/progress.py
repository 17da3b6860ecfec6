"""Progress bars where a person waits; silent where standard error is no terminal."""

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

Item = TypeVar("Item")


def say(line: str) -> None:
    """Print a line, above a progress bar where there is one."""
    from tqdm import tqdm

    tqdm.write(line)


class Progress:
    """One bar for the runs of a study; its text says what is being done.

    A context manager: the bar is closed however the study ends.
    """

    def __init__(self) -> None:
        self._bar: Any = None
        self._task = ""
        self._texts = 0
        self._step = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def each(self, items: Sequence[Item], what: str) -> Iterator[Item]:
        """Yield `items` under a bar of their own."""
        from tqdm import tqdm

        yield from tqdm(items, desc=what, unit="task", disable=None, leave=False)

    def start(self, runs: int) -> None:
        """Open the bar of `runs` runs."""
        from tqdm import tqdm

        self._bar = tqdm(total=runs, desc="runs", unit="run", disable=None)

    def task(self, name: str) -> None:
        """Name the task that is being worked on."""
        self._task = name
        self._show()

    def encoded(self, n: int) -> None:
        """Count `n` texts more that were embedded."""
        self._texts += n
        self._show()

    def stepped(self, done: int, of: int) -> None:
        """Say how far the current run is, in optimiser steps."""
        self._step = f", step {done} of {of}"
        self._show()

    def ran(self, n: int = 1) -> None:
        """Count `n` runs more."""
        self._step = ""
        if self._bar is not None:
            self._bar.update(n)

    def _show(self) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(f"{self._task}, {self._texts} texts embedded{self._step}")
