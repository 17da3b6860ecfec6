"""Commands in processes of their own that ask a server: run to the end, or struck by a signal."""

import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from chat_server import ChatServer

from builders.ledger import Ledger


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a command: without real data, importing this checkout."""
    kept = {k: v for k, v in os.environ.items() if k not in ("UNDERSTUDY_DATA", "OPENAI_API_KEY")}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[1]), **more}


def ended(command: Sequence[str], folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(**env),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def stopped(
    command: Sequence[str], folder: Path, server: ChatServer, count: int, *signals: signal.Signals
) -> tuple[int, str]:
    """Run a command that is struck when its n-th request arrives; return exit code and stderr."""
    struck = threading.Event()
    running: list[subprocess.Popen[str]] = []
    started = threading.Event()

    def strike(n: int) -> None:
        if n == count and not struck.is_set():
            started.wait(100)
            struck.set()
            for number in signals:
                running[0].send_signal(number)

    server.arrived = strike
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        running.append(process)
        started.set()
        _, errors = process.communicate(timeout=600)
    server.arrived = lambda n: None
    return process.returncode, errors


def files_of(corpus: Path) -> dict[str, bytes]:
    """Return the content of each file of a corpus."""
    files = [path for path in corpus.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(corpus)): path.read_bytes() for path in files}


def names_in(ledger: Path) -> set[str]:
    """Return the names of the requests whose answers a ledger holds."""
    with Ledger(ledger) as opened:
        return {entry.request.custom_id for entry in opened.entries()}
