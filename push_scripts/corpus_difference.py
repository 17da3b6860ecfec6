"""What changed between two releases of a corpus, weighed as the next version needs it."""

from collections.abc import Iterator

from push_scripts.corpus_release import Configuration, Contents
from push_scripts.hub_card import evidence_in, licence_of, read_metadata
from push_scripts.versions import Change, Level

_Difference = tuple[Level, str]


def difference(last: Contents | None, new: Contents) -> Change:
    """Compare what is to be released with the last release.

    Labels, features or prompts changed: major. Rows changed or removed: minor, and so is another
    default configuration, since who names none gets other rows. Rows only added: patch.

    Args:
        last: The last release, None where there is none.
        new: What is to be released.
    """
    if last is None:
        return Change(Level.MAJOR, ("first release",))
    found = list(_differences(last, new))
    found.sort(key=lambda each: -each[0])
    level = found[0][0] if found else Level.NONE
    return Change(level, tuple(reason for _, reason in found))


def with_card(change: Change, card: str, licence: str | None, evidence: str, what: str) -> Change:
    """Add to a change what is said anew of the rows, which is a patch.

    Args:
        change: What differs from the last release.
        card: The last release's card.
        licence: Identifier of the licence that is asked for, None to keep it.
        evidence: Markdown of what a study measured of the corpus; empty where none was named.
        what: How messages name the card.

    Raises:
        UserError: The card cannot be read.
    """
    found = []
    was = licence_of(read_metadata(card, what))
    if licence not in (None, was):
        found.append(f"the licence changed from {was or 'none'} to {licence}")
    if evidence and evidence.split() != evidence_in(card).split():
        found.append("what a study measured of it changed")
    if not found:
        return change
    return Change(max(change.level, Level.PATCH), (*change.reasons, *found))


def _differences(last: Contents, new: Contents) -> Iterator[_Difference]:
    for name, old in last.configurations.items():
        if name not in new.configurations:
            yield Level.MINOR, f"{name}: removed, with its {len(old.read_rows())} rows"
        else:
            yield from _within(name, old, new.configurations[name])
    for name, added in new.configurations.items():
        if name not in last.configurations:
            yield Level.PATCH, f"{name}: new, with {len(added.read_rows())} rows"
            shared = next(iter(last.configurations.values()))
            yield from _labels(name, shared, added)
    was, default = next(iter(last.configurations)), next(iter(new.configurations))
    if was != default and was in new.configurations:
        yield Level.MINOR, f"{default} is the default configuration instead of {was}"


def _within(name: str, old: Configuration, new: Configuration) -> Iterator[_Difference]:
    yield from _labels(name, old, new)
    others = [
        column
        for column in {**old.features, **new.features}
        if column != "label" and old.features.get(column) != new.features.get(column)
    ]
    if others:
        yield Level.MAJOR, f"{name}: other columns or types ({', '.join(others)})"
    if old.prompts != new.prompts:
        yield Level.MAJOR, f"{name}: the LLM is asked in other words"
    if set(old.files.values()) != set(new.files.values()):
        yield from _rows(name, old, new)


def _labels(name: str, old: Configuration, new: Configuration) -> Iterator[_Difference]:
    if old.labels == new.labels:
        return
    gone = [label for label in old.labels if label not in new.labels]
    come = [label for label in new.labels if label not in old.labels]
    parts = [f"without {', '.join(gone)}"] if gone else []
    parts += [f"with {', '.join(come)}"] if come else []
    yield Level.MAJOR, f"{name}: labels changed ({'; '.join(parts) or 'another order'})"


def _rows(name: str, old: Configuration, new: Configuration) -> Iterator[_Difference]:
    before, after = old.read_rows(), new.read_rows()
    added = len(after.keys() - before.keys())
    removed = len(before.keys() - after.keys())
    # Columns that are not the same are a reason of their own; every row would differ.
    comparable = list(old.features) == list(new.features)
    changed = sum(before[i] != after[i] for i in before.keys() & after.keys()) if comparable else 0
    counts = {"added": added, "removed": removed, "changed": changed}
    if not any(counts.values()):
        return
    said = ", ".join(f"{n} {what}" for what, n in counts.items() if n)
    level = Level.MINOR if removed or changed else Level.PATCH
    yield level, f"{name}: rows {said} ({len(after)} now)"
