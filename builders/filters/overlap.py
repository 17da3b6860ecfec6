"""Which known texts share so many shingles with another that they may be near copies of it.

Two sets with a Jaccard index of t share at least t of the shingles of either. So of any selection
that leaves out fewer than that, some are shared: the prefix filter (Chaudhuri, Ganti and Kaushik,
"A Primitive Operator for Similarity Joins in Data Cleaning", ICDE 2006; Xiao et al., "Efficient
Similarity Joins for Near-Duplicate Detection", ACM TODS 36(3), 2011). Selected are the shingles
that the fewest known texts have, and some more than needed, so that a near copy shares several of
them and hardly another text does. No near copy is missed; the exact index refuses the others.

Shingles are held as numbers of 32 bits. Two that become one number make a text look smaller, which
is allowed for, or more like another, which the exact index refuses.
"""

import math
from abc import ABC, abstractmethod
from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from builders.filters.shingles import SHINGLE, shingles

_SPARE = 0.1
"""Of a text's shingles, what is selected beyond the least: more shingles, fewer candidates."""

_TINY = 1e-9
"""What rounding adds to a share of a whole number."""

# One odd 32-bit factor for each place of a shingle. Python's own hash of a string would differ from
# process to process.
_FACTORS = (0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35, 0x27D4EB2F, 0x165667B1)

_PER_SLOT = 4
"""Entries of a table for each of its slots: most slots then hold one shingle or none."""


@dataclass(frozen=True)
class Probe:
    """What is looked for in known texts on behalf of another text.

    Attributes:
        shingles: Of the other text.
        numbers: Their numbers, each once.
        selected: So many of these are looked for, whichever.
        least: So many of those a near copy has.
    """

    shingles: set[str]
    numbers: npt.NDArray[np.uint32]
    selected: int
    least: int

    @classmethod
    def of(cls, key: str, threshold: float) -> "Probe":
        """Return the probe of a text for texts with a Jaccard index of `threshold` or more."""
        own, numbers = shingles(key), np.unique(_numbers(key.ljust(SHINGLE)))
        merged = len(own) - len(numbers)
        shared = max(1, math.ceil(threshold * len(own) - _TINY) - merged)
        least = min(shared, 1 + int(_SPARE * len(own)))
        return cls(own, numbers, len(numbers) - shared + least, least)


class Postings(ABC):
    """Known texts by their shingles."""

    @abstractmethod
    def candidates(self, probe: Probe) -> list[int]:
        """Return, in order, the places of the texts that may be near copies: all that are, too."""


class GrowingPostings(Postings):
    """Takes in one text after another."""

    def __init__(self) -> None:
        # In arrays a place takes 4 bytes, and many of them are joined in one go.
        self._places: defaultdict[int, array[int]] = defaultdict(lambda: array("i"))
        self._texts = 0

    def add(self, probe: Probe) -> None:
        """Take in the text of `probe`."""
        for number in probe.numbers.tolist():
            self._places[number].append(self._texts)
        self._texts += 1

    def candidates(self, probe: Probe) -> list[int]:
        """Return, in order, the places of the texts that may be near copies."""
        known = [each for each in map(self._places.get, probe.numbers.tolist()) if each]
        selected = probe.selected - (len(probe.numbers) - len(known))  # no text has the unknown
        if selected < probe.least:
            return []
        known.sort(key=len)
        places = np.frombuffer(b"".join(known[:selected]), dtype=np.int32)
        return _frequent(places, probe.least)


class FixedPostings(Postings):
    """Many texts at once, in one sorted table: quick to make, and 4 bytes a shingle.

    Args:
        keys: The texts, at least one.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        padded = [key.ljust(SHINGLE) for key in keys]
        owners = np.repeat(np.arange(len(keys), dtype=np.uint32), [len(key) for key in padded])
        # Of all runs of characters those within one text, as pairs (number, text) in order.
        within = owners[: len(owners) - SHINGLE + 1] == owners[SHINGLE - 1 :]
        pairs = _numbers("".join(padded))[within].astype(np.uint64)
        pairs <<= np.uint64(32)
        pairs |= owners[: len(within)][within]
        pairs.sort()
        pairs = pairs[np.concatenate(([True], pairs[1:] != pairs[:-1]))]
        self._places = pairs.astype(np.uint32).view(np.int32)
        bits = max(1, (len(pairs) // _PER_SLOT).bit_length())
        self._shift = np.uint32(32 - bits)
        slots = np.bincount((pairs >> np.uint64(64 - bits)).astype(np.int64), minlength=2**bits)
        self._starts = np.concatenate(([0], np.cumsum(slots)))

    def candidates(self, probe: Probe) -> list[int]:
        """Return, in order, the places of the texts that may be near copies."""
        slots = probe.numbers >> self._shift
        starts, ends = self._starts[slots], self._starts[slots + 1]
        if probe.selected < len(slots):
            chosen = np.argpartition(ends - starts, probe.selected - 1)[: probe.selected]
            starts, ends = starts[chosen], ends[chosen]
        pairs = zip(starts.tolist(), ends.tolist(), strict=True)
        parts = [self._places[start:end] for start, end in pairs if start < end]
        if len(parts) < probe.least:
            return []
        return _frequent(np.concatenate(parts), probe.least)


def _frequent(places: npt.NDArray[np.int32], least: int) -> list[int]:
    """Return the places that occur `least` times or more."""
    found: list[int] = np.flatnonzero(np.bincount(places) >= least).tolist()
    return found


def _numbers(text: str) -> npt.NDArray[np.uint32]:
    """Return the number of every run of `SHINGLE` characters of `text`, all at once."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    count = len(codes) - SHINGLE + 1
    numbers = np.zeros(count, dtype=np.uint32)
    for place, factor in enumerate(_FACTORS):
        numbers += codes[place : place + count] * np.uint32(factor)
    return numbers
