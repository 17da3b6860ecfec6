"""What the tests' Hub holds, on disk: contents by their SHA-256, commits, references.

    ROOT/blobs/AB/SHA256                            contents
    ROOT/repositories/KINDS/OWNER/NAME/state.json   visibility, references, pull requests
    ROOT/repositories/KINDS/OWNER/NAME/commits/ID   a commit: its tree, parents, title

Nothing is kept in memory: another process may look, or add commits, while the Hub is at rest.
"""

import datetime
import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

KINDS = {"datasets": "dataset", "models": "model", "spaces": "space"}
_LFS = (".parquet", ".arrow", ".safetensors", ".bin", ".gz", ".zip", ".npy", ".onnx")
_ATTRIBUTES = "".join(f"*{end} filter=lfs diff=lfs merge=lfs -text\n" for end in _LFS).encode()


class Refused(Exception):
    """An answer other than success; `code` is what the clients tell errors apart by."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str = "",
        headers: Mapping[str, str] | None = None,
        **body: Any,
    ) -> None:
        super().__init__(status, message)
        self.status, self.message, self.code, self.body = status, message, code, body
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class Entry:
    """A file of a commit.

    Attributes:
        oid: Git's id of it, or of its LFS pointer.
        size: Bytes of the content.
        sha256: Of the content.
        lfs: Whether git holds a pointer only.
    """

    oid: str
    size: int
    sha256: str
    lfs: bool


def is_lfs(path: str, size: int, sample: bytes) -> bool:
    """Tell whether the Hub keeps a file in LFS: by its name, its size or a zero byte."""
    return size > 0 and (path.endswith(_LFS) or size > 10 * 1024 * 1024 or b"\0" in sample)


def pointer(sha256: str, size: int) -> bytes:
    """Return the LFS pointer that git holds."""
    head = "version https://git-lfs.github.com/spec/v1"
    return f"{head}\noid sha256:{sha256}\nsize {size}\n".encode()


def _git_oid(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def now() -> str:
    """Return the time as the Hub writes it."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Store:
    """The repositories below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for part in ("blobs", "parts", "repositories"):
            (root / part).mkdir(parents=True, exist_ok=True)

    # ---- Contents ---------------------------------------------------------------------------

    def blob(self, sha256: str) -> Path:
        """Return where a content is, or would be."""
        if not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise Refused(422, f"not a SHA-256: {sha256}")
        return self.root / "blobs" / sha256[:2] / sha256

    def part(self) -> Path:
        """Return a new place for a content that is still arriving."""
        return self.root / "parts" / secrets.token_hex(8)

    def keep(self, part: Path, sha256: str) -> None:
        """Move a content that has arrived whole to its place."""
        place = self.blob(sha256)
        place.parent.mkdir(exist_ok=True)
        os.replace(part, place)

    def put(self, data: bytes) -> str:
        """Keep a content; return its SHA-256."""
        sha256 = hashlib.sha256(data).hexdigest()
        if not self.blob(sha256).exists():
            part = self.part()
            part.write_bytes(data)
            self.keep(part, sha256)
        return sha256

    def regular(self, data: bytes) -> Entry:
        """Keep a content that git itself holds."""
        return Entry(_git_oid(data), len(data), self.put(data), lfs=False)

    def large(self, sha256: str) -> Entry:
        """Return the entry for a content that LFS holds.

        Raises:
            Refused: It has not arrived.
        """
        if not self.blob(sha256).exists():
            raise Refused(400, f"LFS pointer pointed to a file that does not exist: {sha256}")
        size = self.blob(sha256).stat().st_size
        return Entry(_git_oid(pointer(sha256, size)), size, sha256, lfs=True)

    # ---- Repositories -----------------------------------------------------------------------

    def folder(self, kinds: str, name: str) -> Path:
        """Return the folder of a repository."""
        return self.root / "repositories" / kinds / name

    def load(self, kinds: str, name: str) -> dict[str, Any] | None:
        """Return the state of a repository; None where there is none."""
        path = self.folder(kinds, name) / "state.json"
        return dict(json.loads(path.read_text())) if path.exists() else None

    def save(self, kinds: str, state: dict[str, Any]) -> None:
        """Replace the state of a repository, at once or not at all."""
        place = self.folder(kinds, state["id"])
        (place / "state.json.part").write_text(json.dumps(state, indent=1))
        os.replace(place / "state.json.part", place / "state.json")

    def create(self, kinds: str, name: str, *, private: bool) -> dict[str, Any]:
        """Make a repository with its first commit; return its state."""
        (self.folder(kinds, name) / "commits").mkdir(parents=True)
        state = {"id": name, "private": private, "created": now(), "refs": {}, "requests": {}}
        first = {".gitattributes": self.regular(_ATTRIBUTES)}
        commit = self.write(kinds, name, first, None, "initial commit", "hub")
        state["refs"] = {"refs/heads/main": commit}
        self.save(kinds, state)
        return state

    def write(
        self,
        kinds: str,
        name: str,
        tree: Mapping[str, Entry],
        parent: str | None,
        title: str,
        author: str,
        description: str = "",
    ) -> str:
        """Write a commit that no reference is at yet; return its id."""
        body = {
            "tree": {path: asdict(tree[path]) for path in sorted(tree)},
            "parents": [parent] if parent else [],
            "title": title,
            "message": description,
            "author": author,
            "date": now(),
            "nonce": secrets.token_hex(8),
        }
        text = json.dumps(body, indent=1)
        commit = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        (self.folder(kinds, name) / "commits" / commit).write_text(text)
        return commit

    def commit(self, kinds: str, name: str, commit: str) -> dict[str, Any]:
        """Return a commit; its tree is path -> Entry."""
        found = dict(json.loads((self.folder(kinds, name) / "commits" / commit).read_text()))
        found["tree"] = {path: Entry(**entry) for path, entry in found["tree"].items()}
        return found

    def resolve(self, kinds: str, state: Mapping[str, Any], revision: str) -> str:
        """Return the commit that a branch, tag, pull request or id means."""
        for ref in (revision, f"refs/heads/{revision}", f"refs/tags/{revision}"):
            if ref in state["refs"]:
                return str(state["refs"][ref])
        commit = self.folder(kinds, state["id"]) / "commits" / revision
        if re.fullmatch(r"[0-9a-f]{40}", revision) and commit.exists():
            return revision
        raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")

    def history(self, kinds: str, name: str, commit: str | None) -> Iterator[dict[str, Any]]:
        """Yield a commit and those before it, each with its `id`."""
        while commit:
            found = self.commit(kinds, name, commit)
            yield {"id": commit, **found}
            commit = found["parents"][0] if found["parents"] else None

    # ---- For tests that look at the disk, or put something there ------------------------------

    def refs(self, kinds: str, name: str) -> dict[str, str]:
        """Return reference -> commit."""
        state = self.load(kinds, name)
        return dict(state["refs"]) if state else {}

    def contents(self, kinds: str, name: str, revision: str = "main") -> dict[str, bytes]:
        """Return path -> content of a revision."""
        state = self.load(kinds, name)
        assert state is not None, f"no {kinds}/{name}"
        tree = self.commit(kinds, name, self.resolve(kinds, state, revision))["tree"]
        return {path: self.blob(entry.sha256).read_bytes() for path, entry in tree.items()}

    def add(
        self,
        kinds: str,
        name: str,
        files: Mapping[str, bytes | None],
        *refs: str,
        private: bool = False,
    ) -> str:
        """Commit files (None deletes one) and put references such as `refs/tags/v1` on it."""
        state = self.load(kinds, name) or self.create(kinds, name, private=private)
        parent = state["refs"]["refs/heads/main"]
        tree = self.commit(kinds, name, parent)["tree"]
        for path, data in files.items():
            tree.pop(path, None)
            if data is not None:
                lfs = is_lfs(path, len(data), data[:512])
                tree[path] = self.large(self.put(data)) if lfs else self.regular(data)
        commit = self.write(kinds, name, tree, parent, "by hand", "hub")
        state["refs"] |= dict.fromkeys(refs or ["refs/heads/main"], commit)
        self.save(kinds, state)
        return commit
