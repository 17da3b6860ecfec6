"""The shingles of a text, its runs of a few characters, and how alike two sets of them are."""

SHINGLE = 5
"""Characters of a shingle; short enough that one changed word leaves most of a short text alike."""


def shingles(key: str) -> set[str]:
    """Return the runs of `SHINGLE` characters of `key`; a shorter key is its own only shingle."""
    return {key[i : i + SHINGLE] for i in range(max(1, len(key) - SHINGLE + 1))}


def jaccard(one: set[str], other: set[str]) -> float:
    """Return the Jaccard index of two sets that are not empty: shared over all, 0 to 1."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)
