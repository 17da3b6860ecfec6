"""What is asked of a labelling, and which texts that means."""

import random
from dataclasses import dataclass

from builders.data import LabelledTexts, Texts

TEXTS_PER_REQUEST = 25


@dataclass(frozen=True)
class LabelOrder:
    """What a user asks of a labelling.

    Attributes:
        split: What the texts are part of: `train`, `test`, or `texts` of a file.
        n: Texts to label, in their natural mix; None for all, of a recording all that it holds.
        texts_per_request: Texts of one request; None for 25, of a recording as it was made.
        most_words: Words of a text that are shown; None for 250, of a recording as it was made.
        seed: Draws the texts, and is sent along.
    """

    split: str = "train"
    n: int | None = None
    texts_per_request: int | None = None
    most_words: int | None = None
    seed: int = 0


def drawn_texts(pool: LabelledTexts | Texts, order: LabelOrder) -> LabelledTexts | Texts:
    """Return the texts that a live LLM is asked about, in that order.

    Uniformly drawn, so that labels are mixed as they are in the source, and in no order of theirs;
    with a larger `n` the same texts come first.
    """
    places = list(range(len(pool)))
    random.Random(f"{order.seed}/{order.split}").shuffle(places)
    return pool.select(places[: order.n])
