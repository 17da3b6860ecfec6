"""Commits, pull requests, branches and tags on the tests' Hub."""

import base64
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from hub_access import User, named_user, repository_for
from hub_cards import card_errors
from hub_lfs import json_lines
from hub_store import Entry, Refused, Store, is_lfs, now


async def preupload(store: Store, request: web.Request, kinds: str, state: Any, rev: str) -> Any:
    """Answer how each file has to be sent, and what is there under its name."""
    tree = store.commit(kinds, state["id"], store.resolve(kinds, state, rev))["tree"]
    answers = []
    for file in (await request.json())["files"]:
        path, there = file["path"], tree.get(file["path"])
        lfs = is_lfs(path, file["size"], base64.b64decode(file.get("sample", "")))
        answer = {"path": path, "uploadMode": "lfs" if lfs else "regular", "shouldIgnore": False}
        if there is not None:
            answer["oid"] = there.sha256 if there.lfs else there.oid
        answers.append(answer)
    return {"files": answers}


async def commit(store: Store, request: web.Request, kinds: str, name: str, revision: str) -> Any:
    """Make a commit, whole or not at all, on a branch or as a pull request."""
    lines = json_lines(await request.read())
    propose = request.query.get("create_pr") == "1"
    user = named_user(request.headers.get("Authorization"))
    state = repository_for(store, kinds, name, user, write=not propose)
    header = next(line["value"] for line in lines if line["key"] == "header")
    if not header.get("summary"):
        raise Refused(400, "The commit header is missing a summary")
    head = _head(store, kinds, state, revision)
    if header.get("parentCommit") not in (None, head):
        raise Refused(412, "A commit has happened since. Please refresh and try again.")
    tree = dict(store.commit(kinds, name, head)["tree"])
    for line in lines:
        _apply(store, tree, line["key"], line["value"])
    about = (header["summary"], user.name, header.get("description", ""))
    made = store.write(kinds, name, tree, head, *about)
    page = f"http://{request.headers['Host']}/{'' if kinds == 'models' else f'{kinds}/'}{name}"
    answer = {"success": True, "commitOid": made, "commitUrl": f"{page}/commit/{made}"}
    if propose:
        number = _open(state, header, user, made)
        answer["pullRequestUrl"] = f"{page}/discussions/{number}"
    else:
        state["refs"][_branch(state, revision)] = made
    store.save(kinds, state)
    return answer


def _branch(state: Mapping[str, Any], revision: str) -> str:
    for ref in (f"refs/heads/{revision}", revision):
        if ref in state["refs"] and not ref.startswith("refs/tags/"):
            return ref
    raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")


def _head(store: Store, kinds: str, state: Mapping[str, Any], revision: str) -> str:
    return store.resolve(kinds, state, _branch(state, revision))


def _apply(store: Store, tree: dict[str, Entry], key: str, value: Mapping[str, Any]) -> None:
    """Carry out one operation of a commit."""
    path = value.get("path", "")
    if key != "header" and (not path or {"", ".", "..", ".git"} & set(path.rstrip("/").split("/"))):
        raise Refused(400, f"Invalid path: {path}")
    match key:
        case "header":
            return
        case "file":
            data = base64.b64decode(value["content"])
            wrong = card_errors(data.decode(errors="replace")) if path == "README.md" else []
            if wrong:
                raise Refused(400, f"Invalid metadata in README.md: {'; '.join(wrong)}")
            tree[path] = store.regular(data)
        case "lfsFile":
            tree[path] = store.large(value["oid"])
        case "deletedFile":
            if tree.pop(path, None) is None:
                message = f"A file with this name doesn't exist: {path}"
                raise Refused(404, message, "EntryNotFound")
        case "deletedFolder":
            for each in [each for each in tree if each.startswith(f"{path.rstrip('/')}/")]:
                del tree[each]
        case _:
            raise Refused(400, f"unknown operation {key}")


def _open(state: dict[str, Any], header: Mapping[str, Any], user: User, made: str) -> int:
    """Open a pull request on a commit; return its number."""
    number = len(state["requests"]) + 1
    state["refs"][f"refs/pr/{number}"] = made
    state["requests"][str(number)] = {
        "num": number,
        "title": header["summary"],
        "author": {"name": user.name},
        "status": "open",
        "createdAt": now(),
        "isPullRequest": True,
    }
    return number


def discussions(store: Store, request: web.Request, kinds: str, state: Any, rest: list[str]) -> Any:
    """List the pull requests, or merge one that nothing has overtaken."""
    match request.method, rest:
        case "GET", []:
            status = request.query.get("status")
            repo = {"name": state["id"], "type": kinds.removesuffix("s")}
            found = [
                {**each, "repo": repo}
                for each in reversed(state["requests"].values())
                if status in (None, "", "all", each["status"])
            ]
            return {"discussions": found, "count": len(found), "start": 0}
        case "POST", [number, "merge"] if number in state["requests"]:
            made = state["refs"][f"refs/pr/{number}"]
            parents = store.commit(kinds, state["id"], made)["parents"]
            if state["refs"]["refs/heads/main"] not in parents:
                raise Refused(409, "This pull request has conflicts")
            state["refs"]["refs/heads/main"] = made
            state["requests"][number]["status"] = "merged"
            store.save(kinds, state)
            return {}
    raise Refused(404, "Discussion not found")


async def refer(store: Store, request: web.Request, kinds: str, state: Any, rest: list[str]) -> Any:
    """Make or delete a branch or a tag."""
    what, at = rest
    body = await request.json() if request.can_read_body else {}
    if request.method == "POST":
        name = body["tag"] if what == "tag" else at
        start = at if what == "tag" else body.get("startingPoint") or "main"
        ref = f"refs/{'tags' if what == 'tag' else 'heads'}/{name}"
        target = store.resolve(kinds, state, start)
        if ref in state["refs"]:
            raise Refused(409, f"Reference already exists: {ref}")
        state["refs"][ref] = target
    elif (ref := f"refs/{'tags' if what == 'tag' else 'heads'}/{at}") == "refs/heads/main":
        raise Refused(403, "You can't delete the main branch")
    elif state["refs"].pop(ref, None) is None:
        raise Refused(404, f"Reference does not exist: {ref}", "RevisionNotFound")
    store.save(kinds, state)
    return {}
