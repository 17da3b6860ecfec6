"""The words in which a recipe says what to train on and what to watch.

    synthetic                   every text of the corpus
    synthetic:200-per-label     of each label 200, drawn by the seed
    real:100-per-label:2.0      of each label 100 real training texts, each counting twice

After the source, in any order, an amount `N-per-label` and a weight, a number. `--train` takes one
or two of them. `--validation` takes `none`, a share such as `0.1` of what is trained on, or real
texts: `real`, `real:20-per-label`.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from builders.errors import UserError

Source = Literal["synthetic", "real"]
SYNTHETIC: Source = "synthetic"
REAL: Source = "real"
_SOURCES = (SYNTHETIC, REAL)
_AMOUNT = re.compile(r"([0-9]+)-per-label")
_HEAVIEST = 1e6
_FORM = "SOURCE[:N-per-label][:WEIGHT], such as synthetic:1.0 or real:100-per-label"


@dataclass(frozen=True)
class Part:
    """A part of what is trained on.

    Attributes:
        source: Where its texts are from.
        per_label: Texts of each label at most; None for all.
        weight: How much each of its texts counts beside those of other parts, 1e-6 to 1e6.
    """

    source: Source
    per_label: int | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class Validation:
    """What training is watched on: a share of the training texts, or real texts.

    Attributes:
        share: Share of the training texts that is held out, above 0 and below 1; 0 for real texts.
        per_label: Real texts of each label at most; None for all.
    """

    share: float = 0.0
    per_label: int | None = None


def parse_train(words: Sequence[str]) -> tuple[Part, ...]:
    """Read the words of `--train`.

    Raises:
        UserError: A word is none of them, or a source is named twice.
    """
    parts = tuple(_part(word, "--train") for word in words)
    sources = [part.source for part in parts]
    if not parts:
        raise UserError(f"--train: is empty; give {_FORM}")
    if twice := next((source for source in sources if sources.count(source) > 1), None):
        raise UserError(f"--train: {twice} stands twice; name each source once")
    return parts


def parse_validation(word: str) -> Validation | None:
    """Read the word of `--validation`; None stands for none.

    Raises:
        UserError: It is none of them.
    """
    form = "give none, a share of the training texts such as 0.1, or real:20-per-label"
    if word == "none":
        return None
    if word.partition(":")[0] == REAL:
        part = _part(word, "--validation")
        if part.weight != 1.0:
            raise UserError(f"--validation {word}: has no weight, as nothing is trained on it")
        return Validation(per_label=part.per_label)
    share = _number(word)
    if share is None or not 0 < share < 1:
        raise UserError(f"--validation {word}: {form}")
    return Validation(share=share)


def _part(word: str, option: str) -> Part:
    source, *rest = word.split(":")
    if source not in _SOURCES:
        raise UserError(f"{option} {word}: unknown source {source!r}; give {_FORM}")
    amounts = [int(found[1]) for each in rest if (found := _AMOUNT.fullmatch(each))]
    others = [each for each in rest if not _AMOUNT.fullmatch(each)]
    weights = [_number(each) for each in others]
    if len(amounts) > 1 or len(weights) > 1 or None in weights:
        raise UserError(f"{option} {word}: cannot be read; give {_FORM}")
    weight = weights[0] if weights else 1.0
    if weight is None or weight <= 0:
        raise UserError(
            f"{option} {word}: a weight is above 0; leave out a source that is not to count"
        )
    if not 1 / _HEAVIEST <= weight <= _HEAVIEST:
        raise UserError(
            f"{option} {word}: a weight lies between 1e-6 and 1e6, so that it can be computed with"
        )
    if 0 in amounts:
        raise UserError(f"{option} {word}: give at least 1 text a label, or leave the source out")
    return Part(source, amounts[0] if amounts else None, weight)


def _number(word: str) -> float | None:
    try:
        value = float(word)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
