"""A chat-completions server for the tests: answers are a function of the request's body."""

import asyncio
import hashlib
import json
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

_POLLS, _POLL_S = 3000, 0.01  # 30 s at least: what is held that long is sent all the same

WORDS = [a + b + c + d for a in "bdfgklmn" for b in "aeiou" for c in "rstvz" for d in "aeiou"]


@dataclass(frozen=True)
class Answer:
    """What is sent back.

    Attributes:
        texts: The texts of an answer; None for the raw `body`.
        status: The HTTP status.
        body: The body instead of a completion.
        headers: Headers beside the usual ones.
        delay_s: Seconds before it is sent.
        until: It is held until this is true: what comes before what is not left to the clock.
    """

    texts: list[str] | None = None
    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    until: Callable[[], bool] = lambda: True


def refusal(status: int, message: str = "no", code: str | None = None, **headers: str) -> Answer:
    """Return an error as OpenAI words it."""
    body = json.dumps({"error": {"message": message, "type": "error", "code": code}})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(None, status, body.encode(), named)


def written(body: Mapping[str, Any], count: int = 1, words: int = 12) -> list[str]:
    """Return the texts that the LLM writes: always the same for the same body."""
    rng = random.Random(hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest())
    return [" ".join(rng.choices(WORDS, k=words)) for _ in range(count)]


class ChatServer:
    """What the server was asked, and how it answers.

    Attributes:
        answer: Body -> what is sent back; called in the order of arrival.
        bodies: The bodies that came.
        finished: Those that were answered, in the order of their answers.
        headers: Their headers.
        answered: How many were answered to the end.
        peak: The most that were open at once.
    """

    def __init__(self) -> None:
        self.answer: Callable[[dict[str, Any]], Answer] = lambda body: Answer(written(body))
        self.arrived: Callable[[int], object] = lambda count: None
        self.bodies: list[dict[str, Any]] = []
        self.finished: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answered = self.peak = self._open = 0
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one request."""
        body = json.loads(await request.read())
        self.bodies.append(body)
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self._open += 1
        self.peak = max(self.peak, self._open)
        try:
            answer = self.answer(body)
            self.arrived(len(self.bodies))
            await asyncio.sleep(answer.delay_s)
            await _held(answer.until)
        finally:
            self._open -= 1
        content = answer.body
        if answer.texts is not None:
            content = json.dumps(completion(body, answer.texts)).encode()
        self.answered += 1
        self.finished.append(body)
        return web.Response(
            body=content,
            status=answer.status,
            headers={"Content-Type": "application/json", **answer.headers},
        )


async def _held(until: Callable[[], bool]) -> None:
    """Wait until something is so, but not for ever: the test then sees that it was not."""
    for _ in range(_POLLS):
        if until():
            return
        await asyncio.sleep(_POLL_S)


def completion(body: Mapping[str, Any], texts: list[str]) -> dict[str, Any]:
    """Return a body as the API sends it, with these texts."""
    return completion_of(body, json.dumps({"texts": texts}))


def completion_of(body: Mapping[str, Any], content: str) -> dict[str, Any]:
    """Return a body as the API sends it: a token a character of the messages, and of the answer."""
    prompt = sum(len(message["content"]) for message in body["messages"])
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": f"{body['model']}-2026-01-01",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": content, "refusal": None},
            }
        ],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": len(content),
            "total_tokens": prompt + len(content),
        },
    }


@contextmanager
def running_chat_server() -> Iterator[ChatServer]:
    """Run a server in a thread of its own."""
    server = ChatServer()
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    async def start() -> web.AppRunner:
        application = web.Application(client_max_size=2**26)
        application.router.add_post("/v1/chat/completions", server.handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        ready.set()
        return runner

    def serve() -> None:
        asyncio.set_event_loop(loop)
        runner = loop.run_until_complete(start())
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
