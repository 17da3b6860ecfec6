"""Progress bars where a person waits; silent where standard error is no terminal."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")


class Progress:
    """One bar for the runs of a study; its text says what is being done."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task = ""
        self._texts = 0

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

    def ran(self) -> None:
        """Count one run more."""
        if self._bar is not None:
            self._bar.update()

    def close(self) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()

    def _show(self) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(f"{self._task}, {self._texts} texts embedded")
