"""Groups of arms by one name, and the arms that each stands for in a task."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from builders.strategies import STRATEGIES
from evaluation.arms import (
    GOLD_LABELLED,
    LLM,
    LLM_LABELLED,
    REAL,
    REAL_FULL,
    Kind,
    in_order,
    parse_arm,
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
    needed: set[str] = set()
    for name in asked:
        needed.update(STRATEGIES if name in GROUPS else parse_arm(name).strategies)
    return tuple(name for name in STRATEGIES if name in needed)


def needs_labels(asked: Iterable[str]) -> bool:
    """Say whether arms and groups need labels that the LLM gives to real texts."""
    named = {LLM_LABELLED, GOLD_LABELLED, LLM, str(Kind.ALTERNATIVE)}
    return not named.isdisjoint(asked)


def expanded(
    asked: Iterable[str],
    real: Mapping[str, int] | None,
    corpora: Mapping[str, Mapping[str, int]],
    compared: Mapping[str, Sequence[int]],
) -> tuple[str, ...]:
    """Return the arms that are asked for, each group as the arms that the data has texts for.

    Args:
        asked: Arms and groups.
        real: Label -> real training texts; None where there are none.
        corpora: Strategy -> label -> texts of its corpus.
        compared: Strategy -> texts of each label at which it is compared with labelled real texts.

    Returns:
        Arms in the order of the tables. An arm that was asked for by its own name is among them
        whether or not there are texts for it.
    """
    arms: list[str] = []
    for name in asked:
        match name:
            case Kind.MAIN:
                arms += MAIN
            case Kind.CURVE:
                arms += _curve(real, corpora)
            case Kind.MIXED:
                arms += _mixed(real, corpora)
            case Kind.ALTERNATIVE:
                arms += _alternatives(compared)
            case _:
                arms.append(name)
    return in_order(arms)


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


def _alternatives(compared: Mapping[str, Sequence[int]]) -> Iterator[str]:
    yield from (LLM_LABELLED, GOLD_LABELLED, LLM)
    for strategy, sizes in compared.items():
        yield from (f"{strategy}@{size}" for size in sizes)
