"""What a push does, or would do: the plan of a release, how it is sent, and how it is told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from push_scripts.versions import Version

if TYPE_CHECKING:
    from push_scripts.repository import Repository


@dataclass(frozen=True)
class Release:
    """What a push did, or would do.

    Attributes:
        name: The repository.
        version: The version of the release.
        content: What it holds, in words.
        usage: How a consumer loads it, a line each.
        reasons: Why that version.
        files: Path -> size (bytes) of each file of the release; empty where nothing was to be done.
        deleted: Paths that the release no longer has.
        card: The rendered card; empty where nothing was to be done.
        warnings: What the publisher has to know.
        commit: The commit of the release; empty where none was made or needed.
        url: Where to see it.
        created: Whether a commit was made.
        tagged: Whether the tag was put.
        dry_run: Whether nothing was sent.
        pull_request: Whether it is a pull request, which has no tag before it is merged.
    """

    name: str
    version: Version
    content: str
    usage: tuple[str, ...]
    reasons: tuple[str, ...] = ()
    files: Mapping[str, int] = field(default_factory=dict)
    deleted: tuple[str, ...] = ()
    card: str = ""
    warnings: tuple[str, ...] = ()
    commit: str = ""
    url: str = ""
    created: bool = False
    tagged: bool = False
    dry_run: bool = False
    pull_request: bool = False

    def lines(self) -> Iterator[str]:
        """Yield what a person is to read."""
        tag = self.version.tag
        if not self.files:
            yield f"{self.name}: {tag} holds {self.content}; nothing to push"
            yield from self.warnings
            return
        yield f"{self.name} {tag}"
        yield from (f"  {reason}" for reason in self.reasons)
        if self.dry_run:
            yield from (f"  {size:>12,} bytes  {path}" for path, size in self.files.items())
        yield from (f"  deleted: {path}" for path in self.deleted)
        yield from self.warnings
        if self.dry_run:
            yield "nothing was sent; the card would be:"
            yield self.card
        elif self.pull_request:
            yield f"pull request: {self.url}"
            yield f"once it is merged, the same command without --pr puts the tag {tag}"
        else:
            yield f"{'committed' if self.created else 'was there without its tag'}: {self.url}"
            yield from self.usage


def sizes(files: Mapping[str, Path | bytes]) -> dict[str, int]:
    """Return how many bytes each file has."""
    return {
        path: len(content) if isinstance(content, bytes) else content.stat().st_size
        for path, content in files.items()
    }


def send(
    plan: Release,
    repository: "Repository",
    files: Mapping[str, Path | bytes],
    *,
    there: bool,
    head: str | None,
    public: bool,
    message: str | None = None,
) -> Release:
    """Commit the files in one go, then put the tag on that commit; return what was done.

    Of a dry run nothing is sent.

    Args:
        plan: The release.
        repository: Where to.
        files: What is written.
        there: Whether the repository is there; it is made otherwise.
        head: The commit that the plan was made on, None where there is none.
        public: Whether a new repository is public.
        message: Of the commit; None for one that names the version.
    """
    if plan.dry_run:
        return plan
    if not there:
        repository.create(private=not public)
        snapshot = repository.snapshot()
        head = snapshot.commit if snapshot else None
    pushed = repository.commit(
        files,
        plan.deleted,
        message or f"Release {plan.version.tag}",
        head,
        pull_request=plan.pull_request,
    )
    done = replace(plan, commit=pushed.commit, url=pushed.url, created=pushed.created)
    if pushed.proposed:
        return done
    repository.tag(plan.version.tag, pushed.commit)
    return replace(done, tagged=True, pull_request=False)
