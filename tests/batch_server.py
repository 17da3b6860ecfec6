"""A Batch API server for the tests: files, batches and their answers, kept in memory."""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from chat_server import completion, written

Row = dict[str, Any]


def answered(row: Row, texts: int = 1) -> Row:
    """Return the output line that answers an input line: always the same for the same body."""
    body = completion(row["body"], written(row["body"], texts))
    return reply(row["custom_id"], 200, body)


def reply(custom_id: str, status: int, body: Row) -> Row:
    """Return a line with a response."""
    response = {"status_code": status, "request_id": "req-1", "body": body}
    return {"id": "batch_req_1", "custom_id": custom_id, "response": response, "error": None}


def failed(custom_id: str, code: str, message: str) -> Row:
    """Return the line of a request that was not processed."""
    error = {"code": code, "message": message}
    return {"id": "batch_req_1", "custom_id": custom_id, "response": None, "error": error}


@dataclass
class Ending:
    """How a batch ends.

    Attributes:
        output: Lines of the output file; there is none without any.
        errors: Lines of the error file; there is none without any.
        status: The last status.
        refused: Code, message and line of what made it fail, one each.
    """

    output: list[Row] = field(default_factory=list)
    errors: list[Row] = field(default_factory=list)
    status: str = "completed"
    refused: list[tuple[str, str, int | None]] = field(default_factory=list)


def all_answered(rows: list[Row]) -> Ending:
    """Answer every request, in another order."""
    return Ending([answered(row) for row in reversed(rows)])


class BatchServer:
    """What the server was asked, and how it ends batches.

    Attributes:
        end: Rows -> how a batch of them ends; called once a batch, in their order.
        fault: Method, path and number of such calls so far -> an error to answer with, or None.
        lost: Method and path -> whether the call is done and its reply is lost.
        held: While it is set no batch ends.
        polls: Looks at a batch until it ends.
        batches: The batches, in the order in which they were made.
        asked: Every input line of every batch.
        calls: Method and path -> how often it was called; ids are left out.
        keys: The keys that came.
    """

    def __init__(self) -> None:
        self.end: Callable[[list[Row]], Ending] = all_answered
        self.fault: Callable[[str, str, int], web.Response | None] = lambda method, path, n: None
        self.lost: Callable[[str, str], bool] = lambda method, path: False
        self.held = threading.Event()
        self.polls = 3
        self.batches: dict[str, Row] = {}
        self.asked: list[Row] = []
        self.calls: Counter[str] = Counter()
        self.keys: set[str] = set()
        self.url = ""
        self._files: dict[str, bytes] = {}
        self._looks: Counter[str] = Counter()

    @web.middleware
    async def watch(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Count the call, and fail it if that is wanted."""
        path = "/".join(part for part in request.path.split("/") if "_" not in part)
        call = f"{request.method} {path}"
        self.calls[call] += 1
        self.keys.add(request.headers.get("Authorization", ""))
        if (fault := self.fault(request.method, path, self.calls[call])) is not None:
            return fault
        response: web.StreamResponse = await handler(request)
        if self.lost(request.method, path) and request.transport is not None:
            request.transport.close()
        return response

    async def upload(self, request: web.Request) -> web.Response:
        """Keep a file."""
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        assert form["purpose"] == "batch"
        return web.json_response(self._kept(file.file.read()))

    async def content(self, request: web.Request) -> web.Response:
        """Send a file."""
        found = self._files.get(request.match_info["name"])
        return _unknown() if found is None else web.Response(body=found)

    async def create(self, request: web.Request) -> web.Response:
        """Make a batch."""
        asked = await request.json()
        assert (asked["endpoint"], asked["completion_window"]) == ("/v1/chat/completions", "24h")
        name = f"batch_{len(self.batches)}"
        batch = {
            "id": name,
            "object": "batch",
            "status": "validating",
            "created_at": int(time.time()),
            **asked,
        }
        self.batches[name] = batch
        return web.json_response(batch)

    async def list(self, request: web.Request) -> web.Response:
        """List the batches, the newest first, in pages of two."""
        names = [*reversed(self.batches)]
        if after := request.query.get("after"):
            names = names[names.index(after) + 1 :]
        page = [self.batches[name] for name in names[:2]]
        return web.json_response({"object": "list", "data": page, "has_more": len(names) > 2})

    async def look(self, request: web.Request) -> web.Response:
        """Tell how a batch is, and let it go on."""
        name = request.match_info["name"]
        if name not in self.batches:
            return _unknown()
        batch = self.batches[name]
        if batch["status"] not in ("completed", "failed", "expired", "cancelled"):
            self._looks[name] += 1
            if self._looks[name] >= self.polls and not self.held.is_set():
                self._finish(batch)
            else:
                batch["status"] = "in_progress"
        return web.json_response(batch)

    def _finish(self, batch: Row) -> None:
        rows = [json.loads(line) for line in self._files[batch["input_file_id"]].splitlines()]
        ending = _mistakes(rows) or self.end(rows)
        batch["status"] = ending.status
        if ending.status == "failed":
            data = [{"code": c, "message": m, "line": n} for c, m, n in ending.refused]
            batch["errors"] = {"object": "list", "data": data}
            return
        self.asked.extend(rows)
        for name, lines in (("output", ending.output), ("error", ending.errors)):
            if lines:
                content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
                batch[f"{name}_file_id"] = self._kept(content)["id"]
        counts = (len(rows), len(ending.output), len(ending.errors))
        batch["request_counts"] = dict(zip(("total", "completed", "failed"), counts, strict=True))

    def _kept(self, content: bytes) -> Row:
        name = f"file_{len(self._files)}"
        self._files[name] = content
        return {"id": name, "object": "file", "bytes": len(content), "purpose": "batch"}


def _mistakes(rows: list[Row]) -> Ending | None:
    """Refuse what OpenAI refuses."""
    names = Counter(row["custom_id"] for row in rows)
    for number, row in enumerate(rows, 1):
        if len(row["custom_id"]) > 64 or names[row["custom_id"]] > 1:
            return Ending(status="failed", refused=[("invalid_custom_id", "bad id", number)])
        assert (row["method"], row["url"]) == ("POST", "/v1/chat/completions")
    return None


def _unknown() -> web.Response:
    return web.json_response({"error": {"message": "No such object"}}, status=404)


@contextmanager
def running_batch_server() -> Iterator[BatchServer]:
    """Run a server in a thread of its own."""
    server = BatchServer()
    loop = asyncio.new_event_loop()
    ready = threading.Event()

    async def start() -> web.AppRunner:
        application = web.Application(client_max_size=2**26, middlewares=[server.watch])
        application.router.add_post("/v1/files", server.upload)
        application.router.add_get("/v1/files/{name}/content", server.content)
        application.router.add_post("/v1/batches", server.create)
        application.router.add_get("/v1/batches", server.list)
        application.router.add_get("/v1/batches/{name}", server.look)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
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
