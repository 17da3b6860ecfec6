"""What the push of a corpus did, or would do, and how it is told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from push_scripts.versions import Version


@dataclass(frozen=True)
class DatasetPush:
    """What a push did, or would do.

    Attributes:
        name: The repository.
        version: The version of the release.
        reasons: Why that version.
        configurations: Names of the configurations; the first is the default one.
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
    reasons: tuple[str, ...]
    configurations: tuple[str, ...]
    files: Mapping[str, int]
    deleted: tuple[str, ...]
    card: str
    warnings: tuple[str, ...]
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
            yield f"{self.name}: {tag} holds these rows, labels and prompts; nothing to push"
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
            done = "committed" if self.created else "was there without its tag"
            yield f"{done}: {self.url}"
            for each in self.configurations:
                yield f"load_dataset({self.name!r}, {each!r}, revision={tag!r})"
