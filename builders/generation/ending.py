"""How a build is asked to end: by a signal, or by the thread that waits for it."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


class Stop(asyncio.Event):
    """Is set from any thread, or by a signal, and seen at once, before the event loop runs again.

    So work that keeps the loop busy can look whether it is to end.
    """

    def __init__(self) -> None:
        super().__init__()
        self._asked = False
        self._of = asyncio.get_running_loop()

    def ask(self) -> None:
        """Ask for the end."""
        self._asked = True
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            self._of.call_soon_threadsafe(self.set)

    def is_set(self) -> bool:
        """Say whether the end was asked for."""
        return self._asked or super().is_set()


class Signals:
    """Lets the first SIGINT or SIGTERM ask for the end, and the second one force it.

    Attributes:
        number: The first one's, None if none came.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._stop: Stop | None = None
        self._given_up = False

    def give_up(self) -> None:
        """Ask for the end from another thread."""
        self._given_up = True
        if self._stop is not None:
            self._stop.ask()

    @contextlib.contextmanager
    def heard(self, stop: Stop, filling: "asyncio.Task[None]") -> Iterator[None]:
        """Let `stop` be asked, and `filling` be cancelled.

        Args:
            stop: Is asked at first.
            filling: Is cancelled by the second signal.
        """
        self._stop = stop
        if self._given_up:
            stop.ask()
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may handle signals
            return
        loop = asyncio.get_running_loop()

        def hear(number: int, frame: FrameType | None) -> None:
            if self.number is None:
                self.number = number
                stop.ask()
            else:
                loop.call_soon_threadsafe(filling.cancel)

        before = {number: signal.signal(number, hear) for number in _NUMBERS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def run_to_end(work: Callable[[Signals], Coroutine[Any, Any, None]]) -> None:
    """Run `work`, in a thread of its own where an event loop runs already, as in a notebook.

    There the signal comes to the waiting thread, as a KeyboardInterrupt: what is in flight then is
    waited for, and nothing more is sent.
    """
    signals = Signals()
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work(signals))
        return
    with ThreadPoolExecutor(max_workers=1) as thread:
        running = thread.submit(asyncio.run, work(signals))
        try:
            running.result()
        except BaseException:
            signals.give_up()
            raise
