"""Ways to spend one LLM compared: at how many written texts labelled ones are matched."""

from dataclasses import dataclass

from builders.annotation import LabellingRecord
from builders.facts import CorpusRecord
from builders.token_use import texts_at_equal_cost


@dataclass(frozen=True)
class Matched:
    """Sizes of a corpus that match so many labelled real texts.

    Attributes:
        number: Written texts of each label, as many in all as were labelled (rounded down); None
            where the corpus has fewer.
        cost: Written texts of each label that cost what the labelling cost (rounded down); None
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

    Args:
        labelling: What labelling gave; at least one text was labelled.
        corpus: What writing gave; at least one text was kept.
    """
    n_labels, most = len(corpus.kept), min(corpus.kept.values())
    written = corpus.use.per_text(sum(corpus.kept.values()))
    labelled = labelling.use.per_text(labelling.labelled)
    affordable = texts_at_equal_cost(labelling.labelled, labelled, written)
    number, cost = (int(n // n_labels) for n in (labelling.labelled, affordable))
    return Matched(*(n if 0 < n <= most else None for n in (number, cost)))
