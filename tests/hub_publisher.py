"""Runs the real command line against a Hub, each time in a process of its own.

One process loads the libraries once, and forks for each command: to load them takes seconds. A push
that is killed at a request is pushed again, and compared with one that was not.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hub_server import Ended, HubServer

FORKS = r"""
import json, os, sys
import builders.filters.overlap, jinja2, pandas, pyarrow.parquet
import huggingface_hub, huggingface_hub.hf_api, huggingface_hub.repocard
import push_scripts.checks, push_scripts.pull, push_scripts.push_dataset, push_scripts.push_model
import push_scripts.repository
from understudy.cli import main

for line in sys.stdin:
    order = json.loads(line)
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        os.read(read, 1)
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.environ.update(order["env"])
        try:
            code = main(order["args"])
        except SystemExit as left:
            code = left.code
        except BaseException:
            sys.excepthook(*sys.exc_info())
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)
    print(pid, flush=True)
    sys.stdin.readline()
    os.write(write, b"x")
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
    os.close(read)
    os.close(write)
"""


class Publisher:
    """Runs the command line, each time in a process of its own.

    Args:
        hub: The Hub.
        folder: For what the commands print.
    """

    def __init__(self, hub: HubServer, folder: Path) -> None:
        self.hub = hub
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, "-c", FORKS],
            env=hub.environment(),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, *args: str | Path, kill: tuple[int, str] | None = None, token: str = "hf_writer"
    ) -> Ended:
        """Run a command to its end, or until it is killed at a request, before or after it."""
        self.hub.reset()
        out, err = self._folder / "out", self._folder / "err"
        order = {"args": [*map(str, args)], "out": str(out), "err": str(err)}
        pid = int(self._ask(json.dumps({**order, "env": {"HF_TOKEN": token}})))
        if kill is not None:
            self.hub.fault(number=kill[0], when=kill[1], do="kill", pid=pid)
        return Ended(int(self._ask("go")), out.read_text(), err.read_text())

    def push(self, *args: str | Path, what: str = "dataset", **options: Any) -> Ended:
        """Push a corpus, or a model: FOLDER, REPO and options."""
        return self.run("push", what, *args, **options)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _ask(self, line: str) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


def good(ended: Ended) -> str:
    """Return what a command printed that ended well."""
    assert (ended.code, ended.err) == (0, "")
    return ended.out


def state(hub: HubServer, name: str, kind: str = "datasets") -> dict[str, dict[str, bytes]]:
    """Return reference -> what it holds, of a repository that may not be there."""
    refs = hub.store.refs(kind, name)
    return {ref: hub.store.contents(kind, name, commit) for ref, commit in refs.items()}


class Trial:
    """A Hub that is set back to before a release, which is pushed again and again.

    Args:
        publisher: Pushes.
        folder: What is pushed.
        before: What was released before it, None where it is the first release.
        name: The repository.
        what: `dataset` or `model`.
    """

    def __init__(
        self, publisher: Publisher, folder: Path, before: Path | None, name: str, what: str
    ) -> None:
        self.publisher, self.name, self.first = publisher, name, before is None
        self._folder, self._what = folder, what
        self._root = publisher.hub.root
        self._saved = self._root.with_name(f"saved-{name.rpartition('/')[2]}")
        if before is not None:
            good(publisher.push(before, name, what=what))
        shutil.copytree(self._root, self._saved)  # with what LFS holds: it is not sent twice
        self.before = self._state()
        good(self._push())
        self.after = self._state()
        self.trace = publisher.hub.trace()

    def kill(self, number: int, when: str) -> None:
        """Push, killed at a request; then push again; compare with the unbroken push."""
        shutil.rmtree(self._root)
        shutil.copytree(self._saved, self._root)
        ended = self._push(kill=(number, when))
        assert ended.code == -9
        found = self._state()
        for ref, contents in found.items():  # nobody by tag ever sees anything but a whole release
            if ref.startswith("refs/tags/"):
                assert contents == self.after[ref]
        main = found.get("refs/heads/main", {})
        assert main in (self.before.get("refs/heads/main"), self.after["refs/heads/main"]) or (
            self.first and set(main) <= {".gitattributes"}
        )
        good(self._push())
        assert self._state() == self.after

    def writes(self) -> dict[str, int]:
        """Return the numbers of the requests that write, by what they write."""
        named = {"create": "repos/create", "put": "/_lfs/", "commit": "/commit/main"}
        named |= {"tag": "/tag/"}
        return {
            name: each["number"]
            for name, part in named.items()
            for each in self.trace
            if part in each["path"] and each["method"] in ("POST", "PUT")
        }

    def _push(self, **options: Any) -> Ended:
        return self.publisher.push(self._folder, self.name, what=self._what, **options)

    def _state(self) -> dict[str, dict[str, bytes]]:
        return state(self.publisher.hub, self.name, f"{self._what}s")
