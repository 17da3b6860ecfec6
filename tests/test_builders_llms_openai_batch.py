"""The Batch API: the whole way, resumed after a kill, with all the ends that a batch can have."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from batch_server import (
    BatchServer,
    Ending,
    Row,
    all_answered,
    answered,
    failed,
    reply,
    running_batch_server,
)

from builders.composition import Composition, Live, Order, compose
from builders.errors import UserError
from builders.generation import Budget
from builders.ledger import Ledger
from builders.llms.base import Exhausted, RequestFailed, Sampling, TryAgain
from builders.llms.batch_files import Bound
from builders.llms.open_batches import OpenBatch, OpenBatches
from builders.llms.openai_batch import OpenAIBatch
from builders.llms.openai_server import Connection
from builders.requests import Completion, Request, RequestId
from builders.tasks import Prompt, Task

ROOT = Path(__file__).parents[1]
KEY = "sk-of-the-test"
TASK = Task(
    name="plants",
    title="Plants",
    description="Where does this plant grow?",
    labels={"in/door": "inside a house", "im Grünen": "in the open"},
    prompt=Prompt("You are a gardener.", "Write {count} notes on {label} ({meaning})."),
    length_words=(4, 20),
)
Answers = dict[str, Completion | RequestFailed]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchServer]:
    """Run a server for one test; the key is set."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with running_batch_server() as running:
        yield running


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Open a new ledger."""
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


def llm_at(server: BatchServer, ledger: Ledger | None, **settings: Any) -> OpenAIBatch:
    """Return a client of the server that looks often."""
    connection = Connection(base_url=server.url, timeout_s=100)
    return OpenAIBatch("gardener-2", connection, memory=ledger, poll_s=0.005, **settings)


def composed(server: BatchServer, ledger: Ledger, **settings: Any) -> Composition:
    """Build a corpus of six texts a label."""
    llm = llm_at(server, ledger, **settings)
    order = Order("zero_shot", per_label=6, texts_per_request=1)
    return compose(TASK, order, llm, live=Live(ledger, Budget.of(llm)))


def request(number: int, label: str = "in/door", words: str = "Write.") -> Request:
    """Return one request."""
    name = RequestId("plants", "zero_shot", label, number, 1)
    return Request(name, ({"role": "user", "content": words},), 1, sampling={"max_tokens": 9})


def asked(llm: OpenAIBatch, requests: list[Request]) -> Answers:
    """Ask for one wave; return what came, by the requests' names."""

    async def ask() -> Answers:
        async with llm, aclosing(llm.complete_all(requests)) as answers:
            return {str(each.id): outcome async for each, outcome in answers}

    return asyncio.run(ask())


REQUESTS = [request(n) for n in range(5)]


def test_a_corpus_is_built_by_a_batch(server: BatchServer, ledger: Ledger) -> None:
    """Two labels of six texts take one batch of twelve requests; every text is kept."""
    corpus = composed(server, ledger)

    assert corpus.halt is None
    assert corpus.record.kept == {"in/door": 6, "im Grünen": 6}
    assert len(server.batches) == 1
    assert len(server.asked) == 12
    assert server.keys == {f"Bearer {KEY}"}


def test_a_finished_build_asks_nothing_again(server: BatchServer, ledger: Ledger) -> None:
    """The ledger holds all answers, and nothing is remembered as open."""
    first = composed(server, ledger)
    again = composed(server, ledger)

    assert again.texts == first.texts
    assert len(server.batches) == 1
    assert ledger.note(f"batches of gardener-2 at {server.url}") is None


def test_rejected_texts_are_asked_for_in_another_batch(server: BatchServer, ledger: Ledger) -> None:
    """Where an answer holds no text that passes, the next wave tops the label up."""

    def end(rows: list[Row]) -> Ending:
        ending = all_answered(rows)
        if len(server.batches) == 1:
            message = ending.output[0]["response"]["body"]["choices"][0]["message"]
            message["content"] = '{"texts": ["short"]}'
        return ending

    server.end = end
    corpus = composed(server, ledger)

    assert corpus.record.kept == {"in/door": 6, "im Grünen": 6}
    assert len(server.batches) == 2
    assert len(server.asked) == 13


BUILD = """
import sys
from pathlib import Path
from builders.composition import Live, Order, compose
from builders.generation import Budget
from builders.ledger import Ledger
from builders.llms.openai_batch import OpenAIBatch
from builders.llms.openai_server import Connection
from builders.tasks import Prompt, Task
task = Task(name="plants", title="Plants", description="Where does this plant grow?",
    labels={"in/door": "inside a house", "im Grünen": "in the open"},
    prompt=Prompt("You are a gardener.", "Write {count} notes on {label} ({meaning})."),
    length_words=(4, 20))
with Ledger(Path(sys.argv[1])) as ledger:
    llm = OpenAIBatch("gardener-2", Connection(base_url=sys.argv[2]), memory=ledger, poll_s=0.01)
    order = Order("zero_shot", per_label=6, texts_per_request=1)
    corpus = compose(task, order, llm, live=Live(ledger, Budget.of(llm)))
    print(corpus.texts.content_hash)
"""


def start(server: BatchServer, path: Path) -> subprocess.Popen[str]:
    """Start a build in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, str(path), server.url],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def wait_for(server: BatchServer, call: str, times: int, child: subprocess.Popen[str]) -> None:
    """Wait until the server was called so often."""
    while server.calls[call] < times and child.poll() is None:
        time.sleep(0.005)


@pytest.mark.slow
def test_a_killed_build_is_resumed_by_another_process(
    server: BatchServer, ledger: Ledger, tmp_path: Path
) -> None:
    """After a kill while it waits, no second batch is made, and the corpus is the same."""
    expected = composed(server, ledger).texts.content_hash
    server.held.set()
    path = tmp_path / "killed.sqlite"
    server.batches.clear()
    server.calls.clear()
    with start(server, path) as child:
        wait_for(server, "GET /v1/batches", 4, child)  # one list, and looks at the batch
        child.kill()
    assert child.returncode == -signal.SIGKILL
    server.held.clear()
    with start(server, path) as child:
        out, _ = child.communicate()

    assert out.strip() == expected
    assert len(server.batches) == 1


@pytest.mark.slow
def test_a_batch_made_just_before_a_kill_is_found(
    server: BatchServer, ledger: Ledger, tmp_path: Path
) -> None:
    """The kill comes when the batch is made and its name is in no note."""
    expected = composed(server, ledger).texts.content_hash
    server.batches.clear()
    server.calls.clear()
    killed = False
    children: list[subprocess.Popen[str]] = []

    def lost(method: str, path: str) -> bool:
        nonlocal killed
        if (method, path, killed) != ("POST", "/v1/batches", False):
            return False
        children[0].kill()
        children[0].wait()
        return (killed := True)

    server.lost = lost
    server.fault = lambda *call: _until(children)
    path = tmp_path / "killed.sqlite"
    with start(server, path) as child:
        children.append(child)
        child.wait()
    assert child.returncode == -signal.SIGKILL
    with start(server, path) as child:
        out, _ = child.communicate()

    assert out.strip() == expected
    assert len(server.batches) == 1


def _until(children: list[subprocess.Popen[str]]) -> None:
    while not children:
        time.sleep(0.005)


def test_processes_do_not_forget_the_batches_of_each_other(tmp_path: Path) -> None:
    """Another one that shares the ledger notes a batch right after the first has read the note."""
    path = tmp_path / "ledger.sqlite"
    others: list[threading.Thread] = []

    def other() -> None:
        with Ledger(path) as ledger:
            OpenBatches(ledger, "endpoint", "gardener-2").keep(OpenBatch.of(["two"]))

    class Shared(Ledger):
        def note(self, name: str) -> str | None:
            found = super().note(name)
            if not others:
                others.append(threading.Thread(target=other))
                others[0].start()
                others[0].join(0.3)  # where it need not wait for the first, it is over by then
            return found

    with Shared(path) as ledger:
        noted = OpenBatches(ledger, "endpoint", "gardener-2")
        noted.keep(OpenBatch.of(["one"]))
        others[0].join()

        assert {name for each in noted.holding(["one", "two"]) for name in each.asked} == {
            "one",
            "two",
        }


def test_a_lost_reply_to_the_making_makes_no_second_batch(
    server: BatchServer, ledger: Ledger
) -> None:
    """The batch that was made is looked up before another is."""
    server.lost = lambda method, path: (
        (method, path) == ("POST", "/v1/batches") and server.calls["POST /v1/batches"] == 1
    )

    assert len(asked(llm_at(server, ledger), REQUESTS)) == 5
    assert len(server.batches) == 1


def test_a_batch_is_found_without_notes(server: BatchServer) -> None:
    """Where the notes are lost, the digest that the server keeps identifies a batch."""
    first = asked(llm_at(server, None), REQUESTS)
    again = asked(llm_at(server, None), REQUESTS)

    assert again == first
    assert len(server.batches) == 1


def test_a_stopped_wait_goes_on_in_the_next_run(server: BatchServer, ledger: Ledger) -> None:
    """Closing the answers while they are waited for leaves the batch to go on."""
    server.held.set()

    async def stopped() -> None:
        async with llm_at(server, ledger) as llm:
            waiting = asyncio.ensure_future(anext(llm.complete_all(REQUESTS)))
            while server.calls["GET /v1/batches"] < 3:
                await asyncio.sleep(0.005)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    asyncio.run(stopped())
    server.held.clear()

    assert len(asked(llm_at(server, ledger), REQUESTS)) == 5
    assert len(server.batches) == 1


def test_only_what_no_batch_holds_is_asked_anew(server: BatchServer, ledger: Ledger) -> None:
    """A wave that is larger than the open batch makes a batch of the difference."""
    server.held.set()
    server.fault = lambda method, path, n: (
        web.json_response({"error": {"message": "wrong key"}}, status=401)
        if method == "GET" and n == 3
        else None
    )
    with pytest.raises(UserError):
        asked(llm_at(server, ledger), REQUESTS[:3])
    server.held.clear()

    assert len(asked(llm_at(server, ledger), REQUESTS)) == 5
    assert [row["custom_id"][:26] for row in server.asked] == [
        f"plants/zero_shot/in/door/c{n}"[:26] for n in range(5)
    ]


def test_requests_of_another_build_wait_for_it(server: BatchServer, ledger: Ledger) -> None:
    """A build leaves what an open batch holds for another one, which reads it later."""
    server.fault = lambda method, path, n: (
        web.json_response({"error": {"message": "wrong key"}}, status=401)
        if method == "GET" and n == 3
        else None
    )
    with pytest.raises(UserError):
        asked(llm_at(server, ledger), REQUESTS)
    one = asked(llm_at(server, ledger), REQUESTS[:2])
    rest = asked(llm_at(server, ledger), REQUESTS[2:])

    assert (len(one), len(rest)) == (2, 3)
    assert len(server.batches) == 1


def test_an_expired_batch_gives_its_finished_part(server: BatchServer, ledger: Ledger) -> None:
    """What is answered is kept; the rest may be asked again, said in a line or not."""

    def end(rows: list[Row]) -> Ending:
        said = failed(rows[2]["custom_id"], "batch_expired", "not executed in time")
        return Ending([answered(row) for row in rows[:2]], [said], "expired")

    server.end = end
    found = [*asked(llm_at(server, ledger), REQUESTS).values()]

    assert [type(each) for each in found] == [Completion] * 2 + [TryAgain] * 3
    assert {each.reason for each in found if isinstance(each, TryAgain)} == {"batch expired"}


def test_the_rest_of_an_expired_batch_is_asked_in_the_same_run(
    server: BatchServer, ledger: Ledger
) -> None:
    """The corpus is whole, and nothing is asked twice that was answered."""
    server.end = lambda rows: (
        Ending([answered(row) for row in rows[:7]], status="expired")
        if len(server.batches) == 1
        else all_answered(rows)
    )
    corpus = composed(server, ledger)

    assert corpus.record.kept == {"in/door": 6, "im Grünen": 6}
    assert len(server.asked) == 12 + 5


def test_errors_of_requests_cost_these_alone(server: BatchServer, ledger: Ledger) -> None:
    """The error file's lines fail their requests, for good or for this time."""

    def end(rows: list[Row]) -> Ending:
        too_long = {"error": {"message": "too long", "code": "context_length_exceeded"}}
        busy = {"error": {"message": "overloaded"}}
        errors = [
            reply(rows[0]["custom_id"], 400, too_long),
            reply(rows[1]["custom_id"], 503, busy),
            reply("of/another/batch", 400, too_long),
        ]
        return Ending([answered(row) for row in rows[2:]], errors)

    server.end = end
    found = [*asked(llm_at(server, ledger), REQUESTS).values()]

    assert sum(isinstance(each, Completion) for each in found) == 3
    reasons = {each.reason: type(each) for each in found if isinstance(each, RequestFailed)}
    assert reasons == {"context too long": RequestFailed, "http 503": TryAgain}


def test_a_parameter_that_a_model_does_not_know_is_left_out_next(
    server: BatchServer, ledger: Ledger
) -> None:
    """A whole batch refused for `max_tokens` is asked again under the newer name."""

    def end(rows: list[Row]) -> Ending:
        if "max_completion_tokens" in rows[0]["body"]:
            return all_answered(rows)
        body = {"error": {"message": "'max_tokens' is unknown. Use 'max_completion_tokens'."}}
        return Ending(errors=[reply(row["custom_id"], 400, body) for row in rows])

    server.end = end
    corpus = composed(server, ledger)

    assert corpus.record.kept == {"in/door": 6, "im Grünen": 6}
    assert len(server.batches) == 2


def test_a_batch_that_fails_its_validation_is_a_users_error(
    server: BatchServer, ledger: Ledger
) -> None:
    """The first error is quoted with its line, without the key; a later run starts anew."""
    mistakes = [("invalid_model", f"no model for {KEY}", 3), ("other", "other", 4)]
    server.end = lambda rows: Ending(status="failed", refused=list(mistakes))
    with pytest.raises(UserError, match=r"batch_0 was refused: line 3: no model for \*\*\*;"):
        asked(llm_at(server, ledger), REQUESTS)
    server.end = all_answered

    assert len(asked(llm_at(server, ledger), REQUESTS)) == 5


def test_a_full_queue_is_waited_for(server: BatchServer, ledger: Ledger) -> None:
    """Batches that the account's token limit refuses are made again when another has ended."""
    full = Ending(status="failed", refused=[("token_limit_exceeded", "queue is full", None)])
    ends = iter([None, full, full, None, full, None, None, None])
    server.end = lambda rows: next(ends) or all_answered(rows)

    found = asked(llm_at(server, ledger, bound=Bound(requests=2)), REQUESTS)

    assert {type(each) for each in found.values()} == {Completion}
    assert len(server.asked) == 5


def test_a_queue_full_of_other_batches_ends_the_run(server: BatchServer, ledger: Ledger) -> None:
    """With nothing of its own to wait for, a run says that it has to be started later."""
    server.end = lambda rows: Ending(
        status="failed", refused=[("token_limit_exceeded", "queue is full", None)]
    )

    with pytest.raises(Exhausted, match="queue is full"):
        asked(llm_at(server, ledger), REQUESTS)


def test_a_cancelled_batch_gives_its_part_and_ends_the_run(
    server: BatchServer, ledger: Ledger
) -> None:
    """What somebody cancelled is not asked again in the same run, but in the next one."""
    server.end = lambda rows: Ending([answered(row) for row in rows[:2]], status="cancelled")
    got: list[Request] = []

    async def ask() -> None:
        async with llm_at(server, ledger) as llm:
            async for each, _ in llm.complete_all(REQUESTS):
                got.append(each)

    with pytest.raises(Exhausted, match="3 of its requests are open"):
        asyncio.run(ask())
    server.end = all_answered

    assert got == REQUESTS[:2]
    assert len(asked(llm_at(server, ledger), REQUESTS[2:])) == 3


def test_faults_while_polling_and_reading_are_tried_again(
    server: BatchServer, ledger: Ledger
) -> None:
    """A reply in between that is an error, no JSON or none at all changes nothing."""
    server.polls = 6
    faults = {
        ("GET", "/v1/batches", 2): web.Response(status=500),
        ("GET", "/v1/batches", 3): web.Response(status=429, headers={"Retry-After": "0"}),
        ("GET", "/v1/batches", 4): web.Response(text="<html>", content_type="text/html"),
        ("GET", "/v1/batches", 5): web.Response(text="{", content_type="application/json"),
        ("GET", "/v1/batches", 6): web.json_response({"status": 3}),
        ("GET", "/v1/files/content", 1): web.Response(status=502),
        ("POST", "/v1/files", 1): web.Response(status=503),
        ("POST", "/v1/batches", 1): web.Response(status=500),
    }
    server.fault = lambda *call: faults.get(call)

    assert len(asked(llm_at(server, ledger), REQUESTS)) == 5
    assert len(server.batches) == 1


def test_a_server_that_stays_away_ends_the_run(server: BatchServer, ledger: Ledger) -> None:
    """After thirty attempts the run says how to go on; the batch is read by the next."""
    server.fault = lambda method, path, n: (
        web.Response(status=500) if method == "GET" and n > 3 else None
    )
    server.held.set()
    with pytest.raises(Exhausted, match="run the same command again"):
        asked(llm_at(server, ledger), REQUESTS)
    server.fault = lambda *call: None
    server.held.clear()

    assert len(asked(llm_at(server, ledger), REQUESTS)) == 5
    assert len(server.batches) == 1


@pytest.mark.parametrize("expires", [True, False])
def test_a_batch_that_the_server_does_not_end_is_not_waited_for(
    server: BatchServer, ledger: Ledger, expires: bool
) -> None:
    """Made 27 hours ago, to end within 24, and still in progress; when it ends it is read."""
    server.held.set()
    with pytest.raises(Exhausted, match="cannot be reached"):
        server.fault = lambda method, path, n: (
            web.Response(status=500) if method == "GET" and n > 3 else None
        )
        asked(llm_at(server, ledger), REQUESTS)
    server.fault = lambda *call: None
    (batch,) = server.batches.values()
    batch["created_at"] -= 27 * 3600
    if expires:
        batch["expires_at"] = batch["created_at"] + 24 * 3600

    with pytest.raises(Exhausted, match=r"batch_0 was to end by .* UTC and is still in_progress"):
        asked(llm_at(server, ledger), REQUESTS)

    server.held.clear()
    server.polls = 1
    assert len(asked(llm_at(server, ledger), REQUESTS)) == 5
    assert len(server.batches) == 1


@pytest.mark.parametrize("before", [0, 190, 285])
def test_a_wrong_key_is_a_users_error_that_does_not_show_it(
    server: BatchServer, ledger: Ledger, before: int
) -> None:
    """The server's message quotes the key; ours does not, and nothing was made."""
    server.fault = lambda *call: web.json_response(
        {"error": {"message": f"{'y' * before} API key {KEY}"}}, status=401
    )
    with pytest.raises(UserError, match="set another key") as caught:
        asked(llm_at(server, ledger), REQUESTS)

    assert KEY[:4] not in str(caught.value)
    assert not server.batches


def test_a_batch_that_another_key_made_is_not_asked_again(
    server: BatchServer, ledger: Ledger
) -> None:
    """While a noted batch may be open, its absence is said and nothing is paid for twice."""
    server.fault = lambda method, path, n: (
        web.Response(status=401) if method == "GET" and n == 3 else None
    )
    with pytest.raises(UserError):
        asked(llm_at(server, ledger), REQUESTS)
    server.batches.clear()

    with pytest.raises(UserError, match="use the key that it was made with"):
        asked(llm_at(server, ledger), REQUESTS)
    assert not server.batches


def test_large_waves_are_split_into_batches(server: BatchServer, ledger: Ledger) -> None:
    """Five requests of at most two a batch are three batches."""
    found = asked(llm_at(server, ledger, bound=Bound(requests=2)), REQUESTS)

    assert len(found) == 5
    assert len(server.batches) == 3


def test_what_is_sent_is_what_the_chat_api_is_sent(server: BatchServer, ledger: Ledger) -> None:
    """A line's body has model, messages, sampling and seed."""
    asked(llm_at(server, ledger, sampling=Sampling(schema=False)), [request(7, words="Hätte?")])

    assert server.asked[0]["body"] == {
        "model": "gardener-2",
        "messages": [{"role": "user", "content": "Hätte?"}],
        "max_tokens": 9,
        "seed": 7,
    }


def test_a_batch_costs_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """At OpenAI's own endpoint the listed price is halved; elsewhere there is none."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    official = OpenAIBatch("gpt-4o-mini")
    other = OpenAIBatch("gpt-4o-mini", Connection(base_url="http://localhost:1/v1"))

    # 0.15 and 0.60 USD a million tokens, halved
    assert official.price is not None
    assert (official.price.prompt, official.price.answer) == (0.075, 0.3)
    assert other.price is None
