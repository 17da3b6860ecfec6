"""Runs a command against a mock server and measures it: wall, processor time, memory, requests.

Memory is that of the command and all its descendants, resident, sampled every 50 ms; it is read
from `/proc`, so it is 0 where there is none.
"""

import json
import resource
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_EVERY_S = 0.05
_LONGEST_S = 900.0


@dataclass(frozen=True)
class Measured:
    """What one process did.

    Attributes:
        wall_s: Seconds from its start to its exit.
        cpu_s: Its processor time, children included.
        result: What it says of itself.
        peaks: Step -> most memory in it, in MiB.
        server: What the server counted.
    """

    wall_s: float
    cpu_s: float
    result: dict[str, Any]
    peaks: dict[str, float]
    server: dict[str, Any]

    @property
    def span_s(self) -> float:
        """Seconds from the first request that the server saw to its last answer."""
        return float(self.server["span_s"])


@dataclass
class MockServer:
    """A running mock server.

    Attributes:
        port: Its port on the loopback.
    """

    port: int

    @property
    def url(self) -> str:
        """The base URL of its interface."""
        return f"http://127.0.0.1:{self.port}/v1"

    def stats(self) -> dict[str, Any]:
        """Return what it counted."""
        return self._ask("stats", "GET")

    def reset(self) -> None:
        """Let it count from nothing."""
        self._ask("reset", "POST")

    def release(self) -> None:
        """Let it answer what it holds, and all that comes."""
        self._ask("release", "POST")

    def _ask(self, path: str, method: str) -> dict[str, Any]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/{path}", method=method)
        with urllib.request.urlopen(request, timeout=100) as response:
            found: dict[str, Any] = json.load(response)
            return found


@contextmanager
def mock_server(**options: float | bool) -> Iterator[MockServer]:
    """Run a mock server with these options until the end of the block."""
    command = [sys.executable, str(HERE / "mock_llm.py"), "--port", "0"]
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if value is not False:
            command += [flag] if value is True else [flag, str(value)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield MockServer(int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def measure(command: Sequence[str], server: MockServer, *, reset: bool = True) -> Measured:
    """Run `command` to its end.

    Args:
        command: Prints its steps and its result as `generation_client.py` does, or nothing.
        server: What it asks.
        reset: Whether the server counts from nothing.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    if reset:
        server.reset()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    sampler = _Sampler(process.pid)
    try:
        output, _ = process.communicate(timeout=_LONGEST_S)
    finally:
        process.kill()
        process.wait()
        samples = sampler.end()
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(command))
    said = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    result: dict[str, Any] = next((row["result"] for row in said if "result" in row), {})
    return Measured(wall, cpu, result, _peaks(said, samples), server.stats())


@dataclass
class _Sampler:
    pid: int
    _samples: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> list[tuple[float, float]]:
        """Return the time and the memory of every sample."""
        self._over.set()
        self._thread.join()
        return self._samples

    def _run(self) -> None:
        while not self._over.wait(_EVERY_S):
            self._samples.append((time.monotonic(), _resident_mib(self.pid)))


def _resident_mib(pid: int) -> float:
    """Return the resident memory of a process and of its descendants."""
    place = Path(f"/proc/{pid}")
    try:
        pages = int((place / "statm").read_text().split()[1])
        tasks = [(task / "children").read_text().split() for task in (place / "task").iterdir()]
    except (OSError, IndexError):  # it has ended, or there is no /proc
        return 0.0
    own = pages * resource.getpagesize() / 2**20
    return own + sum(_resident_mib(int(child)) for children in tasks for child in children)


def _peaks(said: list[dict[str, Any]], samples: list[tuple[float, float]]) -> dict[str, float]:
    begins = [(row["at"], row["step"]) for row in said if "step" in row]
    ends = [at for at, _ in [*begins[1:], (float("inf"), "")]]
    return {
        step: max((mib for at, mib in samples if begin <= at < end), default=0.0)
        for (begin, step), end in zip(begins, ends, strict=False)
    }
