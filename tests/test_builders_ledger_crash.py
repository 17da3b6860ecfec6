"""A ledger whose process is killed: nothing recorded is lost, nothing recorded is asked again."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from builders.ledger import Ledger

ROOT = Path(__file__).parent.parent

RUN = """
import http.client, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from builders.ledger import Ledger, request_key
from builders.requests import Completion, Request, RequestId

path, port, count, workers, run = Path(sys.argv[1]), *map(int, sys.argv[2:])

def ask(turn):
    request = Request(
        RequestId("notes", "zero_shot", "good", 0, turn),
        ({"role": "user", "content": f"Write note {turn}. " + "It is long. " * 200},), 1,
    )
    key = request_key(endpoint="local", model="m", messages=request.messages,
                      sampling={}, schema=None, replicate=0)
    if ledger.completion(key) is None:
        server = http.client.HTTPConnection("127.0.0.1", port)
        server.request("POST", f"/{run}", body=str(turn))
        content = server.getresponse().read().decode()
        ledger.record(key, request, "local", "m", Completion(content))

with Ledger(path) as ledger:
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(ask, range(count)))
"""


class Source(ThreadingHTTPServer):
    """Answers over HTTP and notes, in order, what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.runs: dict[int, list[int]] = {}
        super().__init__(("127.0.0.1", 0), SourceHandler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that was killed hangs up."""


class SourceHandler(BaseHTTPRequestHandler):
    """Answers one request of a `Source`."""

    server: Source

    def do_POST(self) -> None:
        """Note the request and answer it."""
        asked = int(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(asked)
        # A request of a process that was killed may be read after the next process has started.
        self.server.runs.setdefault(int(self.path[1:]), []).append(asked)
        body = f"answer {asked} ".encode() * 500
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def source() -> Iterator[Source]:
    """Return a server that is answering."""
    with Source() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def start(
    path: Path, source: Source, count: int, workers: int, run: int = 0
) -> subprocess.Popen[bytes]:
    """Start a process that asks for whatever its ledger does not hold."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *map(str, (path, source.server_port, count, workers, run))],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def kill_after(child: subprocess.Popen[bytes], source: Source, asked: int, delay: float) -> None:
    """Kill a process some moments after it has asked for so many answers."""
    goal = len(source.asked) + asked
    while len(source.asked) < goal and child.poll() is None:
        time.sleep(0.0005)
    time.sleep(delay)
    child.kill()
    child.wait()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 4])
def test_killed_again_and_again_a_run_asks_only_what_was_in_flight(
    tmp_path: Path, source: Source, workers: int
) -> None:
    """Eight kills at random moments: nothing is lost, and what is asked twice was in flight."""
    path, count = tmp_path / "ledger.db", 200
    rng = random.Random(workers)
    killed = 0
    for run in range(8):
        child = start(path, source, count, workers, run)
        kill_after(child, source, rng.randint(1, 6), rng.uniform(0, 0.005))
        killed += child.returncode == -signal.SIGKILL
    final = start(path, source, count, workers, 8)
    assert final.wait() == 0
    asked_last = len(source.asked)
    assert start(path, source, count, workers).wait() == 0

    earlier: set[int] = set()
    for run in range(9):
        # With one worker the next request is asked once the last answer is recorded.
        assert sum(turn in earlier for turn in source.runs.get(run, ())) <= workers
        earlier.update(source.runs.get(run, ()))
    assert killed
    assert len(source.asked) == asked_last  # a complete ledger asks for nothing
    times = Counter(source.asked)
    assert set(times) == set(range(count))
    assert len(source.asked) <= count + killed * workers
    with Ledger(path) as ledger:
        answers = {e.request.id.turn: e.completion.content for e in ledger.entries()}
    assert answers == {turn: f"answer {turn} " * 500 for turn in range(count)}


RECORD = """
import os, signal, sys
from pathlib import Path
from builders.ledger import Ledger
from builders.requests import Completion, Request, RequestId

ledger = Ledger(Path(sys.argv[1]))
for turn in range(int(sys.argv[2])):
    request = Request(RequestId("notes", "zero_shot", "good", 0, turn), (), 1)
    ledger.record(str(turn), request, "local", "m", Completion(f"answer {turn} " * 100))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def killed_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the ledger of a process that recorded twelve answers and was killed at once."""
    path = tmp_path_factory.mktemp("killed") / "ledger.db"
    child = subprocess.run(
        [sys.executable, "-c", RECORD, str(path), "12"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert child.returncode == -signal.SIGKILL
    assert path.with_name("ledger.db-wal").stat().st_size > 50_000
    return path


def copy_of(path: Path, folder: Path) -> tuple[Path, Path]:
    """Copy a ledger with its write-ahead log, without the index that a killed process leaves."""
    copy, log = folder / "ledger.db", folder / "ledger.db-wal"
    shutil.copy(path, copy)
    shutil.copy(path.with_name("ledger.db-wal"), log)
    return copy, log


def answers_in(path: Path) -> list[str]:
    """Return the answers of a ledger in order, after SQLite's own check of the file."""
    with Ledger(path) as ledger:
        found = [entry.completion.content for entry in ledger.entries()]
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    return found


EXPECTED = [f"answer {turn} " * 100 for turn in range(12)]


def test_a_process_killed_right_after_recording_loses_nothing(
    killed_ledger: Path, tmp_path: Path
) -> None:
    """All that `record` returned from is there without the ledger having been closed."""
    path, _ = copy_of(killed_ledger, tmp_path)
    assert answers_in(path) == EXPECTED


@pytest.mark.parametrize("torn", [1, 23, 24, 100, 4119, 4120, 9000])
def test_a_torn_tail_loses_nothing_that_was_recorded(
    killed_ledger: Path, tmp_path: Path, torn: int
) -> None:
    """A transaction that a kill left half-written behind the others is as if it never began.

    A frame of the log is a header of 24 bytes and a page of 4,096; the tail repeats the start of
    the log's last frames, cut at `torn` bytes.
    """
    path, log = copy_of(killed_ledger, tmp_path)
    content = log.read_bytes()
    log.write_bytes(content + content[-3 * 4120 :][:torn])
    assert answers_in(path) == EXPECTED


def test_a_log_cut_anywhere_gives_whole_answers_in_their_order(
    killed_ledger: Path, tmp_path: Path
) -> None:
    """Even where a disk lost the log's end, what is there is a whole beginning, not a half."""
    size = killed_ledger.with_name("ledger.db-wal").stat().st_size
    rng = random.Random(0)
    kept = set()
    for number in range(12):
        folder = tmp_path / str(number)
        folder.mkdir()
        path, log = copy_of(killed_ledger, folder)
        os.truncate(log, rng.randrange(size))
        found = answers_in(path)
        assert found == EXPECTED[: len(found)]
        kept.add(len(found))
    assert len(kept) > 4


SHARE = """
import sys
from pathlib import Path
from builders.ledger import Ledger
from builders.requests import Completion, Request, RequestId

path, name = Path(sys.argv[1]), sys.argv[2]
sys.stdin.readline()
with Ledger(path) as ledger:
    for turn in range(30):
        own = Request(RequestId("notes", "zero_shot", name, 0, turn), (), 1)
        ledger.record(f"{name}/{turn}", own, "local", "m", Completion(name))
        shared = Request(RequestId("notes", "zero_shot", "shared", 0, turn), (), 1)
        print(ledger.record(f"shared/{turn}", shared, "local", "m", Completion(name)).content)
"""


def test_processes_may_share_a_ledger_from_its_first_moment(tmp_path: Path) -> None:
    """Four processes make one new ledger at once: each answer is kept, the first one stands."""
    path = tmp_path / "ledger.db"
    children = [
        subprocess.Popen(
            [sys.executable, "-c", SHARE, str(path), f"process {n}"],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(4)
    ]
    time.sleep(0.5)  # all have loaded what they need and wait for the line
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    outputs = [child.communicate()[0].splitlines() for child in children]
    assert [child.returncode for child in children] == [0, 0, 0, 0]
    with Ledger(path) as ledger:
        entries = list(ledger.entries())
    assert Counter(e.request.id.label for e in entries) == Counter(
        dict.fromkeys(("process 0", "process 1", "process 2", "process 3", "shared"), 30)
    )
    standing = [e.completion.content for e in entries if e.request.id.label == "shared"]
    assert outputs == [standing] * 4
