"""What a revision on the Hub holds, and what a set of files would change in it."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from builders.errors import UserError
from push_scripts.names import checked_path

Kind = Literal["dataset", "model"]


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository.

    Attributes:
        path: Its path in the repository.
        size: Bytes.
        sha256: Of its content; None for a file that git itself holds.
        oid: Git's id of it, or of the pointer where the content is in LFS.
    """

    path: str
    size: int
    sha256: str | None
    oid: str


@dataclass(frozen=True)
class Snapshot:
    """What a revision holds.

    Attributes:
        commit: The commit that the revision means.
        files: Path -> file.
    """

    commit: str
    files: dict[str, RemoteFile]


class Change:
    """Files to add or replace, and files to delete.

    Args:
        files: Path -> a local file, or the content.
        delete: Paths; one that is in `files` too is replaced.

    Raises:
        UserError: A path is none that a repository can hold, or a local file is missing.
    """

    def __init__(self, files: Mapping[str, Path | bytes], delete: Collection[str]) -> None:
        self._files = {checked_path(path): _Content(data, path) for path, data in files.items()}
        self._delete = sorted({checked_path(path) for path in delete} - set(files))

    @property
    def paths(self) -> list[str]:
        """Every path that is added, replaced or deleted."""
        return [*self._files, *self._delete]

    def against(self, there: Mapping[str, RemoteFile]) -> tuple[dict[str, Path | bytes], list[str]]:
        """Return what is left to add or replace, and what is left to delete, in these files."""
        left = {
            path: content.data
            for path, content in self._files.items()
            if path not in there or not content.equals(there[path])
        }
        return left, [path for path in self._delete if path in there]


class _Content:
    """A local file, or bytes, with the ids that git and LFS give it, each computed once."""

    def __init__(self, data: Path | bytes, path: str) -> None:
        if isinstance(data, Path) and not data.is_file():
            raise UserError(f"{data} is missing, or no file; it was to become {path} on the Hub")
        self.data = data

    def equals(self, there: RemoteFile) -> bool:
        """Tell whether the file on the Hub has this content."""
        if self._size != there.size:
            return False
        return self._oid == there.oid if there.sha256 is None else self._sha256 == there.sha256

    @property
    def _size(self) -> int:
        return len(self.data) if isinstance(self.data, bytes) else self.data.stat().st_size

    @cached_property
    def _sha256(self) -> str:
        return self._digest("sha256")

    @cached_property
    def _oid(self) -> str:
        return self._digest("sha1", b"blob %d\0" % self._size)

    def _digest(self, algorithm: str, header: bytes = b"") -> str:
        digest = hashlib.new(algorithm, header, usedforsecurity=False)
        if isinstance(self.data, bytes):
            digest.update(self.data)
        else:
            with self.data.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        return digest.hexdigest()
