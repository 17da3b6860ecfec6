"""The contract of a check before a push; counting, and the report of all checks."""

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
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
    advice: ClassVar[str]
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


def run_checks(checks: Sequence[Check], texts: Any, allow: Collection[str]) -> CheckReport:
    """Run `checks` over `texts`.

    Args:
        checks: The checks.
        texts: The texts that would be published: strings, or a column of Arrow.
        allow: Names of checks whose findings do not stop a push.

    Raises:
        UserError: `allow` names no check.
    """
    names = [check.name for check in checks]
    for name in allow:
        if name not in names:
            raise UserError(f"--allow {name}: is no check; the checks are {', '.join(names)}")
    counts: dict[str, int] = {}
    unchecked: list[str] = []
    lines: dict[bool, list[str]] = {False: [], True: []}
    column = _column(texts)
    hinted = _Hinted.of(column, "|".join(check.hint for check in checks if check.hint))
    for check in checks:
        found = _found(check, column, hinted)
        for kind, able in check.kinds().items():
            if not able:
                unchecked.append(f"{check.name}: {kind}")
                continue
            counts[f"{check.name}: {kind}"] = len(found[kind])
            if found[kind]:
                lines[check.name in allow].append(_line(check, kind, found[kind], len(texts)))
    return CheckReport(counts, tuple(unchecked), lines[False], lines[True], len(texts))


@dataclass(frozen=True)
class _Hinted:
    """Texts of a column with the numbers of their rows."""

    rows: Any
    texts: Any

    @classmethod
    def of(cls, texts: Any, pattern: str) -> "_Hinted":
        """Return those of all `texts` that match `pattern`."""
        from pyarrow import compute

        mask = compute.match_substring_regex(texts, pattern)
        return cls(compute.indices_nonzero(mask), texts.filter(mask))

    def matching(self, pattern: str) -> Iterator[tuple[int, str]]:
        """Yield those of them that match `pattern` too."""
        from pyarrow import compute

        mask = compute.match_substring_regex(self.texts, pattern).combine_chunks()
        rows, texts = self.rows.filter(mask), self.texts.filter(mask)
        return zip(rows.to_pylist(), texts.to_pylist(), strict=True)


def _column(texts: Any) -> Any:
    import pyarrow

    if isinstance(texts, pyarrow.ChunkedArray):
        return texts
    return pyarrow.chunked_array([pyarrow.array(texts, pyarrow.large_string())])


def masked(found: str) -> str:
    """Return `found` with all but its first characters made unreadable."""
    hidden = re.sub(r"\w", "*", found[_SHOWN:_LONGEST])
    return f"{found[:_SHOWN]}{hidden}{'...' if len(found) > _LONGEST else ''}"


def _found(check: Check, column: Any, hinted: _Hinted) -> dict[str, dict[int, str]]:
    """Return kind -> row -> the first finding in that row, masked."""
    found: dict[str, dict[int, str]] = {kind: {} for kind in check.kinds()}
    if check.is_idle():
        return found
    hint = check.hint
    for row, text in hinted.matching(hint) if hint else enumerate(column.to_pylist()):
        for each in check.findings(text):
            found[each.kind].setdefault(row, each.masked)
    return found


def _line(check: Check, kind: str, rows: dict[int, str], n_texts: int) -> str:
    row, shown = next(iter(rows.items()))
    example = f"row {row}: {shown}" if shown else f"row {row}"
    return (
        f"{check.name}: {kind} in {len(rows)} of {n_texts} texts (first in {example}); "
        f"{check.advice}"
    )


def _cell(value: str) -> str:
    """Escape text for a cell of a Markdown table."""
    return re.sub(r"([\\`*_\[\]<>|#&~$!])", r"\\\1", " ".join(value.split()))
