"""How the report writes numbers, ranges and lists of names."""

import unicodedata
from collections.abc import Iterable, Sequence

from evaluation.uncertainty.scores import Interval

# Marks that turn the direction of the text that follows them: a name could rewrite its line.
_DIRECTION_MARKS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str) -> str:
    """Return `text` on one line, without control characters and marks of direction."""
    spaced = " ".join(text.split())
    return "".join(
        c
        for c in spaced
        if c not in _DIRECTION_MARKS and unicodedata.category(c) not in {"Cc", "Cs"}
    )


def hundredths(value: float) -> str:
    """Write a share or a difference of shares in percent or points, one decimal, no `-0.0`."""
    return f"{round(100 * value, 1) + 0.0:.1f}"


def spread(interval: Interval) -> str:
    """Write the ends of `interval` in percent or points: `80.9 to 85.2`."""
    return f"{hundredths(interval.low)} to {hundredths(interval.high)}"


def with_spread(interval: Interval) -> str:
    """Write value and ends of `interval` in percent or points: `83.1 (80.9 to 85.2)`."""
    return f"{hundredths(interval.value)} ({spread(interval)})"


def between(values: Iterable[int]) -> str:
    """Write whole numbers as one (`200`) where they agree, else as a range (`187 to 200`)."""
    ordered = sorted(set(values))
    if not ordered:
        return "none"
    low, high = ordered[0], ordered[-1]
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def number_of(n: int, noun: str) -> str:
    """Write a number of things: `1 run`, `1,024 runs`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def listed(names: Sequence[str]) -> str:
    """Join names as a sentence does: `a`, `a and b`, `a, b and c`."""
    *others, last = names or [""]
    return f"{', '.join(others)} and {last}" if others else last


def counted(counts: dict[str, int]) -> str:
    """Write counts by name: `near duplicate 12, too short 3`; zeros are left out."""
    return ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)
