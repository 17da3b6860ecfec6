"""Release a trained model on the Hub: one commit with all of it, then the tag on that commit.

A push that was killed between the two leaves `main` one whole commit ahead; the same command again
finds that commit to be what it would write, and tags it.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from builders.corpus import CARD
from builders.errors import UserError
from push_scripts.hub_card import generated_digest, licence_of, read_metadata
from push_scripts.model_card import model_card
from push_scripts.release import Release, send, sizes
from push_scripts.released_model import ModelOnHub, difference, read_model
from push_scripts.versions import Version, next_version
from trainers.run_folder import RECORD, TrainedRun, read_run

if TYPE_CHECKING:
    pass


_CONTENT = "this model"


def push_model(
    run: Path,
    name: str,
    *,
    version: str | None = None,
    public: bool = False,
    pull_request: bool = False,
    dry_run: bool = False,
    license: str | None = None,
    token: str | None = None,
) -> Release:
    """Release the model in the folder `run` as `name`.

    Nothing is sent where the last release holds the same files and licence.

    Args:
        run: A folder that `understudy train` wrote.
        name: The repository, `OWNER/NAME`; a new one is made private.
        version: `X.Y.Z`, at least what the changes need; None for just that.
        public: Whether a new repository is public.
        pull_request: Open a pull request; the tag is put by a push after it was merged.
        dry_run: Send nothing that writes.
        license: Identifier of the licence; None keeps the one in the card on the Hub.
        token: Access token; None takes the one that the Hub's client is set up with.

    Raises:
        UserError: The folder holds no model, or another than was trained, the version is too low,
            the card on the Hub was edited where a push writes, or the Hub refuses.
    """
    from push_scripts.repository import Repository

    asked = Version.parse(version) if version is not None else None
    trained = read_run(run)
    repository = Repository(name, "model", token)
    hub = read_model(repository)
    name = repository.name
    if hub.released is not None and hub.released.task != trained.task:
        raise UserError(
            f"{name}: holds models of task {hub.released.task!r}, {run} is of {trained.task!r}; "
            "push to another repository"
        )
    there = read_metadata(hub.card, f"{name}: README.md") if hub.card is not None else {}
    licence = license or licence_of(there)
    change = difference(hub, trained, licence)
    wanted = next_version(hub.last, change, asked)
    if wanted == hub.last:
        return Release(name, wanted, _CONTENT, ())
    _refuse_edits(hub, name)
    card = model_card(trained, name, str(wanted), licence, hub.card)
    published = replace(trained, card=generated_digest(card) or "")
    files: dict[str, Path | bytes] = {each: run / each for each in trained.files}
    files |= {RECORD: published.as_json(), CARD: card.encode()}
    plan = Release(
        name=name,
        version=wanted,
        content=_CONTENT,
        usage=(f"pipeline('text-classification', model={name!r}, revision={wanted.tag!r})",),
        reasons=change.reasons or (f"asked for; the model is that of {hub.last}",),
        files=sizes(files),
        deleted=tuple(sorted(set(hub.present.files if hub.present else ()) - set(files))),
        card=card,
        warnings=_warnings(trained, licence, public=public, there=hub.there),
        dry_run=dry_run,
        pull_request=pull_request,
    )
    head = hub.head.commit if hub.head else None
    return send(plan, repository, files, there=hub.there, head=head, public=public)


def _refuse_edits(hub: ModelOnHub, name: str) -> None:
    """Refuse to write over text that somebody put where a push writes."""
    written = {run.card for run in (hub.present, hub.released) if run is not None}
    found = generated_digest(hub.card) if hub.card is not None else None
    if found is not None and found not in written:
        raise UserError(
            f"{name}: README.md was edited above the line for your own text; move your text below "
            "that line, or remove the line to have all of it kept below"
        )


def _warnings(
    run: TrainedRun, licence: str | None, *, public: bool, there: bool
) -> tuple[str, ...]:
    warnings = []
    if licence is None:
        terms = " the terms of the LLM's provider are yours to know;" if run.corpus else ""
        warnings.append(f"no licence is chosen, and the card says so:{terms} give --license ID")
    if not run.tests:
        warnings.append("not scored on real text, and the card says so; train with --real")
    if public and there:
        warnings.append("--public: the repository is there and stays as visible as it is")
    return tuple(warnings)
