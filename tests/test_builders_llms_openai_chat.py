"""The chat client against servers that break the rules, over real HTTP, with both transports."""

import asyncio
import email.utils
import gzip
import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from chat_server import completion, written
from plants import PLANTS

from builders.composition import Composition, Live, Order, compose
from builders.errors import UserError
from builders.generation import Budget
from builders.ledger import Ledger
from builders.llms.base import Exhausted, Limits, Rephrase, RequestFailed, Sampling, TryAgain
from builders.llms.openai_chat import OpenAIChat
from builders.llms.openai_server import Connection
from builders.requests import Completion, Message, Request, RequestId
from builders.strategies.base import TEXTS_SCHEMA

KEY = "sk-made-up-0123456789"
Body = dict[str, Any]
Handler = Callable[[web.Request, Body], Awaitable[web.StreamResponse]]
both = pytest.mark.parametrize("transport", ["aiohttp", "openai"])

TASK = replace(PLANTS, length_words=(2, 20))


class Server:
    """A server whose handler a test writes.

    Attributes:
        handler: Answers a request.
        bodies: The bodies that came, parsed.
        headers: Their headers, with names in lower case.
    """

    def __init__(self) -> None:
        self.handler: Handler = fine
        self.bodies: list[Body] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Note the request and answer it."""
        raw = await request.read()
        body = json.loads(raw) if raw else {}
        self.bodies.append(body)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        return await self.handler(request, body)


async def fine(request: web.Request, body: Body) -> web.StreamResponse:
    """Answer with one text, the body's own."""
    return web.json_response(completion(body, written(body)))


def refusing(status: int, row: Any, headers: dict[str, str] | None = None) -> Handler:
    """Return a handler that refuses every request."""

    async def handler(request: web.Request, body: Body) -> web.StreamResponse:
        return web.json_response(row, status=status, headers=headers)

    return handler


def raw(content: bytes, **settings: Any) -> Handler:
    """Return a handler that sends `content`."""

    async def handler(request: web.Request, body: Body) -> web.StreamResponse:
        return web.Response(body=content, **settings)

    return handler


@contextmanager
def running() -> Iterator[Server]:
    """Run a server in a thread of its own."""
    server, loop, ready = Server(), asyncio.new_event_loop(), threading.Event()

    def serve() -> None:
        asyncio.set_event_loop(loop)
        application = web.Application(client_max_size=2**26)
        application.router.add_route("*", "/{path:.*}", server.handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        loop.run_until_complete(runner.setup())
        loop.run_until_complete(web.TCPSite(runner, "127.0.0.1", 0).start())
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert ready.wait(100)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(100)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Run a server for one test; there is a key for it."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with running() as found:
        yield found


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Open a new ledger."""
    with Ledger(tmp_path / "ledger.sqlite") as opened:
        yield opened


def client(
    server: Server,
    transport: str = "aiohttp",
    timeout_s: float = 100,
    memory: Ledger | None = None,
    sampling: Sampling | None = None,
) -> OpenAIChat:
    """Return a client of the server."""
    connection = Connection(base_url=server.url, transport=transport, timeout_s=timeout_s)
    llm = OpenAIChat("gardener-2", connection, Limits(4), sampling, memory=memory)
    llm.turns = 1
    return llm


def asked(max_tokens: int = 5000) -> Request:
    """Return a request as a build makes it."""
    messages: tuple[Message, ...] = (
        {"role": "system", "content": "You are a gardener. \u00c4hren \U0001f33e"},
        {"role": "user", "content": 'Write "one" note.'},
    )
    sampling = {"temperature": 0.7, "top_p": 0.9, "max_tokens": max_tokens}
    name = RequestId("plants", "zero_shot", "in/door", 3, 1)
    return Request(name, messages, 1, TEXTS_SCHEMA, sampling, draw=2)


def answer(llm: OpenAIChat, request: Request) -> Completion:
    """Send a request as the engine does: phrased anew where the server refuses a part of it."""

    async def ask() -> Completion:
        async with llm:
            for _ in range(6):
                try:
                    return await llm.complete(llm.phrased(request))
                except Rephrase:
                    continue
        raise AssertionError("rephrased without end")

    return asyncio.run(ask())


# ---- What is sent -----------------------------------------------------------------------------


def test_both_transports_send_the_same(server: Server) -> None:
    """The same address, body, key and content type."""
    for transport in ("aiohttp", "openai"):
        answer(client(server, transport), asked())

    one, other = server.bodies
    assert one == other
    assert one["seed"] == 2 * 100_000 + 3
    assert one["response_format"]["json_schema"]["schema"] == TEXTS_SCHEMA
    for name in ("authorization", "content-type", "host"):
        assert server.headers[0][name] == server.headers[1][name]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


# ---- What a server does not understand --------------------------------------------------------

_SCHEMA = "response_format"
_NAME = "max_completion_tokens"
REFUSALS: dict[str, tuple[int, Any, str]] = {
    "OpenAI, name of the bound": (
        400,
        {
            "error": {
                "message": "Unsupported parameter: 'max_tokens' is not supported with this model. "
                "Use 'max_completion_tokens' instead.",
                "type": "invalid_request_error",
                "param": "max_tokens",
                "code": "unsupported_parameter",
            }
        },
        "max_tokens",
    ),
    "OpenAI, schema": (
        400,
        {
            "error": {
                "message": "Invalid parameter: 'response_format' of type 'json_schema' is not "
                "supported with this model.",
                "type": "invalid_request_error",
                "param": None,
                "code": None,
            }
        },
        "response_format",
    ),
    "vLLM, schema": (
        400,
        {
            "object": "error",
            "message": "Failed to initialize structured outputs backend: xgrammar is missing",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
        "response_format",
    ),
    "vLLM, older, schema": (
        400,
        {
            "object": "error",
            "message": "guided decoding is not supported on this platform",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
        "response_format",
    ),
    "FastAPI, seed": (
        422,
        {
            "detail": [
                {
                    "type": "extra_forbidden",
                    "loc": ["body", "seed"],
                    "msg": "Extra inputs are not permitted",
                    "input": 200003,
                }
            ]
        },
        "seed",
    ),
    "Mistral, seed": (
        422,
        {
            "object": "error",
            "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"]}]},
            "type": "invalid_request_error",
        },
        "seed",
    ),
    "transformers, seed": (422, {"detail": "Unexpected fields in the request: {'seed'}"}, "seed"),
    "in plain text, schema": (400, "response_format is not implemented", "response_format"),
}


def until_without(part: str, status: int, row: Any) -> Handler:
    """Return a handler that refuses requests with `part`, and answers the others."""

    async def handler(request: web.Request, body: Body) -> web.StreamResponse:
        if part in body:
            return web.json_response(row, status=status)
        return await fine(request, body)

    return handler


@both
@pytest.mark.parametrize("wording", REFUSALS)
def test_a_part_that_is_refused_is_left_out_and_remembered(
    server: Server, ledger: Ledger, wording: str, transport: str
) -> None:
    """One probe finds it out; a second run, with the same ledger, does without."""
    status, row, part = REFUSALS[wording]
    server.handler = until_without(part, status, row)

    answer(client(server, transport, memory=ledger), asked())
    answer(client(server, transport, memory=ledger), asked())

    assert [part in body for body in server.bodies] == [True, False, False]
    kept = {"max_tokens", "response_format", "seed"} - {part}
    assert kept <= server.bodies[1].keys()
    assert (server.bodies[1].get(_NAME) == 5000) == (part == "max_tokens")
    assert server.bodies[1] == server.bodies[2]


@pytest.mark.parametrize(
    "message",
    [
        "max_tokens is too large: 5000. This model supports at most 4096 completion tokens, "
        "whereas you provided 5000.",
        "`max_tokens` must be less than or equal to 4096",
        "Range of max_tokens should be up to 4096",
        "max_tokens: 5000 > 4096, which is the maximum of 4096 allowed",
    ],
)
def test_answers_that_are_too_long_are_bounded(
    server: Server, ledger: Ledger, message: str
) -> None:
    """The server says how long they may be; a later run asks for no more from the start."""

    async def handler(request: web.Request, body: Body) -> web.StreamResponse:
        if body["max_tokens"] > 4096:
            return web.json_response({"error": {"message": message}}, status=400)
        return await fine(request, body)

    server.handler = handler

    answer(client(server, memory=ledger), asked())
    answer(client(server, memory=ledger), asked())
    answer(client(server, memory=ledger), asked(100))

    assert [body["max_tokens"] for body in server.bodies] == [5000, 4096, 4096, 100]


def test_one_thing_after_another_is_found_out(server: Server, ledger: Ledger) -> None:
    """A server that knows neither schema, `seed` nor `max_tokens` is asked four times, once."""

    async def handler(request: web.Request, body: Body) -> web.StreamResponse:
        for part in ("response_format", "seed"):
            if part in body:
                return web.json_response({"error": {"message": f"{part}: unknown"}}, status=400)
        if "max_tokens" in body:
            row = {"error": {"message": "use max_completion_tokens"}}
            return web.json_response(row, status=400)
        return await fine(request, body)

    server.handler = handler

    for _ in range(2):
        answer(client(server, memory=ledger), asked())

    assert len(server.bodies) == 5
    assert server.bodies[3] == server.bodies[4]


def test_what_a_user_does_not_want_is_not_learned_of_the_server(
    server: Server, ledger: Ledger
) -> None:
    """A build without a schema that finds out about `seed` leaves the next one its schema."""

    async def handler(request: web.Request, body: Body) -> web.StreamResponse:
        if "seed" in body:
            return web.json_response({"error": {"message": "seed: unknown"}}, status=400)
        return await fine(request, body)

    server.handler = handler

    answer(client(server, memory=ledger, sampling=Sampling(schema=False)), asked())
    answer(client(server, memory=ledger), asked())

    assert ["response_format" in body for body in server.bodies] == [False, False, True]
    assert ["seed" in body for body in server.bodies] == [True, False, False]


def test_a_refusal_after_an_answer_is_about_one_request(server: Server) -> None:
    """What was understood once is not unlearned: the request fails alone."""
    llm = client(server)
    answer(llm, asked())
    server.handler = refusing(400, {"error": {"message": "response_format is unknown"}})

    with pytest.raises(RequestFailed) as failed:
        answer(llm, asked())

    assert failed.value.reason == "http 400"
    assert len(server.bodies) == 2


# ---- Broken replies ---------------------------------------------------------------------------


@both
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(server: Server, transport: str, status: int) -> None:
    """Prompt and key were meant for this server alone."""
    with running() as other:
        there = f"{other.url}/{'steal' * 50}"
        server.handler = raw(b"", status=status, headers={"Location": there})

        with pytest.raises(RequestFailed) as failed:
            answer(client(server, transport), asked())

        assert failed.value.reason == "redirect"
        assert len(str(failed.value)) < 220
        assert other.bodies == []


@both
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"error": {"message": "overloaded"}}', "error instead of an answer"),
        (b'{"error": "overloaded", "choices": []}', "error instead of an answer"),
        (b'{"choices": [{"message": {"content": "\xff\xfe"}}]}', "unreadable answer"),
        (b"\x1f\x8b\x00\x00", "unreadable answer"),
        (b"", "unreadable answer"),
        (b"<html>Welcome to the hotel's network</html>", "unreadable answer"),
        (b'{"choices": [{"message": {"content": ["a"]}}]}', "unreadable answer"),
        (b'{"choices": "none"}', "unreadable answer"),
        (b"[" * 100_000, "unreadable answer"),
        (b"null", "unreadable answer"),
        (b"data: {}\n\n", "unreadable answer"),
    ],
)
def test_a_broken_answer_may_pass(
    server: Server, transport: str, content: bytes, reason: str
) -> None:
    """A reply that is none is asked for again, whatever it is."""
    server.handler = raw(content, content_type="application/json")

    with pytest.raises(TryAgain) as again:
        answer(client(server, transport), asked())

    assert again.value.reason == reason


@both
def test_half_a_character_in_an_answer_costs_nothing(
    server: Server, ledger: Ledger, transport: str
) -> None:
    """The next turn quotes it with a question mark in its place; the record can be written."""

    async def handler(request: web.Request, body: Body) -> web.StreamResponse:
        row = completion(body, [*written(body), "Half a character: \ud83d."])
        row["choices"][0]["message"]["content"] += "\ud83d"
        row["choices"][0]["finish_reason"] = row["model"] = "stop\ud83d"
        return web.json_response(row)

    server.handler = handler
    composition = composed(server, ledger, transport, turns=2)

    assert composition.record.kept == {"in/door": 4, "out door": 4}
    assert server.bodies[-1]["messages"][2]["content"].endswith("?")
    assert {(e.completion.model, e.completion.finish_reason) for e in ledger.entries()} == {
        ("stop?", "stop?")
    }


@pytest.mark.parametrize("code", [10**61, -5, 1, True, 700])
def test_a_code_that_is_no_status_is_not_taken_for_one(server: Server, code: int) -> None:
    """A body may name any number as its error's code; failures are counted under a few words."""
    server.handler = raw(json.dumps({"error": {"message": "no", "code": code}}).encode())

    with pytest.raises(TryAgain, match=r"^error instead of an answer: no$"):
        answer(client(server), asked())


@both
def test_an_answer_without_a_choice_fails(server: Server, transport: str) -> None:
    """The server answered, with nothing."""
    server.handler = raw(b'{"choices": []}', content_type="application/json")

    with pytest.raises(RequestFailed) as failed:
        answer(client(server, transport), asked())

    assert failed.value.reason == "no choice"


@both
def test_the_content_type_does_not_matter(server: Server, transport: str) -> None:
    """Small servers label their JSON as text."""
    content = json.dumps(completion({"model": "m", "messages": []}, ["a note"])).encode()
    server.handler = raw(content, content_type="text/html", charset="latin-1")

    assert json.loads(answer(client(server, transport), asked()).content) == {"texts": ["a note"]}


@both
def test_other_ids_and_fields_do_not_matter(server: Server, transport: str) -> None:
    """A server may name answers as it likes, and say more or less than the API does."""
    row = {"id": 7, "object": 3, "model": 5, "usage": {"prompt_tokens": "many"}, "more": [None]}
    row["choices"] = [{"index": 9, "message": {"content": "a note", "role": 1}}]
    server.handler = raw(json.dumps(row).encode(), content_type="application/json")

    assert answer(client(server, transport), asked()) == Completion("a note")


@both
def test_an_endless_answer_is_cut_off(server: Server, transport: str) -> None:
    """A body without an end: some 16 MiB are read, and the connection is closed."""
    sent = 0

    async def handler(request: web.Request, body: Body) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 256 * 2**20:
            await response.write(b" " * 2**20)
            sent += 2**20
        return response

    server.handler = handler

    with pytest.raises(TryAgain) as again:
        answer(client(server, transport), asked())

    assert again.value.reason == "endless answer"
    assert sent < 64 * 2**20


@both
def test_a_compressed_endless_answer_is_cut_off(server: Server, transport: str) -> None:
    """A quarter of a megabyte that unpacks to 256: its length as sent is not its length."""
    packed = gzip.compress(bytes(256 * 2**20))
    assert len(packed) < 2**19
    server.handler = raw(
        packed, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"}
    )

    with pytest.raises(TryAgain) as again:
        answer(client(server, transport), asked())

    assert again.value.reason == "endless answer"


@both
def test_an_answer_that_breaks_off_may_pass(server: Server, transport: str) -> None:
    """A length was promised and not kept: whatever came is no answer."""

    async def handler(request: web.Request, body: Body) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"choices": [{"message": {"content": "a"}}]}')
        assert request.transport is not None
        request.transport.close()
        return response

    server.handler = handler

    with pytest.raises(TryAgain) as again:
        answer(client(server, transport), asked())

    assert again.value.reason == "connection lost"
    assert again.value.lost


@both
def test_a_dropped_connection_may_pass(server: Server, transport: str) -> None:
    """The server took the request and hung up: an answer may have been made, and billed."""

    async def handler(request: web.Request, body: Body) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    server.handler = handler

    with pytest.raises(TryAgain) as again:
        answer(client(server, transport), asked())

    assert again.value.reason == "connection lost"
    assert again.value.lost


@both
def test_nobody_there_is_no_lost_answer(server: Server, transport: str) -> None:
    """Nothing was sent, so nothing can have been billed."""
    with socket.socket() as deaf:  # the port stays taken, so that no other server gets it
        deaf.bind(("127.0.0.1", 0))
        server.url = f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"
        with pytest.raises(TryAgain) as again:
            answer(client(server, transport), asked())

    assert again.value.reason == "no connection"
    assert not again.value.lost


@both
@pytest.mark.parametrize("drips", [False, True])
def test_a_slow_answer_is_not_waited_for(server: Server, transport: str, drips: bool) -> None:
    """The time-out is for the whole reply: a server that drips a byte at a time gains nothing."""

    async def handler(request: web.Request, body: Body) -> web.StreamResponse:
        response = web.StreamResponse()
        if drips:
            await response.prepare(request)
        for _ in range(1200):  # a minute: far more than the time-out
            await asyncio.sleep(0.05)
            if drips:
                await response.write(b" ")
        return response

    server.handler = handler

    with pytest.raises(TryAgain) as again:
        answer(client(server, transport, timeout_s=0.3), asked())

    assert again.value.reason == "time-out"
    assert again.value.lost


# ---- Refusals ---------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 400])
def test_a_key_that_a_server_quotes_is_not_told(
    server: Server, transport: str, status: int
) -> None:
    """Messages reach terminals and logs; a server that echoes the key does not bring it there."""
    row = {"error": {"message": f"Incorrect API key provided: {KEY}.", "code": KEY, "type": KEY}}
    server.handler = refusing(status, row)

    with pytest.raises((UserError, RequestFailed)) as error:
        answer(client(server, transport), asked())

    assert KEY not in f"{error.value!s} {error.value!r} {vars(error.value)}"
    assert isinstance(error.value, UserError) == (status in (401, 403, 404))
    assert "\n" not in str(error.value)


@both
@pytest.mark.parametrize("before", range(175, 201, 5))
def test_no_part_of_a_key_is_told(server: Server, transport: str, before: int) -> None:
    """Of a long message 200 characters are shown, and the key may stand across that end."""
    message = f"{'y' * (before - 1)} {KEY}{'z' * 90}\x1b[2J"
    server.handler = refusing(400, {"error": {"message": message}})

    with pytest.raises(RequestFailed) as error:
        answer(client(server, transport), asked())

    assert KEY[:4] not in str(error.value)
    assert "yyy" in str(error.value)
    assert str(error.value).isprintable()


@both
@pytest.mark.parametrize(
    ("status", "row"),
    [
        (429, {"error": {"message": "You exceeded your quota.", "code": "insufficient_quota"}}),
        (429, {"error": {"message": "You exceeded your quota.", "type": "insufficient_quota"}}),
        (402, {"error": {"message": "Insufficient credits", "code": 402}}),
        (400, {"error": {"message": "Limit met", "code": "billing_hard_limit_reached"}}),
    ],
)
def test_an_account_without_credit_ends_the_build(
    server: Server, transport: str, status: int, row: Any
) -> None:
    """Waiting brings no credit; what was answered before stays good."""
    server.handler = refusing(status, row)

    with pytest.raises(Exhausted, match="no credit left"):
        answer(client(server, transport), asked())


@both
@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"Retry-After": "7"}, 7.0, 7.0),
        ({"Retry-After": "0.25"}, 0.25, 0.25),
        ({"retry-after-ms": "1500", "Retry-After": "2"}, 1.5, 1.5),
        ({"retry-after-ms": "soon", "Retry-After": "2"}, 2.0, 2.0),
        ({"Retry-After": "Thu, 01 Jan 1998 00:00:00 GMT"}, 0.0, 0.0),
    ],
)
def test_the_wait_that_a_server_asks_for_is_heard(
    server: Server, transport: str, headers: dict[str, str], least: float, most: float
) -> None:
    """In seconds, milliseconds, or until a date that may be over."""
    server.handler = refusing(429, {"error": {"message": "slow down"}}, headers)

    with pytest.raises(TryAgain) as again:
        answer(client(server, transport), asked())

    assert again.value.limited
    assert again.value.after_s is not None
    assert least <= again.value.after_s <= most


def test_a_date_to_come_is_a_wait(server: Server) -> None:
    """An hour from now, up to the time that the test itself takes."""
    date = email.utils.formatdate(time.time() + 3600, usegmt=True)
    server.handler = refusing(503, {}, {"Retry-After": date})

    with pytest.raises(TryAgain) as again:
        answer(client(server), asked())

    assert again.value.after_s is not None
    assert 3000 < again.value.after_s <= 3600


@pytest.mark.parametrize("value", ["soon", "-3", "nan", "inf", "1e999", ""])
def test_a_wait_that_is_none_is_not_heard(server: Server, value: str) -> None:
    """The engine then waits as long as it would without a word."""
    server.handler = refusing(429, {}, {"Retry-After": value})

    with pytest.raises(TryAgain) as again:
        answer(client(server), asked())

    assert again.value.after_s is None


# ---- Addresses and keys ----------------------------------------------------------------------


@pytest.mark.parametrize("host", ["a..b", f"{'a' * 64}.example", ".", ""])
def test_a_host_that_cannot_be_one_is_refused(host: str) -> None:
    """A part of a host's name has 1 to 63 characters."""
    with pytest.raises(UserError, match="no address of a server; give one like"):
        Connection(base_url=f"http://{host}/v1").endpoint()


def test_a_name_and_a_key_are_not_both_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both would stand in the same header; the message shows neither password nor key."""
    named = Connection(base_url="http://me:secret@127.0.0.1:9/v1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert named.endpoint().key is None

    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(UserError, match="leave out the name, or unset the key") as error:
        named.endpoint()

    assert "secret" not in str(error.value)
    assert KEY not in str(error.value)


def test_a_key_with_a_blank_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """No server takes one; and it could not be taken out of what a server says."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-made up")
    with pytest.raises(UserError, match="holds a character that no key has"):
        Connection().endpoint()


# ---- A whole build ----------------------------------------------------------------------------


def composed(
    server: Server, ledger: Ledger, transport: str = "aiohttp", turns: int = 1
) -> Composition:
    """Compose a corpus of four texts a label, one a request."""
    connection = Connection(base_url=server.url, transport=transport, timeout_s=100)
    llm = OpenAIChat("gardener-2", connection, Limits(2), Sampling(max_tokens=50), memory=ledger)
    llm.turns = turns
    live = Live(ledger, Budget.of(llm))
    return compose(TASK, Order("zero_shot", 4, 1), llm, live=live)


BROKEN: dict[str, tuple[Handler, str]] = {
    "refused": (refusing(400, {"error": {"message": "not this prompt"}}), "http 400"),
    "filtered": (
        refusing(400, {"error": {"message": "no", "code": "content_filter"}}),
        "content filter",
    ),
    "too long": (
        refusing(400, {"error": {"message": "no", "code": "context_length_exceeded"}}),
        "context too long",
    ),
    "redirected": (raw(b"", status=302, headers={"Location": "http://127.0.0.1:9/"}), "redirect"),
    "empty": (raw(b'{"choices": []}'), "no choice"),
    "gone": (raw(b"", status=410), "http 410"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_request_that_cannot_be_answered_costs_itself(
    server: Server, ledger: Ledger, kind: str
) -> None:
    """One prompt of eight: its text is asked for in another conversation, and the quota is met."""
    broken, reason = BROKEN[kind]

    async def handler(request: web.Request, body: Body) -> web.StreamResponse:
        bad = body["seed"] == 2 and "out door" in body["messages"][1]["content"]
        return await (broken if bad else fine)(request, body)

    server.handler = handler

    composition = composed(server, ledger)

    assert composition.halt is None
    assert composition.record.kept == {"in/door": 4, "out door": 4}
    assert composition.record.failed_requests == {reason: 1}
    assert len(server.bodies) == 9
    assert ledger.failures() == {reason: 1}


@both
def test_what_breaks_once_is_asked_again(server: Server, ledger: Ledger, transport: str) -> None:
    """Garbage, a dropped connection and an error in an answer's place, one after another."""

    async def drop(request: web.Request, body: Body) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    faults = [raw(b"\xff\xfe"), drop, raw(b'{"error": {"message": "busy"}}')]

    async def handler(request: web.Request, body: Body) -> web.StreamResponse:
        late = len(server.bodies) > 1 and faults
        return await (faults.pop() if late else fine)(request, body)

    server.handler = handler

    composition = composed(server, ledger, transport)

    assert composition.record.kept == {"in/door": 4, "out door": 4}
    assert composition.record.failed_requests == {}
    assert len(server.bodies) == 8 + 3


def test_the_key_is_in_no_file(server: Server, ledger: Ledger) -> None:
    """Not even where the server quotes it in everything that it refuses."""

    async def handler(request: web.Request, body: Body) -> web.StreamResponse:
        if "response_format" in body or body["seed"] == 1:
            row = {"error": {"message": f"{KEY}: response_format is unknown", "code": KEY}}
            return web.json_response(row, status=400, headers={"x-key": KEY})
        return await fine(request, body)

    server.handler = handler

    composed(server, ledger)
    ledger.sync()

    with ExitStack() as stack:
        files = [stack.enter_context(path.open("rb")) for path in ledger.path.parent.iterdir()]
        assert all(KEY.encode() not in file.read() for file in files)
    assert all(header["authorization"] == f"Bearer {KEY}" for header in server.headers)
