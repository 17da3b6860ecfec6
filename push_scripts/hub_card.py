"""The card as the Hub gets it: the corpus's, made that of a release, with the user's own text.

The corpus's card ends with the line `OWN_TEXT`. A release puts its own sections before that line:
how to load it, licence, checks, citation, changelog. What stands below the line is kept: on the
Hub, or in the corpus folder where there is nothing on the Hub.
So are keys of the YAML block there that a build does not write, such as `license` or `language`.
A card without that line was written by somebody: all of it is kept, below the line.
"""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builders.card import OWN_TEXT, RECIPE, environment, parted
from builders.errors import UserError

TEMPLATES = Path(__file__).parent / "templates"
_RELEASE = "<!-- From here on: this release. -->"
_BLOCK = re.compile(r"\s*---\r?\n(?P<yaml>.*?)\r?\n---(?:\r?\n|\Z)(?P<body>.*)", re.DOTALL)
_LOADING = re.compile(r'^(corpus = load_dataset\()"[^"\n]*"', re.M)
_EVIDENCE = re.compile(
    r"^## Measured on real text\n\n(?P<evidence>.*?)\n\n## Checks before the push$",
    re.M | re.DOTALL,
)
_OF_BUILDS = {
    "pretty_name",
    "task_categories",
    "annotations_creators",
    "language_creators",
    "tags",
    "size_categories",
    RECIPE,
    "configs",
}
"""Keys that a build writes."""
_OF_OTHERS = ("configs", "dataset_info")
"""Keys that say which files hold what: of another state of the repository they would be wrong."""


@dataclass(frozen=True)
class ReleaseNotes:
    """What a card says of a release.

    Attributes:
        name: The repository.
        version: The release.
        licence: Identifier of the licence, or None to keep what the card on the Hub says.
        changelog: Version -> what changed with it, the newest first.
        checks: Markdown of the checks before the push.
        evidence: Markdown of what a study measured of the corpus; empty where none was named.
    """

    name: str
    version: str
    licence: str | None
    changelog: Mapping[str, Sequence[str]]
    checks: str
    evidence: str = ""


@dataclass(frozen=True)
class HubCard:
    """A card, taken apart.

    Attributes:
        text: All of it.
        digest: SHA-256 (hex) of the body above the line `OWN_TEXT`: what a push wrote.
        licence: The licence in its YAML block, None where there is none.
    """

    text: str
    digest: str
    licence: str | None


def released_card(
    built: str, there: str | None, notes: ReleaseNotes, what: str, *, replace: bool = False
) -> HubCard:
    """Return the card of a release.

    Args:
        built: The card of the corpus folder.
        there: The card on the Hub, None where there is none.
        notes: What is said of the release.
        what: How messages name the card on the Hub.
        replace: Whether somebody's own text in the folder may replace another on the Hub.

    Raises:
        UserError: A card cannot be read, folder and Hub have own texts that differ, or the Hub's
            own classes refuse the result.
    """
    metadata = _metadata(built, there, notes, what)
    generated, here = _apart(built)
    generated = generated.partition(f"\n{_RELEASE}\n")[0].rstrip("\n")
    generated = _LOADING.sub(lambda found: f'{found[1]}"{notes.name}"', generated, count=1)
    release = (
        environment(TEMPLATES)
        .get_template("corpus_release.md.j2")
        .render(
            notes=notes,
            licence=licence_of(metadata),
            configuration=metadata["configs"][0]["config_name"],
            title=re.sub(r"[{}\\`]", " ", " ".join(str(metadata.get("pretty_name", "")).split())),
            key=re.sub(r"[^A-Za-z0-9]+", "-", notes.name),
        )
    )
    above = f"{generated}\n\n{_RELEASE}\n{release.rstrip()}\n\n"
    own = _own(here or "", own_text(there) if there is not None else "", what, replace)
    card = f"---\n{_yaml(metadata)}\n---\n{above}{OWN_TEXT}\n{own}"
    _check(card)
    return HubCard(card, _digest(above), licence_of(metadata))


def read_metadata(card: str, what: str) -> dict[str, Any]:
    """Return the YAML block of a card; empty where it has none.

    Raises:
        UserError: It is no YAML mapping.
    """
    import yaml

    found = _BLOCK.match(card)
    if not found:
        return {}
    try:
        values = yaml.safe_load(found["yaml"])
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise UserError(f"{what}: its YAML block cannot be read ({problem}); mend it") from error
    if not isinstance(values, dict):
        raise UserError(f"{what}: its YAML block is no mapping; mend it")
    return values


def licence_of(metadata: Mapping[str, Any]) -> str | None:
    """Return the licence that a YAML block names, None where it names none."""
    licence = metadata.get("license")
    if isinstance(licence, list):  # the Hub takes several
        licence = ", ".join(map(str, licence))
    return str(licence) if licence else None


def own_text(card: str) -> str:
    """Return what somebody wrote: all below the line `OWN_TEXT`, or all of a card without it."""
    above, below = _apart(card)
    if below is not None:
        return below
    return f"\n{above.strip()}\n" if above.strip() else ""


def evidence_in(card: str) -> str:
    """Return what a released card says that a study measured; empty where it says nothing."""
    found = _EVIDENCE.search(_apart(card)[0])
    return found["evidence"] if found else ""


def generated_digest(card: str) -> str | None:
    """Return the digest of what a push wrote into a card; None where it is all somebody's own."""
    above, below = _apart(card)
    return _digest(above) if below is not None else None


def _metadata(built: str, there: str | None, notes: ReleaseNotes, what: str) -> dict[str, Any]:
    """Return the YAML block of a release: a build's keys, and what somebody chose on the Hub."""
    ours = read_metadata(built, "the corpus's card")
    theirs = read_metadata(there, what) if there is not None else {}
    theirs = {key: value for key, value in theirs.items() if key not in _OF_OTHERS}
    chosen = {key: value for key, value in theirs.items() if key not in _OF_BUILDS}
    tags = dict.fromkeys([*(ours.get("tags") or ()), *(theirs.get("tags") or ())])
    configs = [{**config, "version": notes.version} for config in ours.get("configs") or ()]
    licence = {} if notes.licence is None else {"license": notes.licence}
    return {**theirs, **ours, **chosen, **licence, "tags": list(tags), "configs": configs}


def _own(here: str, there: str, what: str, replace: bool) -> str:
    """Return what goes below the line, of what stands there in the folder and on the Hub."""
    if not here.strip() or here.split() == there.split():
        return there
    if there.strip() and not replace:
        raise UserError(
            f"{what}: has another text below the line for your own than the README.md of the "
            "folder; make them the same, or give --allow card-edits to keep the folder's"
        )
    return here


def _apart(card: str) -> tuple[str, str | None]:
    """Divide the body of a card at the line `OWN_TEXT`; None where it is not there."""
    found = _BLOCK.match(card)
    body = found["body"] if found else card
    return parted(body)


def _digest(above: str) -> str:
    return hashlib.sha256("\n".join(above.split()).encode()).hexdigest()


def _yaml(metadata: Mapping[str, Any]) -> str:
    import yaml

    text: str = yaml.safe_dump(dict(metadata), sort_keys=False, allow_unicode=True, width=math.inf)
    return text.rstrip()


def _check(card: str) -> None:
    """Let the Hub's own classes read the card."""
    from huggingface_hub import DatasetCard, DatasetCardData

    try:
        DatasetCardData(**vars(DatasetCard(card).data))
    except (ValueError, TypeError) as error:
        raise UserError(f"the card is refused by huggingface_hub: {error}; mend it") from error
