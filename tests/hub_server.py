"""A small Hub for tests: serves data sets from a folder, as the clients read them.

    python hub_server.py ROOT        prints its address, then serves until it is ended

`ROOT/OWNER/NAME/COMMIT/...` are the files of a commit, `ROOT/OWNER/NAME/refs.json` maps branches,
tags and other references to commits. `ROOT/faults.json`, a list of [pattern, status], makes the
paths that a pattern finds fail. Everything is read anew for each request. A repository with a file
`private` is served to the bearer of the token `hf_reader` only.
"""

import hashlib
import json
import re
import sys
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_HEADERS = {"RepoNotFound": "Repository not found", "RevisionNotFound": "Invalid rev id"}


class Refused(Exception):
    """An answer other than 200; `code` is what the clients tell errors apart by."""

    def __init__(self, status: int, code: str = "", commit: str = "") -> None:
        super().__init__(status, code)
        message = {"X-Error-Message": _HEADERS.get(code, "Entry not found")} if code else {}
        self.status = status
        self.headers = {"X-Error-Code": code, "X-Repo-Commit": commit, **message}


class Hub(BaseHTTPRequestHandler):
    """Answers what `huggingface_hub` 2 and `datasets` 5 ask to load a data set."""

    protocol_version = "HTTP/1.1"
    root: Path

    def do_GET(self) -> None:
        """Answer."""
        length = int(self.headers.get("Content-Length") or 0)
        form = urllib.parse.parse_qs(self.rfile.read(length).decode())
        raw, _, query = self.path.partition("?")
        # Taken apart before it is decoded: a revision may hold an encoded slash.
        parts = [urllib.parse.unquote(part) for part in raw.split("/")[1:]]
        headers: dict[str, str] = {}
        status, body = 200, b""
        try:
            self._fail_if_told()
            match parts:
                case ["api", "datasets", owner, name, *rest]:
                    asked = {**urllib.parse.parse_qs(query), **form}
                    body = json.dumps(self._api(owner, name, rest, asked)).encode()
                case ["datasets", owner, name, "resolve", revision, *path]:
                    body, headers = self._file(owner, name, revision, "/".join(path))
                case _:
                    raise Refused(404)
        except Refused as refused:
            status, headers = refused.status, refused.headers
        self._send(status, headers, body)

    do_HEAD = do_POST = do_GET

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        start, end = 0, len(body)
        if found := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or ""):
            start, end = int(found[1]), min(end, int(found[2] or end - 1) + 1)
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(body)}"
            status = 206
        self.send_response(status)
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(end - start))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[start:end])

    def _fail_if_told(self) -> None:
        faults = self.root / "faults.json"
        for pattern, status in json.loads(faults.read_text()) if faults.exists() else ():
            if re.search(pattern, self.path):
                raise Refused(status)

    def _commit(self, owner: str, name: str, revision: str) -> tuple[str, Path]:
        """Return the commit that a revision means, and the folder of its files."""
        place = self.root / owner / name
        known = self.headers.get("Authorization") == "Bearer hf_reader"
        if not place.is_dir() or ((place / "private").exists() and not known):
            raise Refused(404 if known else 401, "RepoNotFound")
        refs = json.loads((place / "refs.json").read_text())
        commit = refs.get(revision, revision)
        if not (place / commit).is_dir():
            raise Refused(404, "RevisionNotFound")
        return commit, place / commit

    def _api(self, owner: str, name: str, rest: list[str], asked: dict[str, list[str]]) -> Any:
        match rest:
            case [] | ["revision", _]:
                commit, folder = self._commit(owner, name, rest[1] if rest else "main")
                files = [{"rfilename": node["path"]} for node in self._tree(folder, "", True)]
                state = {"private": False, "gated": False, "disabled": False, "tags": []}
                return {"id": f"{owner}/{name}", "sha": commit, "siblings": files, **state}
            case ["tree", revision, *path]:
                commit, folder = self._commit(owner, name, revision)
                deep = asked.get("recursive", [""])[0].lower() in ("true", "1")
                found = self._tree(folder, "/".join(path), deep)
                if path and not found:
                    raise Refused(404, "EntryNotFound", commit)
                return found
            case ["paths-info", revision]:
                _, folder = self._commit(owner, name, revision)
                places = [folder / path.strip("/") for path in asked.get("paths", [])]
                return [_node(folder, each) for each in places if each.exists()]
            case _:
                raise Refused(404)

    def _tree(self, folder: Path, path: str, deep: bool) -> list[dict[str, Any]]:
        base = folder / path
        return [_node(folder, each) for each in sorted(base.rglob("*") if deep else base.glob("*"))]

    def _file(
        self, owner: str, name: str, revision: str, path: str
    ) -> tuple[bytes, dict[str, str]]:
        commit, folder = self._commit(owner, name, revision)
        if not (folder / path).is_file():
            raise Refused(404, "EntryNotFound", commit)
        node = _node(folder, folder / path)
        headers = {"X-Repo-Commit": commit, "ETag": f'"{node["oid"]}"', "Accept-Ranges": "bytes"}
        return (folder / path).read_bytes(), headers

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def _node(folder: Path, path: Path) -> dict[str, Any]:
    """Describe a file or folder as the Hub's tree does; the id is git's."""
    name = path.relative_to(folder).as_posix()
    if path.is_dir():
        return {"type": "directory", "path": name, "size": 0, "oid": f"{0:040}"}
    data = path.read_bytes()
    oid = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    return {"type": "file", "path": name, "size": len(data), "oid": oid}


if __name__ == "__main__":
    Hub.root = Path(sys.argv[1])
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        sys.stdout.write(f"http://127.0.0.1:{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()
