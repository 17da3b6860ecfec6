"""One commit to the Hub, or one pull request: made at most once, however often it is tried."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from builders.errors import UserError
from push_scripts.snapshot import Change, Kind, Snapshot

if TYPE_CHECKING:
    from huggingface_hub import CommitInfo, HfApi

_LOOKED_AT = 20  # open pull requests of the same title


@dataclass(frozen=True)
class Pushed:
    """What became of a commit.

    Attributes:
        commit: The commit that holds what was pushed.
        url: Its page, or that of the pull request.
        created: False where nothing had to be committed.
        proposed: Whether it stands in a pull request, and not on `main`.
    """

    commit: str
    url: str
    created: bool
    proposed: bool = False


@dataclass
class Commit:
    """A change on its way to `main`. Both methods look first whether it has arrived.

    Attributes:
        api: The client.
        name: `owner/name`.
        kind: What the repository holds.
        look: Revision -> what it holds, or None.
        change: What to add, replace and delete.
        message: The first line is the title.
        parent: The commit that the change was made for; None for the present one.
        sent: Whether it was sent before, with the reply perhaps lost.
    """

    api: "HfApi"
    name: str
    kind: Kind
    look: Callable[[str], Snapshot | None]
    change: Change
    message: str
    parent: str | None
    sent: bool = False

    def push(self) -> Pushed:
        """Commit to `main`.

        Raises:
            UserError: There is no such repository, or another commit touched the same files.
        """
        head = self._head()
        if self.change.against(head.files) == ({}, []):
            return self._arrived(head)
        if self.parent is not None and head.commit != self.parent:
            self._refuse_if_touched(self.parent, head)
        self.parent = head.commit
        info = self._send(head, pull_request=False)
        return Pushed(info.oid, info.commit_url, created=True)

    def propose(self) -> Pushed:
        """Open a pull request to `main`, or take the open one that proposes the same.

        Raises:
            UserError: There is no such repository, or another commit touched the same files.
        """
        head = self._head()
        if self.change.against(head.files) == ({}, []):
            return self._arrived(head)
        if self.parent is not None and head.commit != self.parent:
            self._refuse_if_touched(self.parent, head)
        if (open_one := self._proposed()) is not None:
            return open_one
        self.parent = head.commit
        info = self._send(head, pull_request=True)
        return Pushed(info.oid, str(info.pr_url), created=True, proposed=True)

    def _head(self) -> Snapshot:
        head = self.look("main")
        if head is None:
            raise UserError(
                f"{self.kind} repository {self.name}: no such repository, or the token may not see "
                "it; check the name and HF_TOKEN"
            )
        return head

    def _arrived(self, head: Snapshot) -> Pushed:
        folder = "datasets/" if self.kind == "dataset" else ""
        url = f"{self.api.endpoint}/{folder}{self.name}/commit/{head.commit}"
        return Pushed(head.commit, url, created=self.sent)

    def _refuse_if_touched(self, parent: str, head: Snapshot) -> None:
        before = self.look(parent)
        if before is None:
            raise UserError(
                f"{self.name}: there is no commit {parent[:12]} any more; run the push again"
            )
        for path in self.change.paths:
            if before.files.get(path) != head.files.get(path):
                raise UserError(
                    f"{self.name}: another commit, {head.commit[:12]}, changed {path!a} in "
                    "the meantime; run the push again"
                )

    def _proposed(self) -> Pushed | None:
        """Return the open pull request of this title that holds this change."""
        found = self.api.get_repo_discussions(
            self.name,
            repo_type=self.kind,
            discussion_type="pull_request",
            discussion_status="open",
        )
        same = (each for each in found if each.title == self._title)
        for each in islice(same, _LOOKED_AT):
            there = self.look(f"refs/pr/{each.num}")
            if there is not None and self.change.against(there.files) == ({}, []):
                return Pushed(there.commit, each.url, created=self.sent, proposed=True)
        return None

    @property
    def _title(self) -> str:
        return self.message.partition("\n")[0].strip()

    def _send(self, head: Snapshot, *, pull_request: bool) -> "CommitInfo":
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        add, delete = self.change.against(head.files)
        # Made anew for each try: the client marks operations as spent.
        additions = [
            CommitOperationAdd(path, str(data) if isinstance(data, Path) else data)
            for path, data in add.items()
        ]
        deletions = [CommitOperationDelete(path, is_folder=False) for path in delete]
        self.sent = True
        return self.api.create_commit(
            self.name,
            [*deletions, *additions],
            commit_message=self._title,
            commit_description=self.message.partition("\n")[2].strip(),
            repo_type=self.kind,
            revision="main",
            parent_commit=head.commit,
            create_pr=pull_request,
        )
