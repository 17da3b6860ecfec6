"""Asking a live LLM over HTTP: order, failures, kills, and the corpus that comes of it.

Run as a program, this file is the process that the tests kill.
"""

import asyncio
import hashlib
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from builders.composition import Composition, Order, compose
from builders.corpus import write_corpus
from builders.data import LabelledTexts
from builders.errors import UserError
from builders.generation import Answer, Generation, failures
from builders.ledger import Ledger
from builders.llms.base import LLM, Quota, RequestFailed
from builders.requests import Completion, Request
from builders.strategies import Plan, create_strategy
from builders.tasks import Prompt, Task

TASK = Task(
    name="plants",
    title="Plants",
    description="Where does this plant grow?",
    labels={"in/door": "inside a house", "out door": "in the open"},
    prompt=Prompt("You are a gardener.", "Write {count} notes on {label} ({meaning})."),
    length_words=(4, 12),
)
QUOTA = Quota(per_label=30, texts_per_request=5, turns=3, conversations=2)
REQUESTS = 12
"""2 labels x 2 conversations x 3 turns."""

FIRST = "plants/zero_shot/in/door/c0/t1"


class HttpLLM(LLM):
    """Posts each request to a server on this machine."""

    model = "gardener-2"
    description = "gardener-2 (a test server)"

    def __init__(self, port: int, concurrency: int = 1) -> None:
        self.endpoint = "http://llm.test/v1"  # the same in every run, unlike the port
        self.port = port
        self.concurrency = concurrency

    def quota(
        self, task: Task, strategy: str, per_label: int | None, texts_per_request: int | None
    ) -> Quota:
        """Ask for the same in every test."""
        return QUOTA

    async def complete(self, request: Request) -> Completion:
        """Post the request and wait for the answer."""
        return await asyncio.to_thread(self._post, request)

    def _post(self, request: Request) -> Completion:
        body = {"messages": request.messages, "seed": request.replicate, "n": request.n_texts}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("POST", "/", json.dumps(body), {"X-Name": request.custom_id})
        response = connection.getresponse()
        content = response.read().decode()
        connection.close()
        if response.status == 401:
            raise UserError("the key is wrong: set another one")
        if response.status != 200:
            raise RequestFailed(f"http {response.status}", content)
        return Completion(content, "stop", self.model)


def generation(llm: LLM, ledger: Ledger | None = None, strategy: str = "zero_shot") -> Generation:
    """Return a generation of the task's texts."""
    train = None
    if strategy == "few_shot":
        texts = tuple(f"Real note {i}." for i in range(20))
        labels = tuple(i % 2 for i in range(20))
        train = LabelledTexts(texts, labels, TASK.label_names, texts)
    return Generation(TASK, create_strategy(strategy, train), llm, Plan(5), ledger)


def main(ledger: str, port: str, concurrency: str) -> None:
    """Ask for everything that the ledger does not hold yet."""
    with Ledger(Path(ledger)) as opened:
        answers = generation(HttpLLM(int(port), int(concurrency)), opened).run(QUOTA)
    assert len(answers) == REQUESTS


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.exit()


# ---- The server -----------------------------------------------------------------------------


def written_for(messages: object, seed: int, count: int) -> list[str]:
    """Return the texts that the server's LLM writes: always the same for the same request."""
    digest = hashlib.sha256(json.dumps([messages, seed]).encode()).hexdigest()
    rng = random.Random(digest)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in "aeiou"]
    word: Callable[[], str] = lambda: "".join(rng.choices(syllables, k=3))  # noqa: E731
    return [" ".join(word() for _ in range(8)) for _ in range(count)]


@dataclass
class Behaviour:
    """What the server does beside answering.

    Attributes:
        asked: Names of the requests that came, in order.
        answered: Names of those that were answered to the end, in order.
        statuses: Name -> status that it is answered with instead.
        delay: Name -> seconds before it is answered.
        arrived: Called with a name as soon as it comes.
        done: Called with a name once its answer was sent.
    """

    asked: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    delay: Callable[[str], float] = lambda name: 0.0
    arrived: Callable[[str], object] = lambda name: None
    done: Callable[[str], object] = lambda name: None


class Server(ThreadingHTTPServer):
    """An LLM's server on this machine."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that was killed hangs up."""


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Server

    def do_POST(self) -> None:
        """Answer with as many texts as are asked for."""
        behaviour, name = self.server.behaviour, str(self.headers["X-Name"])
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        behaviour.asked.append(name)
        behaviour.arrived(name)
        time.sleep(behaviour.delay(name))
        texts = written_for(body["messages"], body["seed"], body["n"])
        content = json.dumps({"texts": texts}).encode()
        self.send_response(behaviour.statuses.get(name, 200))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()
        behaviour.answered.append(name)
        behaviour.done(name)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    """Run a server for one test."""
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def composed(server: Server, ledger: Ledger | None = None, concurrency: int = 1) -> Composition:
    """Compose the corpus with this server's LLM."""
    llm = HttpLLM(server.server_address[1], concurrency)
    return compose(TASK, Order("zero_shot"), llm, ledger=ledger)


def corpus_bytes(composition: Composition, folder: Path) -> dict[str, bytes]:
    """Write the corpus; return the content of each of its files."""
    write_corpus(composition, folder)
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    assert sorted(path.suffix for path in files) == [".json", ".md", ".parquet"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


# ---- Order ----------------------------------------------------------------------------------


def test_answers_come_in_the_order_of_the_requests(server: Server) -> None:
    """Label, conversation, turn: the last to arrive is not the last of the answers."""
    server.behaviour.delay = lambda name: 0.3 if name == FIRST else 0.0

    answers = generation(HttpLLM(server.server_address[1], 8)).run(QUOTA)

    assert server.behaviour.answered[0] != FIRST
    assert [answer.request.custom_id for answer in answers] == [
        f"plants/zero_shot/{label}/c{conversation}/t{turn}"
        for label in ("in/door", "out door")
        for conversation in (0, 1)
        for turn in (1, 2, 3)
    ]


def test_the_order_of_arrival_does_not_change_the_corpus(server: Server, tmp_path: Path) -> None:
    """One request at a time, or eight with random delays: every file is the same, byte for byte."""
    one_by_one = corpus_bytes(composed(server), tmp_path / "one")
    in_order = list(server.behaviour.answered)
    rng = random.Random(0)
    server.behaviour = Behaviour(delay=lambda name: rng.uniform(0, 0.05))

    at_once = corpus_bytes(composed(server, concurrency=8), tmp_path / "eight")

    assert server.behaviour.answered != in_order
    assert at_once == one_by_one


class Counting(HttpLLM):
    """Counts its open requests."""

    opened = most = 0

    async def complete(self, request: Request) -> Completion:
        """Answer, and note the most requests that were open at once."""
        self.opened += 1
        self.most = max(self.most, self.opened)
        completion = await super().complete(request)
        self.opened -= 1
        return completion


def test_as_many_requests_are_on_their_way_as_the_llm_takes(server: Server) -> None:
    """Of four conversations two are answered at once, and two wait."""
    server.behaviour.delay = lambda name: 0.02
    llm = Counting(server.server_address[1], 2)

    generation(llm).run(QUOTA)

    assert llm.most == 2


def test_progress_is_told_of_every_request(server: Server) -> None:
    """A bar that counts requests ends at their number."""
    calls: list[None] = []
    work = generation(HttpLLM(server.server_address[1]))
    work.progress = lambda: calls.append(None)

    work.run(QUOTA)

    assert len(calls) == REQUESTS


def test_it_runs_inside_an_event_loop(server: Server) -> None:
    """In a notebook a loop runs already; the texts are the same."""
    work = generation(HttpLLM(server.server_address[1]))

    async def cell() -> list[Answer]:
        return work.run(QUOTA)

    assert asyncio.run(cell()) == work.run(QUOTA)


# ---- Failures -------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_a_failed_request_costs_its_own_texts_only(turn: int, server: Server) -> None:
    """The other turns of the conversation are asked all the same; the failure is counted."""
    lost = f"plants/zero_shot/out door/c1/t{turn}"
    server.behaviour.statuses = {lost: 500}

    composition = composed(server)

    names = {str(kept.request) for kept in composition.kept}
    assert composition.record.failed_requests == {"http 500": 1}
    assert composition.record.candidates == (REQUESTS - 1) * 5
    assert len(names) == REQUESTS - 1
    assert lost not in names


@pytest.mark.parametrize("strategy", ["zero_shot", "few_shot"])
def test_no_turn_quotes_an_answer_that_does_not_exist(strategy: str, server: Server) -> None:
    """After a failure user and assistant still take turns, and each answer stands once."""
    server.behaviour.statuses = {f"plants/{strategy}/in/door/c0/t2": 503}

    answers = generation(HttpLLM(server.server_address[1]), strategy=strategy).run(QUOTA)

    last = answers[2].request
    roles = [message["role"] for message in last.messages]
    assert roles == ["system", "user", "assistant", "user"]
    assert answers[0].completion is not None
    assert last.messages[2]["content"] == answers[0].completion.content
    assert failures(answers) == {"http 503": 1}


def test_the_next_run_asks_again_only_what_failed(server: Server, tmp_path: Path) -> None:
    """With the ledger a failed build is mended by the same command, at the price of the gap."""
    server.behaviour.statuses = {"plants/zero_shot/in/door/c0/t2": 500}
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        broken = composed(server, ledger)
        server.behaviour = Behaviour()
        mended = composed(server, ledger)

    assert len(server.behaviour.asked) == 1
    assert (broken.record.candidates, mended.record.candidates) == (55, 60)
    assert mended.record.failed_requests == {}
    assert mended.kept == composed(server).kept


class Ending(HttpLLM):
    """Sets `ended` once it has refused a request for good."""

    ended = threading.Event()

    async def complete(self, request: Request) -> Completion:
        """Answer, or say that nothing can be answered."""
        try:
            return await super().complete(request)
        except UserError:
            self.ended.set()
            raise


def test_an_error_that_ends_the_build_lets_answers_on_their_way_arrive(
    server: Server, tmp_path: Path
) -> None:
    """Nothing new is asked after a wrong key, and what was asked before is kept: it is paid for."""
    refused, other = "plants/zero_shot/out door/c0/t1", "plants/zero_shot/in/door/c0/t1"
    both = threading.Barrier(2)
    llm = Ending(server.server_address[1], 4)
    llm.ended = threading.Event()
    server.behaviour.statuses = {refused: 401}
    server.behaviour.arrived = lambda name: both.wait(20) if name in (refused, other) else None
    server.behaviour.delay = lambda name: float(name == other and not llm.ended.wait(20))
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        with pytest.raises(UserError, match="the key is wrong"):
            generation(llm, ledger).run(QUOTA)
        kept = {entry.request.custom_id for entry in ledger.entries()}

    assert other in kept
    assert other.replace("t1", "t2") not in server.behaviour.asked
    assert kept == set(server.behaviour.asked) - {refused}


# ---- The ledger -----------------------------------------------------------------------------


def test_what_the_ledger_holds_is_not_asked_again(server: Server, tmp_path: Path) -> None:
    """A second build with the same ledger asks nothing and has the same texts."""
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        first = composed(server, ledger)
        server.behaviour = Behaviour()
        second = composed(server, ledger)

    assert server.behaviour.asked == []
    assert second.kept == first.kept


def test_conversations_with_the_same_words_do_not_share_an_answer(
    server: Server, tmp_path: Path
) -> None:
    """The first turns of both conversations of a label are asked, and answered, each."""
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        answers = generation(HttpLLM(server.server_address[1]), ledger).run(QUOTA)

    one, other = answers[0], answers[3]
    assert one.request.messages == other.request.messages
    assert one.completion != other.completion
    assert len(server.behaviour.asked) == REQUESTS


class Overtaken(HttpLLM):
    """An LLM whose every answer is recorded by another process first."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(0)
        self._ledger = ledger

    async def complete(self, request: Request) -> Completion:
        """Record an answer of the other process, return another one."""
        from builders.request_key import request_key

        key = request_key(
            endpoint=self.endpoint,
            model=self.model,
            messages=request.messages,
            sampling=request.sampling,
            schema=request.schema,
            replicate=request.replicate,
        )
        self._ledger.record(key, request, self.endpoint, self.model, Completion("theirs"))
        return Completion("ours")


def test_the_answer_that_stands_in_the_ledger_is_the_one_that_is_used(tmp_path: Path) -> None:
    """Of two processes that ask at once both go on with the answer that came first."""
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        answers = generation(Overtaken(ledger), ledger).run(QUOTA)

    assert {answer.completion.content for answer in answers if answer.completion} == {"theirs"}
    assert "ours" not in json.dumps([answer.request.messages for answer in answers])


# ---- Kills ----------------------------------------------------------------------------------


def recorded(ledger: Path) -> set[str]:
    """Return the names of the requests whose completions the ledger holds."""
    if not ledger.exists():
        return set()
    with Ledger(ledger) as opened:
        return {entry.request.custom_id for entry in opened.entries()}


def run_process(server: Server, ledger: Path, concurrency: int, kill: tuple[int, str]) -> int:
    """Run the build in a process of its own, killed at its n-th request; return its exit code.

    The n-th request kills it `before` it is answered or `after`, when the answer may or may not be
    in the ledger yet; 0 means never.
    """
    port = str(server.server_address[1])
    command = [sys.executable, __file__, str(ledger), port, str(concurrency)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    at, when = kill
    behaviour = server.behaviour = Behaviour()
    started = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def strike(names: list[str]) -> None:
        started.wait(20)
        if at and len(names) >= at:
            running[0].send_signal(signal.SIGKILL)

    if when == "before":
        behaviour.arrived = lambda name: strike(behaviour.asked)
    else:
        behaviour.done = lambda name: strike(behaviour.answered)
    with subprocess.Popen(command, env=environment) as process:
        running.append(process)
        started.set()
        return process.wait()


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_build_that_is_killed_goes_on_where_it_was(
    concurrency: int, server: Server, tmp_path: Path
) -> None:
    """No recorded completion is asked for twice, none is lost, and the corpus is the same."""
    ledger = tmp_path / "ledger.sqlite"
    before: set[str] = set()
    for kill in ((1, "before"), (3, "after"), (4, "before"), (0, "never")):
        code = run_process(server, ledger, concurrency, kill)
        assert code == (-signal.SIGKILL if kill[0] else 0)
        after = recorded(ledger)
        assert not before & set(server.behaviour.asked)
        assert before <= after
        # All but what was on its way when the blow came has been kept.
        assert len(after - before) >= len(server.behaviour.answered) - concurrency
        before = after
    assert len(before) == REQUESTS

    server.behaviour = Behaviour()
    with Ledger(ledger) as opened:
        resumed = composed(server, opened)
    assert server.behaviour.asked == []
    whole = composed(server)
    assert corpus_bytes(resumed, tmp_path / "a") == corpus_bytes(whole, tmp_path / "b")
