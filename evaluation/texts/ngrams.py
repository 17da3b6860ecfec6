"""N-grams of many texts as numbers, so that counting them is sorting."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.texts.words import tokens

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class TokenNumbers:
    """The tokens of n texts, end to end.

    Attributes:
        numbers: Equal tokens have equal numbers (all tokens,), from 0.
        lengths: Tokens of each text (n,).
        known: The token of each number.
    """

    numbers: Ints
    lengths: Ints
    known: tuple[str, ...]

    @classmethod
    def of(cls, texts: Sequence[str], split: Callable[[str], list[str]] = tokens) -> "TokenNumbers":
        """Split texts and number what they are split into."""
        known: dict[str, int] = {}
        numbers: list[int] = []
        lengths = []
        for text in texts:
            found = split(text)
            lengths.append(len(found))
            numbers += [known.setdefault(each, len(known)) for each in found]
        return cls(
            np.array(numbers, dtype=np.int64), np.array(lengths, dtype=np.int64), tuple(known)
        )

    @property
    def text_of(self) -> Ints:
        """The text that each token is in (all tokens,)."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)


@dataclass(frozen=True)
class NGrams:
    """The n-grams of one order, one entry for each place where one stands.

    Attributes:
        order: Tokens of each.
        numbers: Equal n-grams have equal numbers (places,), from 0.
        text_of: The text that each is in (places,).
    """

    order: int
    numbers: Ints
    text_of: Ints


def ngrams(
    texts: TokenNumbers, longest: int, *, found_in: NDArray[np.bool_] | None = None
) -> Iterator[NGrams]:
    """Yield the n-grams of orders 1 to `longest`.

    An n-gram's number is that of the pair of its first n - 1 tokens, numbered before, and its last.

    Args:
        texts: The texts (n).
        longest: The last order.
        found_in: Marks some texts (n,); n-grams that occur in none of them are left out.
    """
    text_of = texts.text_of
    ends = np.cumsum(texts.lengths)[text_of]
    size = len(texts.known)
    starts: Ints = np.arange(len(text_of))
    keys = texts.numbers
    for order in range(1, longest + 1):
        if found_in is None:
            numbers: NDArray[Any] = np.unique(keys, return_inverse=True)[1]
        else:
            known = np.unique(keys[found_in[text_of[starts]]])
            numbers = np.searchsorted(known, keys)
            kept = np.append(known, -1)[numbers] == keys
            starts, numbers = starts[kept], numbers[kept]
        yield NGrams(order, numbers, text_of[starts])
        # An n-gram that was left out begins none of those kept.
        longer = starts + order < ends[starts]
        starts = starts[longer]
        keys = numbers[longer] * size + texts.numbers[starts + order]
