"""One repository on the Hub: what it holds, one commit to it, one tag on that."""

import re
from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from builders.errors import UserError
from push_scripts.committing import Commit, Pushed
from push_scripts.names import checked_path, checked_repository, checked_revision, checked_tag
from push_scripts.retrying import retried
from push_scripts.snapshot import Change, Kind, RemoteFile, Snapshot

if TYPE_CHECKING:
    from huggingface_hub import HfApi

__all__ = ["Kind", "Pushed", "RemoteFile", "Repository", "Snapshot"]

_Result = TypeVar("_Result")


class Repository:
    """A repository of datasets or models.

    Every method raises UserError, one line without the token, where the Hub refuses or stays out
    of reach.

    Args:
        name: `owner/name`, or `name` for one of the user's own.
        kind: What it holds.
        token: None for `HF_TOKEN`, or the stored login.

    Raises:
        UserError: No repository can have this name, or no token is like this one.
    """

    def __init__(self, name: str, kind: Kind, token: str | None = None) -> None:
        self._given = checked_repository(name)
        self.kind: Kind = kind
        self._token = token

    @cached_property
    def name(self) -> str:
        """`owner/name`; the owner is the token's where none was given."""
        if "/" in self._given:
            return self._given
        return f"{self._retried(self._api.whoami)['name']}/{self._given}"

    @property
    def url(self) -> str:
        """The address of its page."""
        return f"{self._api.endpoint}/{'datasets/' if self.kind == 'dataset' else ''}{self.name}"

    def exists(self) -> bool:
        """Tell whether there is such a repository that the token may see."""
        return self.is_private() is not None

    def is_private(self) -> bool | None:
        """Tell whether only its owners see it; None where there is no such repository."""
        info = self._retried(lambda: self._info(None))
        return None if info is None else bool(info.private)

    def create(self, *, private: bool = True) -> None:
        """Make the repository; one that exists stays as it is, its visibility too."""

        def create() -> None:
            if self._info(None) is None:
                self._api.create_repo(self.name, repo_type=self.kind, private=private)

        self._retried(create)

    def snapshot(self, revision: str = "main") -> Snapshot | None:
        """Return what a revision holds; None where there is no such repository or revision."""
        checked_revision(revision)
        return self._retried(lambda: self._look(revision))

    def tags(self) -> dict[str, str]:
        """Return tag -> commit; empty where there is no such repository."""
        return self._retried(self._tags)

    def read(self, path: str, revision: str) -> bytes | None:
        """Return a file's content; None where that revision has no such file."""
        checked_path(path)
        checked_revision(revision)
        return self._retried(lambda: self._read(path, revision))

    def commit(
        self,
        files: Mapping[str, Path | bytes],
        delete: Collection[str],
        message: str,
        parent: str | None,
        *,
        pull_request: bool = False,
    ) -> Pushed:
        """Add, replace and delete files in one commit on `main`, or in a pull request to it.

        A commit overtaken by another is made anew on top of that one, unless it touched the same
        files. A commit whose reply was lost is found by what `main` holds. A file that is there
        with equal content, or not there to be deleted, is left out.

        Args:
            files: Path -> a local file, or the content.
            delete: Paths.
            message: The first line is the title.
            parent: The commit that the files were made for; None for the present one.
            pull_request: Propose it instead; an open one of this title and content is taken.

        Raises:
            UserError: A path is none, a file is missing, there is no such repository, or the same
                files were changed since `parent`.
        """
        change = Change(files, delete)
        made = Commit(self._api, self.name, self.kind, self._look, change, message, parent)
        return self._retried(made.propose if pull_request else made.push)

    def tag(self, name: str, commit: str) -> None:
        """Put a tag on a commit; one that is there already is fine.

        Raises:
            UserError: The tag is on another commit.
        """
        checked_tag(name)
        checked_revision(commit)

        def tag() -> None:
            # Looked up first: the clients' `exist_ok` hides a tag that is on another commit.
            there = self._tags().get(name)
            if there is None:
                self._api.create_tag(self.name, tag=name, revision=commit, repo_type=self.kind)
            elif there != commit:
                raise UserError(
                    f"{self.name}: the tag {name} is on commit {there[:12]}, not on {commit[:12]}; "
                    "a release is never moved: push under another version"
                )

        self._retried(tag)

    # ---- One request after another, without retries -----------------------------------------

    @cached_property
    def _api(self) -> "HfApi":
        from huggingface_hub import HfApi, get_token

        token = self._token or get_token()
        if token and not re.fullmatch(r"[\x21-\x7e]+", token):
            raise UserError(
                f"{self._given}: the token has characters that no token has; set HF_TOKEN anew"
            )
        self._token = token or None
        return HfApi(token=token or False)

    def _retried(self, call: Callable[[], _Result]) -> _Result:
        where = f"{self.kind} repository {self._given}"
        api = self._api  # settles the token, which the messages must not show
        return retried(call, where, str(api.token or "") or None)

    def _info(self, revision: str | None) -> Any:
        from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

        try:
            return self._api.repo_info(
                self.name, repo_type=self.kind, revision=revision, timeout=30
            )
        except (RepositoryNotFoundError, RevisionNotFoundError):
            return None

    def _look(self, revision: str) -> Snapshot | None:
        from huggingface_hub.hf_api import RepoFile

        info = self._info(revision)
        if info is None:
            return None
        # Of that commit: the branch may move between the two requests.
        nodes = self._api.list_repo_tree(
            self.name, repo_type=self.kind, revision=info.sha, recursive=True
        )
        files = {
            node.path: RemoteFile(
                node.path, node.size, node.lfs.sha256 if node.lfs else None, node.blob_id
            )
            for node in nodes
            if isinstance(node, RepoFile)
        }
        return Snapshot(str(info.sha), files)

    def _tags(self) -> dict[str, str]:
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            refs = self._api.list_repo_refs(self.name, repo_type=self.kind)
        except RepositoryNotFoundError:
            return {}
        return {tag.name: tag.target_commit for tag in refs.tags}

    def _read(self, path: str, revision: str) -> bytes | None:
        from huggingface_hub import get_session, hf_hub_url, hf_raise_for_status
        from huggingface_hub.errors import RemoteEntryNotFoundError

        info = self._info(revision)
        if info is None:
            return None
        token = self._api.token
        # Not `hf_hub_download`: where the Hub fails, its cache answers.
        reply = get_session().get(
            hf_hub_url(self.name, path, repo_type=self.kind, revision=info.sha),
            headers={"Authorization": f"Bearer {token}"} if token else {},
            follow_redirects=True,
            timeout=60,
        )
        try:
            hf_raise_for_status(reply)
        except RemoteEntryNotFoundError:
            return None
        return reply.content
