"""Ways to spend one LLM compared: at how many written texts labelled ones are matched."""

from dataclasses import dataclass

from builders.annotation import LabellingRecord
from builders.facts import CorpusRecord
from builders.token_use import texts_at_equal_cost

NEARLY = 0.9
"""The share of the written texts wanted that is still compared, where a corpus has no more."""


@dataclass(frozen=True)
class Matched:
    """Sizes of a corpus that match so many labelled real texts.

    Attributes:
        number: Written texts of each label, as many in all as were labelled (rounded down), or
            all there are where these are nearly so many; None where the corpus has fewer.
        cost: Written texts of each label that cost what the labelling cost, in the same way; None
            where the corpus has fewer, or where that is less than one.
    """

    number: int | None
    cost: int | None

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes that there are, ascending, each once."""
        return tuple(sorted({n for n in (self.number, self.cost) if n is not None}))


def matched_sizes(labelling: LabellingRecord, corpus: CorpusRecord) -> Matched:
    """Return the sizes at which a corpus is compared with labelled texts.

    Costs are those of `builders.token_use`: estimated where servers did not count tokens, an answer
    token at four times a prompt token, as prices go.

    A corpus that misses a few texts, `NEARLY` so many at least, is compared as it is.

    Args:
        labelling: What labelling gave; at least one text was labelled.
        corpus: What writing gave; at least one text was kept.
    """
    n_labels, most = len(corpus.kept), min(corpus.kept.values())
    written = corpus.use.per_text(sum(corpus.kept.values()))
    labelled = labelling.use.per_text(labelling.labelled)
    affordable = texts_at_equal_cost(labelling.labelled, labelled, written)
    number, cost = (int(n // n_labels) for n in (labelling.labelled, affordable))
    return Matched(*(_had(n, most) for n in (number, cost)))


def _had(wanted: int, most: int) -> int | None:
    """Return how many texts of each label stand for so many, None where too few are there."""
    had = min(wanted, most)
    return had if had > 0 and had >= NEARLY * wanted else None
