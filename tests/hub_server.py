"""A Hub for the tests: a process of its own, or a thread, that the unmodified clients talk to.

    python hub_server.py ROOT        prints its address, then serves until it is ended

`ROOT` holds all its state (`hub_store`); whose tokens there are says `hub_access`. Beside the real
Hub's addresses it has `/_test/fault`, `/_test/trace` and `/_test/reset` (`hub_faults`).
"""

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from hub_faults import Fault, Faults
from hub_routes import answer
from hub_store import Refused, Store

ROOT = Path(__file__).parents[1]
_LONGEST_S = 600  # of any client
_LARGEST_BODY = 1 << 30

# The clients wait for ten seconds, and then ask again or take what they have.
PATIENT = {"HF_HUB_DOWNLOAD_TIMEOUT": "100", "HF_HUB_ETAG_TIMEOUT": "100"}

# Waits for a line, then becomes the client: a fault that names its process can be set before.
_WAITING = ["/bin/sh", "-c", 'read -r _ && exec "$@" </dev/null', "sh"]


class _Hub:
    """Answers requests, and goes wrong where it is told to."""

    def __init__(self, root: Path) -> None:
        self._store = Store(root)
        self._faults = Faults()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        if request.path.startswith("/_test/"):
            return await self._told(request)
        token = bool(request.headers.get("Authorization"))
        host = request.headers.get("Host", "")
        line = self._faults.arrived(request.method, request.raw_path, host, token=token)
        fault = self._faults.fault(line)
        if fault is not None and fault.when == "before":
            return await self._fail(request, fault, line)
        response = await self._answered(request)
        line["status"] = response.status
        return response if fault is None else await self._fail(request, fault, line)

    async def _answered(self, request: web.Request) -> web.StreamResponse:
        try:
            return await answer(self._store, request)
        except Refused as refused:
            headers = {"X-Error-Message": refused.message, **refused.headers}
            if refused.code:
                headers["X-Error-Code"] = refused.code
            body = {"error": refused.message, **refused.body}
            return web.json_response(body, status=refused.status, headers=headers)

    async def _fail(
        self, request: web.Request, fault: Fault, line: dict[str, Any]
    ) -> web.StreamResponse:
        await request.read()
        line["fault"] = fault.do
        if fault.do == "kill":
            fault.kill()
        if fault.do != "status" and request.transport is not None:
            request.transport.abort()
        headers = {"X-Error-Message": fault.message, **fault.headers}
        if fault.code:
            headers["X-Error-Code"] = fault.code
        return web.json_response({"error": fault.message}, status=fault.status, headers=headers)

    async def _told(self, request: web.Request) -> web.Response:
        match request.path:
            case "/_test/fault":
                self._faults.faults.append(Fault(**(await request.json())))
            case "/_test/reset":
                self._faults = Faults()
        return web.json_response(self._faults.trace)


@dataclass(frozen=True)
class Ended:
    """What a client left behind.

    Attributes:
        code: Its exit code; -9 where it was killed.
        out: What it printed.
        err: What it printed to the standard error.
    """

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What its last printed line says."""
        assert self.code == 0, self.err
        return json.loads(self.out.splitlines()[-1])


@dataclass
class HubServer:
    """A running Hub, and clients of it.

    Attributes:
        root: Its folder.
        endpoint: Its address.
        homes: Where the clients' caches are made.
        made: How many caches there are.
    """

    root: Path
    endpoint: str
    homes: Path
    made: int = field(default=0)

    @property
    def store(self) -> Store:
        """What it holds, on disk."""
        return Store(self.root)

    def fault(self, **fault: Any) -> None:
        """Set a fault; the fields of `hub_faults.Fault`."""
        self._ask("fault", asdict(Fault(**fault)))

    def trace(self) -> list[dict[str, Any]]:
        """Return the requests since the last reset, in order."""
        return list(self._ask("trace"))

    def reset(self) -> None:
        """Take back the faults and begin a new trace."""
        self._ask("reset")

    def environment(
        self, token: str | None = "hf_writer", *, xet: bool = False, home: Path | None = None
    ) -> dict[str, str]:
        """Return the variables of a client; its caches are empty unless a `home` is given."""
        unwanted = ("HF_", "UNDERSTUDY_", "XDG_", "OPENAI_")
        own = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
        self.made += 1
        home = home or self.homes / str(self.made)
        home.mkdir(parents=True, exist_ok=True)
        own |= {
            "HF_ENDPOINT": self.endpoint,
            "HF_HOME": str(home / "huggingface"),
            **PATIENT,
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
            "HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "UNDERSTUDY_CACHE": str(home / "understudy"),
            "OMP_NUM_THREADS": "1",
            "TOKENIZERS_PARALLELISM": "false",
        }
        own |= {} if token is None else {"HF_TOKEN": token}
        return own | ({} if xet else {"HF_HUB_DISABLE_XET": "1"})

    def run(
        self,
        arguments: Sequence[str],
        token: str | None = "hf_writer",
        *,
        xet: bool = False,
        home: Path | None = None,
        kill: tuple[int, str] | None = None,
        **variables: str,
    ) -> Ended:
        """Run Python with these arguments to its end, as a client with empty caches.

        Args:
            arguments: `["-c", CODE, ...]` or `["-m", "understudy", ...]`.
            token: None for none.
            xet: Whether the client may use Xet, as by default it does.
            home: A folder for caches that outlive the client.
            kill: The client is killed at this request since the last reset, `before` or `after` it.
            variables: Further variables of its environment.
        """
        process = subprocess.Popen(
            [*_WAITING, sys.executable, *arguments],
            env=self.environment(token, xet=xet, home=home) | variables,
            cwd=self.homes,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if kill is not None:
            self.fault(number=kill[0], when=kill[1], do="kill", pid=process.pid)
        try:
            out, err = process.communicate("go\n", timeout=_LONGEST_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return Ended(process.returncode, out, err)

    def _ask(self, what: str, body: Any = None) -> Any:
        data = json.dumps(body or {}).encode()
        with urllib.request.urlopen(f"{self.endpoint}/_test/{what}", data, timeout=100) as reply:
            return json.loads(reply.read())


@contextmanager
def running_hub(folder: Path) -> Iterator[HubServer]:
    """Run a Hub in a process of its own, with its state and its clients' caches in a folder."""
    root, homes = folder / "hub", folder / "homes"
    root.mkdir(parents=True)
    homes.mkdir()
    command = [sys.executable, str(Path(__file__)), str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield HubServer(root, process.stdout.readline().strip(), homes)
        finally:
            process.terminate()


async def _serve(root: Path) -> None:
    hub = web.Application(client_max_size=_LARGEST_BODY)
    hub.router.add_route("*", "/{path:.*}", _Hub(root).answer)
    runner = web.AppRunner(hub, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    sys.stdout.write(f"http://127.0.0.1:{port}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
