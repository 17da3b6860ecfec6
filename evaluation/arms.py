"""What a classifier is trained on: an arm, and what its name says.

real              as many real texts of each label as the synthetic arms have
real@50           50 real texts of each label
real_full         all real training texts
zero_shot         a synthetic corpus; few_shot is another, one for each strategy
few_shot@100      100 of its texts of each label
few_shot+real@50  a corpus and 50 real texts of each label together
llm_labelled      real texts in their natural mix, with the labels that the LLM gave them
gold_labelled     the same texts with their own labels
llm               no training: the LLM itself classifies
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from builders.errors import UserError
from builders.strategies import STRATEGIES
from builders.tasks.mistakes import closest

REAL, REAL_FULL = "real", "real_full"
LLM_LABELLED, GOLD_LABELLED, LLM = "llm_labelled", "gold_labelled", "llm"

_SIZED = (REAL, *STRATEGIES)
_SOURCES = (REAL, REAL_FULL, *STRATEGIES, LLM_LABELLED, GOLD_LABELLED, LLM)
_FORMS = (
    f"{', '.join(_SOURCES)}; {REAL}@N or STRATEGY@N for N texts of each label; "
    f"STRATEGY+{REAL}@N for both together"
)


class Kind(StrEnum):
    """What an arm is for; tables and figures show one kind each."""

    MAIN = "main"
    """Real and synthetic texts at equal size, and all real texts."""
    CURVE = "curve"
    """One source at a given number of texts."""
    MIXED = "mixed"
    """A corpus and some real texts."""
    ALTERNATIVE = "alternatives"
    """Other ways to use the LLM: it labels real texts, or classifies."""


@dataclass(frozen=True)
class Part:
    """Texts of one source.

    Attributes:
        source: `real`, a strategy, ...
        per_label: Texts of each label; None for as many as the source or the study says.
    """

    source: str
    per_label: int | None = None

    @property
    def name(self) -> str:
        """As an arm's name has it."""
        return self.source if self.per_label is None else f"{self.source}@{self.per_label}"


@dataclass(frozen=True)
class Arm:
    """What a classifier is trained on.

    Attributes:
        parts: Its sources, a corpus before the real texts.
    """

    parts: tuple[Part, ...]

    @property
    def name(self) -> str:
        """The arm's name; `parse_arm` reads it back."""
        return "+".join(part.name for part in self.parts)

    @cached_property
    def kind(self) -> Kind:
        """What it is for."""
        if len(self.parts) > 1:
            return Kind.MIXED
        source = self.parts[0].source
        if source in (LLM_LABELLED, GOLD_LABELLED, LLM):
            return Kind.ALTERNATIVE
        return Kind.MAIN if self.parts[0].per_label is None else Kind.CURVE

    @property
    def strategies(self) -> tuple[str, ...]:
        """The strategies whose corpora it needs."""
        return tuple(part.source for part in self.parts if part.source in STRATEGIES)

    @property
    def synthetic(self) -> bool:
        """Whether it has texts that an LLM wrote, and no others."""
        return all(part.source in STRATEGIES for part in self.parts)

    @property
    def all_real(self) -> bool:
        """Whether all its texts are real and bear their own labels."""
        return all(part.source in (REAL, REAL_FULL, GOLD_LABELLED) for part in self.parts)


def parse_arm(name: str, option: str = "--arms") -> Arm:
    """Read an arm's name.

    Args:
        name: The name.
        option: How the message names where it was given.

    Raises:
        UserError: It is none.
    """
    parts = tuple(_parse_part(part, name, option) for part in name.split("+"))
    if len(parts) > 1:
        synthetic, *real = parts
        right = synthetic.source in STRATEGIES and synthetic.per_label is None
        if not (right and len(real) == 1 and real[0].source == REAL and real[0].per_label):
            raise _unknown(name, option)
    return Arm(parts)


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Return arms in the order of the tables, each once."""
    return tuple(sorted(dict.fromkeys(names), key=_place))


def _parse_part(text: str, name: str, option: str) -> Part:
    source, at, number = text.partition("@")
    if source not in _SOURCES:
        raise _unknown(name, option)
    if not at:
        return Part(source)
    # Nine digits: no source has more texts, and int() takes time beyond that.
    if source not in _SIZED or not (number.isdecimal() and number.isascii()) or len(number) > 9:
        raise _unknown(name, option)
    if number.startswith("0"):
        raise _unknown(name, option)
    return Part(source, int(number))


def _place(name: str) -> tuple[int, list[tuple[int, int]]]:
    arm = parse_arm(name)
    parts = [(_SOURCES.index(part.source), part.per_label or 0) for part in arm.parts]
    return list(Kind).index(arm.kind), parts


def _unknown(name: str, option: str) -> UserError:
    near = closest(name, _SOURCES)
    meant = f"did you mean {near}? " if near else ""
    return UserError(f"{option}: unknown arm {name!r}; {meant}use {_FORMS}")
