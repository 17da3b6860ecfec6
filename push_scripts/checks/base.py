"""The contract of a check before a push; counting, and the report of all checks."""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, ClassVar

from builders.errors import UserError

NOT_CHECKED = "not checked"
"""In the place of a count where there was nothing to compare with."""

_SHOWN = 2
"""Characters of a finding that are printed; enough to find it, too few to use it."""

_LONGEST = 24
"""Characters of a masked finding at most."""


@dataclass(frozen=True)
class Finding:
    """One thing that should not stand in a published text.

    Attributes:
        kind: One of the check's kinds.
        masked: What was found, unreadable; empty where not even that may be shown.
    """

    kind: str
    masked: str = ""


class Check(ABC):
    """Looks for one sort of thing in the texts of a corpus.

    Attributes:
        name: As `--allow` names it.
        advice: What to do about findings, for the message that stops a push.
        hint: What every text with a finding matches, in the syntax of RE2, which looks through a
            column in one go: most texts do not match. None where any text may have a finding.
    """

    name: ClassVar[str]
    advice: str
    hint: ClassVar[str | None] = None

    @abstractmethod
    def kinds(self) -> dict[str, bool]:
        """Return what it looks for: kind -> whether there is what it needs to look for it."""

    def is_idle(self) -> bool:
        """Say whether no text at all can have a finding."""
        return False

    @abstractmethod
    def findings(self, text: str) -> Iterator[Finding]:
        """Yield what it finds in `text`."""


@dataclass(frozen=True)
class CheckReport:
    """What the checks found in one corpus.

    Attributes:
        counts: `CHECK: KIND` -> texts that hold one; without the kinds that were not checked.
        not_checked: `CHECK: KIND` for which there was nothing to compare with.
        problems: A line for each kind that stops the push.
        allowed: A line for each kind that was found and allowed.
        n_texts: Texts that were looked at.
    """

    counts: dict[str, int]
    not_checked: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    n_texts: int = 0

    def as_markdown(self) -> str:
        """Return a table for the card: a row a kind, with the count or `not checked`."""
        values = {name: str(count) for name, count in self.counts.items()}
        values |= dict.fromkeys(self.not_checked, NOT_CHECKED)
        rows = ["| looked for | texts that hold one |", "| --- | ---: |"]
        return "\n".join([*rows, *(f"| {_cell(name)} | {n} |" for name, n in values.items())])


def run_checks(
    checks: Sequence[Check],
    parts: Iterable[Any],
    allow: Collection[str],
    known: Sequence[str],
    what: str = "texts",
) -> CheckReport:
    """Run `checks` over texts.

    Args:
        checks: The checks.
        parts: The texts that would be published, part after part: strings, or arrays of Arrow.
        allow: Names of checks whose findings do not stop a push.
        known: Names of all checks there are, of which `checks` may be some.
        what: What the texts are, for the lines of the report.

    Raises:
        UserError: `allow` names no check.
    """
    for name in allow:
        if name not in known:
            raise UserError(f"--allow {name}: is no check; the checks are {', '.join(known)}")
    found, n_texts = _found(checks, parts)
    counts: dict[str, int] = {}
    unchecked: list[str] = []
    lines: dict[bool, list[str]] = {False: [], True: []}
    for check in checks:
        for kind, able in check.kinds().items():
            rows = found[check.name, kind]
            if not able:
                unchecked.append(f"{check.name}: {kind}")
                continue
            counts[f"{check.name}: {kind}"] = len(rows)
            if rows:
                lines[check.name in allow].append(_line(check, kind, rows, f"{n_texts} {what}"))
    return CheckReport(counts, tuple(unchecked), lines[False], lines[True], n_texts)


def masked(found: str) -> str:
    """Return `found` with all but its first characters made unreadable."""
    hidden = re.sub(r"\w", "*", found[_SHOWN:_LONGEST])
    return f"{found[:_SHOWN]}{hidden}{'...' if len(found) > _LONGEST else ''}"


_Found = dict[tuple[str, str], dict[int, str]]
"""Check and kind -> row -> the first finding in that row, masked."""


def _found(checks: Sequence[Check], parts: Iterable[Any]) -> tuple[_Found, int]:
    """Return what is found in all parts, and how many texts they have."""
    found: _Found = {(check.name, kind): {} for check in checks for kind in check.kinds()}
    busy = [check for check in checks if not check.is_idle()]
    first = 0
    for part in _read_ahead(parts):
        for check, row, text in _looked_at(busy, part):
            for each in check.findings(text):
                found[check.name, each.kind].setdefault(first + row, each.masked)
        first += len(part)
    return found, first


def _read_ahead(parts: Iterable[Any]) -> Iterator[Any]:
    """Yield the parts, while the one after is read on another core: Arrow does it beside Python."""
    rest = iter(parts)
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, rest, None)
        while (part := coming.result()) is not None:
            coming = pool.submit(next, rest, None)
            yield part


def _looked_at(checks: Sequence[Check], part: Any) -> Iterator[tuple[Check, int, str]]:
    """Yield the texts that a check has to look at, with their rows within the part."""
    import pyarrow
    from pyarrow import compute

    texts = part if isinstance(part, pyarrow.Array) else pyarrow.array(part, pyarrow.string())
    # One search for all that is hinted at; what each check wants is looked for in what is found.
    any_hint = compute.match_substring_regex(texts, "|".join(c.hint for c in checks if c.hint))
    rows, hinted = compute.indices_nonzero(any_hint), texts.filter(any_hint)
    for check in checks:
        if check.hint is None:
            yield from ((check, row, text) for row, text in enumerate(texts.to_pylist()))
        else:
            own = compute.match_substring_regex(hinted, check.hint)
            pairs = zip(rows.filter(own).to_pylist(), hinted.filter(own).to_pylist(), strict=True)
            yield from ((check, row, text) for row, text in pairs)


def _line(check: Check, kind: str, rows: dict[int, str], of: str) -> str:
    row, shown = next(iter(rows.items()))
    example = f"row {row}: {shown}" if shown else f"row {row}"
    return f"{check.name}: {kind} in {len(rows)} of {of} (first in {example}); {check.advice}"


def _cell(value: str) -> str:
    """Escape text for a cell of a Markdown table."""
    return re.sub(r"([\\`*_\[\]<>|#&~$!])", r"\\\1", " ".join(value.split()))
