"""Groups of arms by one name, and the arms that each stands for in a task."""

from collections.abc import Iterable, Iterator, Mapping

from builders.strategies import STRATEGIES
from evaluation.arms import (
    GOLD_LABELLED,
    LLM,
    LLM_LABELLED,
    REAL,
    REAL_FULL,
    Kind,
    in_order,
)

GROUPS = tuple(str(kind) for kind in Kind)
"""Names that stand for several arms; `all` stands for all of these."""

MAIN = (REAL, REAL_FULL, *STRATEGIES)

CURVE_SIZES = (5, 10, 25, 50, 100, 200, 400, 800, 1600)
"""Texts of each label at which the curves are taken, as far as there are so many."""

MIXED_SIZES = (10, 50, 100, 200)
"""Real texts of each label that a corpus is mixed with."""


def strategies_of(asked: Iterable[str]) -> tuple[str, ...]:
    """Return the strategies whose corpora arms and groups need, in the order of the tables."""
    from evaluation.arms import parse_arm

    needed: set[str] = set()
    for name in asked:
        needed.update(STRATEGIES if name in GROUPS else parse_arm(name).strategies)
    return tuple(name for name in STRATEGIES if name in needed)


def expanded(
    asked: Iterable[str],
    real: Mapping[str, int] | None,
    corpora: Mapping[str, Mapping[str, int]],
) -> tuple[str, ...]:
    """Return the arms that are asked for, each group as the arms that the data has texts for.

    Args:
        asked: Arms and groups.
        real: Label -> real training texts; None where there are none.
        corpora: Strategy -> label -> texts of its corpus.

    Returns:
        Arms in the order of the tables. An arm that was asked for by its own name is among them
        whether or not there are texts for it.
    """
    arms: list[str] = []
    for name in asked:
        arms += _GROUPED[name](real, corpora) if name in GROUPS else [name]
    return in_order(arms)


def _main(
    real: Mapping[str, int] | None, corpora: Mapping[str, Mapping[str, int]]
) -> Iterator[str]:
    del real, corpora
    yield from MAIN


def _curve(
    real: Mapping[str, int] | None, corpora: Mapping[str, Mapping[str, int]]
) -> Iterator[str]:
    if real is None:
        return  # a corpus that is scored on another corpus has no curve worth a look
    for source, counts in {REAL: real, **corpora}.items():
        for size in CURVE_SIZES:
            if size <= min(counts.values(), default=0):
                yield f"{source}@{size}"


def _mixed(
    real: Mapping[str, int] | None, corpora: Mapping[str, Mapping[str, int]]
) -> Iterator[str]:
    for strategy in corpora:
        for size in MIXED_SIZES:
            if size <= min((real or {}).values(), default=0):
                yield f"{strategy}+{REAL}@{size}"


def _alternatives(
    real: Mapping[str, int] | None, corpora: Mapping[str, Mapping[str, int]]
) -> Iterator[str]:
    del real, corpora
    yield from (LLM_LABELLED, GOLD_LABELLED, LLM)


_GROUPED = {
    str(Kind.MAIN): _main,
    str(Kind.CURVE): _curve,
    str(Kind.MIXED): _mixed,
    str(Kind.ALTERNATIVE): _alternatives,
}
