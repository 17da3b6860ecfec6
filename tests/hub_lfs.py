"""Large files on the tests' Hub: the LFS batch, uploads, and downloads from another host."""

import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web
from hub_access import repository_for, user_of
from hub_store import Entry, Refused, Store


def _signature(store: Store, sha256: str, use: str) -> str:
    key = str(store.root).encode()
    return hmac.new(key, f"{use} {sha256}".encode(), "sha256").hexdigest()


def _signed(store: Store, request: web.Request, sha256: str, use: str) -> None:
    """Refuse an address that the Hub did not hand out, or a token where none belongs."""
    if request.headers.get("Authorization"):
        raise Refused(400, "a token was sent to a host that must not see it")
    right = _signature(store, sha256, use)
    if not hmac.compare_digest(request.query.get("signature", ""), right):
        raise Refused(403, "Access denied: no valid signature")


async def batch(store: Store, request: web.Request, kinds: str, name: str) -> web.Response:
    """Answer which contents have to be sent, and where to."""
    body = await request.json()
    user = user_of(request.headers.get("Authorization"))
    repository_for(store, kinds, name, user, write=body["operation"] == "upload")
    base = f"http://{request.headers['Host']}"
    objects: list[dict[str, Any]] = []
    for each in body["objects"]:
        sha256, answer = each["oid"], {"oid": each["oid"], "size": each["size"]}
        if not store.blob(sha256).exists():  # else no actions: the client sends nothing
            signature = _signature(store, sha256, "upload")
            upload = {"href": f"{base}/_lfs/{sha256}?signature={signature}"}
            answer["actions"] = {"upload": upload, "verify": {"href": f"{base}/_lfs/verify"}}
        objects.append(answer)
    answers = {"transfer": "basic", "objects": objects}
    return web.json_response(answers, content_type="application/vnd.git-lfs+json")


async def upload(store: Store, request: web.Request, sha256: str) -> web.Response:
    """Take a content, or check that one has arrived."""
    if sha256 == "verify":
        body = await request.json()
        place = store.blob(body["oid"])
        if not place.exists() or place.stat().st_size != body["size"]:
            raise Refused(404, "LFS object not found or of another size")
        return web.json_response({})
    _signed(store, request, sha256, "upload")
    part, digest = store.part(), hashlib.sha256()
    with part.open("wb") as file:
        async for block in request.content.iter_chunked(1 << 20):
            digest.update(block)
            file.write(block)
    if digest.hexdigest() != sha256:
        part.unlink()
        raise Refused(400, "the content has another SHA-256")
    store.keep(part, sha256)
    return web.Response()


def resolve(
    store: Store, request: web.Request, kinds: str, name: str, revision: str, path: str
) -> web.StreamResponse:
    """Serve a file of a revision; a large one from another host."""
    user = user_of(request.headers.get("Authorization"))
    state = repository_for(store, kinds, name, user)
    commit = store.resolve(kinds, state, revision)
    entry: Entry | None = store.commit(kinds, name, commit)["tree"].get(path)
    headers = {"X-Repo-Commit": commit}
    if entry is None:
        raise Refused(404, "Entry not found", "EntryNotFound", headers)
    if not entry.lfs:
        return _content(request, store.blob(entry.sha256), headers | {"ETag": f'"{entry.oid}"'})
    host, _, port = request.headers["Host"].rpartition(":")
    other = "localhost" if host == "127.0.0.1" else "127.0.0.1"
    signature = _signature(store, entry.sha256, "download")
    headers |= {
        "ETag": f'"{entry.sha256}"',
        "X-Linked-ETag": f'"{entry.sha256}"',
        "X-Linked-Size": str(entry.size),
        "Location": f"http://{other}:{port}/_cdn/{entry.sha256}"
        f"?name={quote(path, safe='')}&signature={signature}",
    }
    return web.Response(status=302, headers=headers)


def download(store: Store, request: web.Request, sha256: str) -> web.StreamResponse:
    """Serve a content as the other host: to whoever has the address, and without a token."""
    _signed(store, request, sha256, "download")
    if not store.blob(sha256).exists():
        raise Refused(404, "no such content")
    return _content(request, store.blob(sha256), {"ETag": f'"{sha256}"'})


def _content(request: web.Request, place: Path, headers: dict[str, str]) -> web.Response:
    """Serve a file, or the range of it that is asked for."""
    size = place.stat().st_size
    start, end, status = 0, size, 200
    if found := re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", "")):
        start, end = int(found[1]), min(size, int(found[2] or size - 1) + 1)
        if start >= end:
            raise Refused(416, "no such range", headers={"Content-Range": f"bytes */{size}"})
        headers["Content-Range"], status = f"bytes {start}-{end - 1}/{size}", 206
    with place.open("rb") as file:
        file.seek(start)
        body = file.read(end - start)
    headers |= {"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"}
    return web.Response(body=body, status=status, headers=headers)


def json_lines(body: bytes) -> list[dict[str, Any]]:
    """Return the objects of newline-delimited JSON."""
    return [json.loads(line) for line in body.splitlines() if line.strip()]
