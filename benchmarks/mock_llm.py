"""An OpenAI-compatible server that costs little and behaves badly on demand, for measurements.

    python benchmarks/mock_llm.py --port 0 --latency 0.2 --jitter 0.2

prints its port and answers chat completions on the loopback until it is killed. An answer depends
on the request's body alone, `seed` included, and so do its latency and its faults: two clients that
send the same bodies meet the same server. `GET /stats` tells what it saw since `POST /reset`.
"""

import argparse
import asyncio
import hashlib
import math
import struct
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

from aiohttp import web

_LENGTH = 12  # words of a text
_WORDS = tuple(
    a + b + c + d + e
    for a in "bdfgklmnprstvz"
    for b in "aeiou"
    for c in "bdgklmnrst"
    for d in "aeiou"
    for e in "lnrst"
)
_ANSWER = (
    '{"id":"chatcmpl-mock","object":"chat.completion","created":0,"model":"mock-1","choices":['
    '{"index":0,"finish_reason":"stop","logprobs":null,"message":{"role":"assistant",'
    '"content":"{\\"texts\\":[%s]}","refusal":null}}],'
    '"usage":{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}}'
)
_REFUSAL = (
    b'{"error":{"message":"Rate limit reached","type":"requests","code":"rate_limit_exceeded"}}'
)
_FAULT = b'{"error":{"message":"The server had an error","type":"server_error"}}'


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0 for any that is free")
    parser.add_argument("--latency", type=float, default=0.2, help="seconds of an answer")
    parser.add_argument("--jitter", type=float, default=0.0, help="mean of an exponential addition")
    parser.add_argument("--texts", type=int, default=1, help="texts of an answer")
    parser.add_argument("--rps", type=float, default=0.0, help="rate of a token bucket, 0 for none")
    parser.add_argument("--burst", type=float, default=1.0, help="its depth, in requests")
    parser.add_argument("--no-ms", action="store_true", help="send no retry-after-ms")
    parser.add_argument("--p429", type=float, default=0.0, help="share refused, Retry-After 1 s")
    parser.add_argument("--p500", type=float, default=0.0, help="share failed, after the latency")
    parser.add_argument("--hold", type=int, default=0, help="answers until POST /release")
    parser.add_argument("--slots", type=int, default=0, help="requests served at once, 0 for all")
    return parser


class Mock:
    """The server.

    Args:
        options: As the parser reads them.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self._slots = asyncio.Semaphore(options.slots) if options.slots else None
        self._released = asyncio.Event()
        self._first = self._last = self._filled = self._level = 0.0
        self._in_flight = self._peak = 0
        self._reset()

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one request."""
        if request.path.endswith("/chat/completions"):
            return await self._complete(request)
        if request.path == "/reset" and request.method == "POST":
            self._reset()
            return web.json_response({})
        if request.path == "/release" and request.method == "POST":
            self._released.set()
            return web.json_response({})
        if request.path == "/stats":
            return web.json_response(self.stats())
        return web.Response(status=404)

    def stats(self) -> dict[str, Any]:
        """Return the counts: `distinct` bodies answered, `extra` answers to the same bodies."""
        done = self._last > self._first
        return {
            **self._counts,
            "peak": self._peak,
            "in_flight": self._in_flight,
            "distinct": len(self._answered),
            "extra": self._answered.total() - len(self._answered),
            "span_s": self._last - self._first if done else 0.0,
        }

    async def _complete(self, request: web.BaseRequest) -> web.Response:
        now = time.monotonic()
        self._first = self._first or now
        self._in_flight += 1
        self._peak = max(self._peak, self._in_flight)
        self._counts["requests"] += 1
        try:
            return await self._reply(await request.read(), now)
        finally:
            self._in_flight -= 1
            self._last = time.monotonic()

    async def _reply(self, body: bytes, now: float) -> web.Response:
        digest = hashlib.blake2b(body, digest_size=32).digest()
        options = self.options
        if options.rps and (wait := self._take(now)):
            ms = {} if options.no_ms else {"retry-after-ms": str(math.ceil(wait * 1000))}
            return self._refused({"retry-after": str(max(1, math.ceil(wait))), **ms})
        failing = 1.0
        if options.p429 or options.p500:
            failing = self._draw(digest)
        if failing < options.p429:
            return self._refused({"retry-after": "1"})
        latency = options.latency
        if options.jitter:
            latency -= options.jitter * math.log(1 - int.from_bytes(digest[:6]) / 2**48)
        async with self._slots or nullcontext():
            await asyncio.sleep(latency)
            if options.hold and self._counts["ok"] >= options.hold:
                await self._released.wait()
        if failing < options.p429 + options.p500:
            self._counts["failed"] += 1
            return web.Response(status=500, body=_FAULT, content_type="application/json")
        self._counts["ok"] += 1
        self._answered[digest] += 1
        return web.Response(
            body=answer(digest, len(body), options.texts), content_type="application/json"
        )

    def _take(self, now: float) -> float:
        """Take from the bucket; return the seconds until there is enough, if there is not."""
        options = self.options
        self._level = min(options.burst, self._level + (now - self._filled) * options.rps)
        self._filled = now
        if self._level < 1:
            return float((1 - self._level) / options.rps)
        self._level -= 1
        return 0.0

    def _draw(self, digest: bytes) -> float:
        """Return a number below 1 that another attempt of the same request draws anew."""
        self._attempts[digest] += 1
        drawn = hashlib.blake2b(digest + bytes([self._attempts[digest] % 256]), digest_size=6)
        return int.from_bytes(drawn.digest()) / 2**48

    def _refused(self, headers: dict[str, str]) -> web.Response:
        self._counts["refused"] += 1
        return web.Response(
            status=429, body=_REFUSAL, headers=headers, content_type="application/json"
        )

    def _reset(self) -> None:
        self._counts = {"requests": 0, "ok": 0, "refused": 0, "failed": 0}
        self._first = self._last = 0.0
        self._peak = 0
        self._answered: Counter[bytes] = Counter()
        self._attempts: Counter[bytes] = Counter()
        self._level, self._filled = self.options.burst, time.monotonic()


def answer(digest: bytes, length: int, texts: int) -> bytes:
    """Return the body of an answer: made-up words that the digest of the request draws.

    Args:
        digest: Of the request's body.
        length: Bytes of the request's body.
        texts: Texts of the answer.
    """
    written = []
    for k in range(texts):
        drawn = hashlib.blake2b(digest + k.to_bytes(2), digest_size=2 * _LENGTH).digest()
        words = [_WORDS[n % len(_WORDS)] for n in struct.unpack(f"<{_LENGTH}H", drawn)]
        written.append(f'\\"{" ".join(words)}\\"')
    prompt, own = length // 4, 24 * texts
    return (_ANSWER % (",".join(written), prompt, own, prompt + own)).encode()


async def serve(options: argparse.Namespace) -> None:
    """Print the port and answer for ever."""
    runner = web.ServerRunner(web.Server(Mock(options).handle, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", options.port, backlog=2048).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve."""
    asyncio.run(serve(make_parser().parse_args(arguments)))


if __name__ == "__main__":
    main()
