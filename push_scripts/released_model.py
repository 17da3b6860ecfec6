"""The model that a repository holds, and what a new one changes."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from builders.corpus import CARD
from builders.errors import UserError
from push_scripts.hub_card import licence_of, read_metadata
from push_scripts.versions import Change, Level, Version
from trainers.run_folder import RECORD, WEIGHTS, TrainedRun, parse_run

if TYPE_CHECKING:
    from push_scripts.repository import Repository, Snapshot


@dataclass(frozen=True)
class ModelOnHub:
    """What the repository holds before the push.

    Attributes:
        there: Whether there is such a repository.
        head: What `main` holds, None where there is no commit.
        present: The run on `main`, None where there is none.
        card: The card on `main`, None where there is none.
        last: The last release's version, None where there is none.
        released: Its run.
        licence: The licence in its card.
    """

    there: bool = False
    head: "Snapshot | None" = None
    present: TrainedRun | None = None
    card: str | None = None
    last: Version | None = None
    released: TrainedRun | None = None
    licence: str | None = None


def difference(hub: ModelOnHub, trained: TrainedRun, licence: str | None) -> Change:
    """Return how much a run differs from the last release, and in what."""
    last = hub.released
    if last is None:
        return Change(Level.NONE, ("the first release",))
    found: list[tuple[Level, str]] = []
    if list(last.labels) != list(trained.labels):
        found.append((Level.MAJOR, "the labels changed"))
    if last.files.get(WEIGHTS) != trained.files[WEIGHTS]:
        found.append((Level.MINOR, "the weights changed"))
    if _others(last) != _others(trained):
        found.append((Level.MINOR, "the tokenizer or the configuration changed"))
    if replace(last, card="") != trained and not found:
        found.append((Level.PATCH, "the record of the run changed, the model did not"))
    if licence != hub.licence:
        found.append((Level.PATCH, f"the licence changed from {hub.licence} to {licence}"))
    level = max((level for level, _ in found), default=Level.NONE)
    return Change(level, tuple(reason for _, reason in found))


def _others(run: TrainedRun) -> dict[str, str]:
    return {name: digest for name, digest in run.files.items() if name != WEIGHTS}


def read_model(repository: "Repository") -> ModelOnHub:
    """Return what a repository holds.

    Raises:
        UserError: Its last release is none of this project's, or cannot be read.
    """
    if not repository.exists():
        return ModelOnHub()
    name, head = repository.name, repository.snapshot()
    card, present = _card_and_run(repository, head, f"{name} main")
    last = max((v for tag in repository.tags() if (v := Version.from_tag(tag))), default=None)
    if last is None:
        return ModelOnHub(True, head, present, card)
    snapshot = repository.snapshot(last.tag)
    old_card, released = _card_and_run(repository, snapshot, f"{name} {last.tag}")
    if released is None:
        raise UserError(
            f"{name}: its tag {last.tag} is no release of this project ({RECORD} is missing); push "
            "to another repository"
        )
    licence = licence_of(read_metadata(old_card or "", f"{name} {last.tag}: README.md"))
    return ModelOnHub(True, head, present, card, last, released, licence)


def _card_and_run(
    repository: "Repository", snapshot: "Snapshot | None", what: str
) -> tuple[str | None, TrainedRun | None]:
    def read(path: str) -> bytes | None:
        if snapshot is None or path not in snapshot.files:
            return None
        return repository.read(path, snapshot.commit)

    card, record = read(CARD), read(RECORD)
    run = parse_run(record, f"{what}: {RECORD}") if record is not None else None
    return (card.decode("utf-8", "replace") if card is not None else None), run
