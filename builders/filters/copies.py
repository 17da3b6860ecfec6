"""When one text is a copy of another, verbatim or nearly so.

The exact Jaccard index of their sets of shingles decides: no text is called a copy by chance, none
is missed, and the outcome is the same every time.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from builders.filters.shingles import jaccard, shingles
from builders.normalisation import comparison_key

if TYPE_CHECKING:
    from builders.filters.overlap import Postings, Probe

THRESHOLD = 0.7
"""Least Jaccard index of a near copy.

Measured on 11,600 texts written for eleven tasks, against 28,000 real test texts and the examples
shown: every pair from 0.56 up is the same text but for a few words, save for one set phrase of
financial reports with other figures (0.74). Below that stand pairs that share a pattern, such as
two catalogue entries for galaxies. 0.7 keeps clear of these, at the price of the freest retellings.
"""

CONTAINED_WORDS = 8
"""Least words of a text that counts as copied when it stands whole inside another."""

_TABLE = 4_000_000
"""Characters of the texts of one table, which bounds the memory that making it takes."""


class CopyIndex:
    """Known texts, and whether another text is a copy of one of them.

    Args:
        texts: The first known texts.
        threshold: Least Jaccard index of a near copy.
        contained: Also call a text a copy that holds a known text word for word, or stands in one,
            where the shorter of the two has `CONTAINED_WORDS` words or more.
    """

    def __init__(
        self, texts: Iterable[str] = (), *, threshold: float = THRESHOLD, contained: bool = False
    ) -> None:
        # Loaded here, with NumPy behind it, so that importing the package stays cheap.
        from builders.filters.overlap import FixedPostings, GrowingPostings

        self._threshold = threshold
        self._contained = contained
        self._keys: list[str] = []
        self._known: set[str] = set()
        self._openings: dict[str, list[str]] = {}
        for text in texts:
            self._learn(comparison_key(text))
        # The postings, each with the number of its first text.
        self._postings: list[tuple[int, Postings]] = [
            (tables.start, FixedPostings(self._keys[tables.start : tables.stop]))
            for tables in self._tables()
        ]
        self._growing = GrowingPostings()
        self._postings.append((len(self._keys), self._growing))

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, text: str) -> None:
        """Make `text` known."""
        key = comparison_key(text)
        if self._learn(key):
            self._growing.add(_probe(key, self._threshold))

    def copy_of(self, text: str) -> str | None:
        """Return the comparison key of the first known text that `text` copies, or None."""
        if not self._keys:
            return None
        key = comparison_key(text)
        if key in self._known:
            return key
        return self._near(key) or self._held_in(key)

    def _learn(self, key: str) -> bool:
        """Keep a text; False if it is known already."""
        if key in self._known:
            return False
        self._known.add(key)
        self._keys.append(key)
        words = key.split()
        if self._contained and len(words) >= CONTAINED_WORDS:
            self._openings.setdefault(" ".join(words[:CONTAINED_WORDS]), []).append(key)
        return True

    def _tables(self) -> Iterator[range]:
        """Yield the numbers of the texts of each table."""
        start = size = 0
        for number, key in enumerate(self._keys, 1):
            size += len(key)
            if size >= _TABLE or number == len(self._keys):
                yield range(start, number)
                start, size = number, 0

    def _near(self, key: str) -> str | None:
        probe = _probe(key, self._threshold)
        for first, postings in self._postings:
            for place in postings.candidates(probe):
                known = self._keys[first + place]
                if jaccard(probe.shingles, shingles(known)) >= self._threshold:
                    return known
                # What stands in a text has no shingle that is not in it: it is a candidate.
                if self._contained and _is_excerpt(key, known):
                    return known
        return None

    def _held_in(self, key: str) -> str | None:
        if not self._openings:
            return None
        # A key has single spaces: word n starts one after the n-th of them.
        starts = [0, *(i + 1 for i, character in enumerate(key) if character == " ")]
        ends = [*(start - 1 for start in starts[1:]), len(key)]
        for start, end in zip(starts, ends[CONTAINED_WORDS - 1 :], strict=False):
            for known in self._openings.get(key[start:end], ()):
                if f"{key[start:]} ".startswith(f"{known} "):
                    return known
        return None


def _is_excerpt(key: str, known: str) -> bool:
    """Say whether `key` stands in `known` word for word, and is long enough to be copied."""
    return key.count(" ") >= CONTAINED_WORDS - 1 and f" {key} " in f" {known} "


@lru_cache(maxsize=8)
def _probe(key: str, threshold: float) -> "Probe":
    """Return the probe of a text; several indexes are asked about one text, one after another."""
    from builders.filters.overlap import Probe

    return Probe.of(key, threshold)
