"""The addresses of the tests' Hub, as the clients ask for them."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

import hub_commits
import hub_lfs
import hub_xet
from aiohttp import web
from hub_access import named_user, repository_for, user_of
from hub_cards import card_errors, card_metadata
from hub_store import KINDS, Entry, Refused, Store, pointer

PAGE = 1000  # nodes of a tree in one answer


async def answer(store: Store, request: web.Request) -> web.StreamResponse:
    """Answer a request.

    Raises:
        Refused: With the real Hub's statuses and codes.
    """
    raw = request.raw_path.partition("?")[0]
    # Taken apart before it is decoded: a revision or a path may hold an encoded slash.
    parts = [unquote(part) for part in raw.split("/")[1:]]
    match parts:
        case ["_cas", *path]:
            return await hub_xet.contents(store, request, path)
        case ["api", kinds, owner, name, *rest] if kinds in KINDS:
            return await _repository(store, request, kinds, f"{owner}/{name}", rest)
        case ["api", *rest]:
            return web.json_response(await _api(store, request, rest))
        case [kinds, *rest] if kinds in KINDS:
            return await _files(store, request, kinds, rest)
    return await _files(store, request, "models", parts)


async def _files(
    store: Store, request: web.Request, kinds: str, parts: list[str]
) -> web.StreamResponse:
    """Answer what is about the contents of files."""
    match parts:
        case ["_lfs", sha256]:
            return await hub_lfs.upload(store, request, sha256)
        case ["_cdn", sha256]:
            return hub_lfs.download(store, request, sha256)
        case [owner, name, "info", "lfs", "objects", "batch"] if name.endswith(".git"):
            return await hub_lfs.batch(store, request, kinds, f"{owner}/{name[:-4]}")
        case [owner, name, "resolve", revision, *path] if path:
            whole = f"{owner}/{name}"
            return hub_lfs.resolve(store, request, kinds, whole, revision, "/".join(path))
    raise Refused(404, "Sorry, we can't find the page you are looking for.")


async def _api(store: Store, request: web.Request, rest: list[str]) -> Any:
    """Answer what is not about one repository."""
    match rest:
        case ["whoami-v2"]:
            user = named_user(request.headers.get("Authorization"))
            orgs = [{"type": "org", "name": each} for each in user.roles]
            role = "read" if "read" in user.roles.values() else "write"
            token = {"accessToken": {"displayName": "test", "role": role}}
            return {"type": "user", "name": user.name, "orgs": orgs, "auth": token}
        case ["validate-yaml"]:
            errors = card_errors((await request.json())["content"])
            listed = [{"message": each} for each in errors]
            if errors:
                raise Refused(400, "; ".join(errors), errors=listed, warnings=[])
            return {"errors": [], "warnings": []}
        case ["repos", "create"]:
            return await _create(store, request)
    raise Refused(404, "Sorry, we can't find the page you are looking for.")


async def _create(store: Store, request: web.Request) -> Any:
    user = named_user(request.headers.get("Authorization"))
    body = await request.json()
    kinds = f"{body.get('type') or 'model'}s"
    owner = body.get("organization") or user.name
    name = f"{owner}/{body['name']}"
    page = f"http://{request.headers['Host']}/{'' if kinds == 'models' else f'{kinds}/'}{name}"
    if not user.may(owner, write=True):
        message = f'You don\'t have the rights to create a {kinds[:-1]} under "{owner}"'
        raise Refused(403, message)
    if store.load(kinds, name) is not None:
        raise Refused(409, f"You already created this {kinds[:-1]} repo", url=page)
    # Public where nothing is said, as on the real Hub.
    store.create(kinds, name, private=body.get("visibility") == "private")
    return {"url": page, "name": name}


async def _repository(
    store: Store, request: web.Request, kinds: str, name: str, rest: list[str]
) -> web.StreamResponse:
    """Answer what is about one repository."""
    if request.method == "POST" and rest[:1] == ["commit"]:
        return web.json_response(await hub_commits.commit(store, request, kinds, name, rest[1]))
    if rest[:1] in (["xet-write-token"], ["xet-read-token"]):
        return hub_xet.access(store, request, kinds, name, write="write" in rest[0])
    user = user_of(request.headers.get("Authorization"))
    proposing = rest[:1] == ["preupload"] and request.query.get("create_pr") == "1"
    writes = request.method in ("POST", "PUT", "DELETE") and rest[:1] != ["paths-info"]
    writes = (writes and not proposing) or rest[:2] == ["auth-check", "write"]
    state = repository_for(store, kinds, name, user, write=writes)
    if request.method == "GET" and rest[:1] == ["tree"]:
        return _tree(store, request, kinds, state, rest[1], "/".join(rest[2:]))
    if request.method == "GET" and rest[:1] != ["discussions"]:
        return web.json_response(_read(store, kinds, state, rest))
    return web.json_response(await _write(store, request, kinds, state, rest))


def _read(store: Store, kinds: str, state: Any, rest: list[str]) -> Any:
    match rest:
        case [] | ["revision", _]:
            return _info(store, kinds, state, rest[1] if rest else "main")
        case ["refs"]:
            return _refs(state)
        case ["commits", revision]:
            commit = store.resolve(kinds, state, revision)
            return [
                {**each, "authors": [{"user": each["author"]}], "tree": None}
                for each in store.history(kinds, state["id"], commit)
            ]
        case ["auth-check", *_]:
            return {}
    raise Refused(404, "Sorry, we can't find the page you are looking for.")


async def _write(
    store: Store, request: web.Request, kinds: str, state: Any, rest: list[str]
) -> Any:
    match request.method, rest:
        case "PUT", ["settings"]:
            state["private"] = (await request.json()).get("visibility") == "private"
            store.save(kinds, state)
            return {"private": state["private"]}
        case "POST", ["paths-info", revision]:
            return await _paths(store, request, kinds, state, revision)
        case "POST", ["preupload", revision]:
            return await hub_commits.preupload(store, request, kinds, state, revision)
        case "POST" | "DELETE", ["tag" | "branch", _]:
            return await hub_commits.refer(store, request, kinds, state, rest)
        case _, ["discussions", *more]:
            return hub_commits.discussions(store, request, kinds, state, more)
    raise Refused(404, "Sorry, we can't find the page you are looking for.")


def _info(store: Store, kinds: str, state: Any, revision: str) -> Any:
    commit = store.resolve(kinds, state, revision)
    found = store.commit(kinds, state["id"], commit)
    card: Any = {}
    if (readme := found["tree"].get("README.md")) is not None:
        card = card_metadata(store.blob(readme.sha256).read_text(errors="replace"))
    return {
        "_id": hashlib.md5(state["id"].encode(), usedforsecurity=False).hexdigest()[:24],
        "id": state["id"],
        "author": state["id"].split("/")[0],
        "sha": commit,
        "private": state["private"],
        "gated": False,
        "disabled": False,
        "createdAt": state["created"],
        "lastModified": found["date"],
        "downloads": 0,
        "likes": 0,
        "tags": card.get("tags") or [] if isinstance(card, dict) else [],
        "cardData": card if isinstance(card, dict) else {},
        "siblings": [{"rfilename": path} for path in found["tree"]],
    }


def _refs(state: Mapping[str, Any]) -> Any:
    kinds = {"branches": "refs/heads/", "tags": "refs/tags/", "converts": "refs/convert/"}
    return {
        kind: [
            {"name": ref.removeprefix(start), "ref": ref, "targetCommit": commit}
            for ref, commit in state["refs"].items()
            if ref.startswith(start)
        ]
        for kind, start in (kinds | {"pullRequests": "refs/pr/"}).items()
    }


def _node(path: str, entry: Entry) -> dict[str, Any]:
    node: dict[str, Any] = {"type": "file", "path": path, "size": entry.size, "oid": entry.oid}
    if entry.lfs:
        size = len(pointer(entry.sha256, entry.size))
        node["lfs"] = {"oid": entry.sha256, "size": entry.size, "pointerSize": size}
    return node


def _folder(path: str) -> dict[str, Any]:
    oid = hashlib.sha1(path.encode(), usedforsecurity=False).hexdigest()
    return {"type": "directory", "path": path, "size": 0, "oid": oid}


def _tree(
    store: Store, request: web.Request, kinds: str, state: Any, revision: str, path: str
) -> web.Response:
    """List the files and folders below a path, a page at a time."""
    commit = store.resolve(kinds, state, revision)
    tree = store.commit(kinds, state["id"], commit)["tree"]
    deep = request.query.get("recursive", "").lower() in ("true", "1")
    start = f"{path.strip('/')}/" if path.strip("/") else ""
    nodes: dict[str, dict[str, Any]] = {}
    for each, entry in tree.items():
        if not each.startswith(start):
            continue
        below = each.removeprefix(start).split("/")
        for depth in range(1, len(below) if deep else min(len(below), 2)):
            folder = start + "/".join(below[:depth])
            nodes[folder] = _folder(folder)
        if deep or len(below) == 1:
            nodes[each] = _node(each, entry)
    if start and not nodes:
        headers = {"X-Repo-Commit": commit}
        raise Refused(404, f'{path} does not exist on "{revision}"', "EntryNotFound", headers)
    at = int(request.query.get("cursor", 0))
    listed, headers = list(nodes.values()), {}
    if at + PAGE < len(listed):
        following = request.url.update_query(cursor=at + PAGE)
        headers["Link"] = f'<{following}>; rel="next"'
    return web.json_response(listed[at : at + PAGE], headers=headers)


async def _paths(store: Store, request: web.Request, kinds: str, state: Any, rev: str) -> Any:
    """Describe those of the paths asked for that are there."""
    body = await request.text()
    as_json = "json" in request.content_type
    asked = json.loads(body)["paths"] if as_json else parse_qs(body).get("paths", [])
    tree = store.commit(kinds, state["id"], store.resolve(kinds, state, rev))["tree"]
    nodes = []
    for path in (each.strip("/") for each in asked):
        if path in tree:
            nodes.append(_node(path, tree[path]))
        elif any(each.startswith(f"{path}/") for each in tree):
            nodes.append(_folder(path))
    return nodes
