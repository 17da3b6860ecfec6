"""Release a corpus folder on the Hub: one commit with all of it, then the tag on that commit.

A release is read by its tag, and a tag is only put on a commit that is there: no reader of tags
ever sees half a release. A push that was killed between the two leaves `main` one whole commit
ahead; the same command again finds that commit to be what it would write, and tags it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from builders.card import OWN_TEXT
from builders.corpus import CARD
from builders.errors import UserError
from push_scripts.corpus_checks import check_folder
from push_scripts.corpus_difference import difference, with_card
from push_scripts.corpus_release import Contents, read_folder, read_release
from push_scripts.hub_card import (
    HubCard,
    ReleaseNotes,
    evidence_in,
    generated_digest,
    released_card,
)
from push_scripts.manifest import MANIFEST, PART, Described, Manifest, read_manifest
from push_scripts.release import Release, send, sizes
from push_scripts.versions import Change, Level, Version, next_version

if TYPE_CHECKING:
    from builders.real import RealData
    from push_scripts.repository import Repository, Snapshot

CARD_EDITS = "card-edits"
"""What `allow` calls edits on the Hub that a push loses: where it writes, or where it has another
own text to put."""

_CONTENT = "these rows, labels and prompts"


@dataclass(frozen=True)
class _Hub:
    """What the repository holds before the push.

    Attributes:
        there: Whether there is such a repository.
        head: What `main` holds, None where there is no commit.
        last: The last release's version, None where there is none.
        released: What it holds.
        released_card: Its card; empty where there is none.
        card: The card on `main`, None where there is none.
        written: Digests of what pushes wrote into the card.
        ahead: The version that `main` holds without its tag, None where it does not.
    """

    there: bool
    head: "Snapshot | None"
    last: Version | None
    released: Contents | None
    card: str | None
    written: frozenset[str]
    ahead: Version | None = None
    released_card: str = ""


def push_dataset(
    folder: Path,
    name: str,
    *,
    version: str | None = None,
    public: bool = False,
    pull_request: bool = False,
    dry_run: bool = False,
    license: str | None = None,
    allow: Collection[str] = (),
    real: "RealData | None" = None,
    examples: Collection[str] | None = None,
    evidence: str = "",
    message: str | None = None,
    token: str | None = None,
) -> Release:
    """Release the corpus in `folder` as the dataset `name`.

    Nothing is sent where the last release holds the same rows, labels, columns and prompts, unless
    another licence or other evidence is given: that is a patch.

    Args:
        folder: The corpus folder.
        name: The repository, `OWNER/NAME`; a new one is made private.
        version: `X.Y.Z`, at least what the changes need; None for just that.
        public: Whether a new repository is public.
        pull_request: Open a pull request; the tag is put by a push after it was merged.
        dry_run: Send nothing that writes.
        license: Identifier of the licence; None keeps the one in the card on the Hub.
        allow: Names of the checks whose findings are accepted, and `card-edits`.
        real: Real texts that none of the corpus may copy, None where there are none at hand.
        examples: Real texts that were shown to the LLM, None where they are not known.
        evidence: Markdown of what a study measured of the corpus, see `evidence_of`.
        message: Title of the commit; None for `Release vX.Y.Z`.
        token: Access token; None takes the one that the Hub's client is set up with.

    Raises:
        UserError: The folder is no corpus, a check found something, the version is too low, the
            card on the Hub was edited where a push writes, or the Hub refuses.
    """
    from push_scripts.repository import Repository

    asked = Version.parse(version) if version is not None else None
    contents = read_folder(folder)
    repository = Repository(name, "dataset", token)
    name = repository.name
    hub = _read_hub(repository, name)
    if hub.released is not None and hub.released.task != contents.task:
        raise UserError(
            f"{name}: holds releases of task {hub.released.task!r}, {folder} is of "
            f"{contents.task!r}; push to another repository"
        )
    change, evidence = _changed(hub, contents, license, evidence, name)
    wanted = next_version(hub.last, change, asked)
    if wanted == hub.last:
        return _nothing_to_do(name, wanted, contents, hub, message)
    _refuse_edits(hub, name, allow)
    accepted = [each for each in allow if each != CARD_EDITS]
    checks = check_folder(folder, contents, real, examples, accepted)
    changelog = {str(wanted): _reasons(change, hub.last)}
    changelog |= hub.released.changelog if hub.released else {}
    notes = ReleaseNotes(name, str(wanted), license, changelog, checks, evidence)
    built = (folder / CARD).read_text(encoding="utf-8")
    card = released_card(built, hub.card, notes, f"{name}: README.md", replace=CARD_EDITS in allow)
    files = _files(folder, contents, wanted, changelog, card)
    plan = Release(
        name=name,
        version=wanted,
        content=_CONTENT,
        usage=_usage(name, wanted, contents),
        reasons=changelog[str(wanted)],
        files=sizes(files),
        deleted=_obsolete(hub.head, files),
        card=card.text,
        warnings=_warnings(card, public=public, there=hub.there),
        dry_run=dry_run,
        pull_request=pull_request,
    )
    head = hub.head.commit if hub.head else None
    return send(plan, repository, files, there=hub.there, head=head, public=public, message=message)


def _changed(
    hub: _Hub, contents: Contents, licence: str | None, evidence: str, name: str
) -> tuple[Change, str]:
    """Return what differs from the last release, and the evidence for the card."""
    change = difference(hub.released, contents)
    if hub.released is None:
        return change, evidence
    card = hub.released_card
    # Of the same rows the last release's evidence still holds.
    kept = evidence_in(card) if change.level == Level.NONE else ""
    said = f"{name} {hub.last}: README.md"
    return with_card(change, card, licence, evidence, said), evidence or kept


def _usage(name: str, version: Version, contents: Contents) -> tuple[str, ...]:
    return tuple(
        f"load_dataset({name!r}, {each!r}, revision={version.tag!r})"
        for each in contents.configurations
    )


def _read_hub(repository: "Repository", name: str) -> _Hub:
    if not repository.exists():
        return _Hub(False, None, None, None, None, frozenset())
    head = repository.snapshot()
    versions = [version for tag in repository.tags() if (version := Version.from_tag(tag))]
    last = max(versions, default=None)
    released = None
    tagged, said, ahead = "", "", None
    if last is not None:
        snapshot = repository.snapshot(last.tag)
        if snapshot is None:
            raise UserError(f"{name}: its tag {last.tag} is on no commit; delete the tag")
        released = read_release(repository, snapshot, f"{name} {last.tag}")
        tagged = snapshot.commit
        said = (repository.read(CARD, tagged) or b"").decode("utf-8", "replace")
    written = {released.card} if released else set()
    card = None
    if head is not None and CARD in head.files:
        card = (repository.read(CARD, head.commit) or b"").decode("utf-8", "replace")
    if head is not None and head.commit != tagged and MANIFEST in head.files:
        manifest = repository.read(MANIFEST, head.commit) or b""
        untagged = read_manifest(manifest, f"{name} main")
        written.add(untagged.card)
        ahead = untagged.version if last is None or untagged.version > last else None
    return _Hub(True, head, last, released, card, frozenset(written), ahead, said)


def _nothing_to_do(
    name: str, version: Version, contents: Contents, hub: _Hub, message: str | None
) -> Release:
    warnings = []
    if message is not None:
        warnings.append("--message: there is no commit that it could be the title of")
    if hub.ahead is not None:
        warnings.append(
            f"main holds {hub.ahead} without its tag: push its corpus again, or another one"
        )
    if hub.released is not None and hub.released.files != contents.files:
        more = version.raised(Level.PATCH)
        warnings.append(
            "the records of the build, or the form of the Parquet, are others; to release them, "
            f"give --version {more}"
        )
    return Release(name, version, _CONTENT, (), warnings=tuple(warnings))


def _refuse_edits(hub: _Hub, name: str, allow: Collection[str]) -> None:
    """Refuse to write over text that somebody put where a push writes."""
    if hub.card is None or not hub.written:
        return  # no push was here: all of the card is somebody's, and kept
    found = generated_digest(hub.card)
    if found is None:
        raise UserError(
            f"{name}: README.md has lost a line; put it back above your own: {OWN_TEXT}"
        )
    if found not in hub.written and CARD_EDITS not in allow:
        raise UserError(
            f"{name}: README.md was edited above the line for your own text; move your text below "
            f"it, or give --allow {CARD_EDITS} to lose it"
        )


def _reasons(change: Change, last: Version | None) -> tuple[str, ...]:
    if change.reasons:
        return change.reasons
    return (f"asked for; rows, labels, columns and prompts are those of {last}",)


def _files(
    folder: Path,
    contents: Contents,
    version: Version,
    changelog: Mapping[str, tuple[str, ...]],
    card: HubCard,
) -> dict[str, Path | bytes]:
    manifest = Manifest(
        version,
        contents.task,
        {
            name: Described(each.prompts, each.features)
            for name, each in contents.configurations.items()
        },
        contents.files,
        changelog,
        card.digest,
    )
    files: dict[str, Path | bytes] = {path: folder / path for path in contents.files}
    return {**files, MANIFEST: manifest.as_json(), CARD: card.text.encode()}


def _obsolete(head: "Snapshot | None", files: Collection[str]) -> tuple[str, ...]:
    """Return the paths on `main` that belonged to a release and do no more."""
    if head is None:
        return ()
    return tuple(sorted(path for path in head.files if PART.fullmatch(path) and path not in files))


def _warnings(card: HubCard, *, public: bool, there: bool) -> tuple[str, ...]:
    warnings = []
    if card.licence is None:
        warnings.append(
            "no licence is chosen, and the card says so: the terms of the LLM's provider are yours "
            "to know; give --license ID"
        )
    if public and there:
        warnings.append("--public: the repository is there and stays as visible as it is")
    return tuple(warnings)
