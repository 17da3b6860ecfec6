"""Votes of annotators on texts: how far they agree, and which label the majority gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.data import LabelledTexts
from builders.normalisation import comparison_key
from evaluation.subjectivity.reliability import fleiss_kappa, krippendorff_alpha
from evaluation.undefined import Undefined

Agreement = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Votes:
    """Texts that were voted on.

    Attributes:
        ids: Name of each text.
        texts: The texts.
        label_names: The task's labels, in the order of the class indices.
        values: What could be voted for: the labels, then what counts as a vote only.
        counts: Votes of each text for each value (n, n_values).
        gold: True label index of each text (n,), or None where the majority stands for it.
        left_out: Reason -> rows or votes of the file that are not here.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    label_names: tuple[str, ...]
    values: tuple[str, ...]
    counts: NDArray[np.int64]
    gold: NDArray[np.int64] | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def agreement(self) -> Agreement:
        r"""How far the annotators of each text agree (n,), from 0 to 1.

        $a_i = \max_{y \in Y} \frac{1}{K_i} \sum_k 1(r_i^k = y)$ (Li et al. 2023, section 5.1), with
        Y the task's labels and $K_i$ all votes on text i, those for another value included.
        """
        labels = self.counts[:, : len(self.label_names)]
        shares: Agreement = labels.max(axis=1) / self.counts.sum(axis=1)
        return shares


@dataclass(frozen=True)
class RatedTexts:
    """Texts with a label, and how far their annotators agreed.

    Attributes:
        texts: The texts with their label: gold, or the majority's.
        agreement: Of each text (n,), 0 to 1: the share of votes for the most frequent label, or
            where only bins of agreement are known, the least share of its bin.
        left_out: Reason -> how many rows, texts or votes are not here.
    """

    texts: LabelledTexts
    agreement: Agreement
    left_out: Mapping[str, int]

    def without(self, others: LabelledTexts) -> "RatedTexts":
        """Leave out, and count, the texts that `others` holds too, case and punctuation ignored."""
        known = {comparison_key(text) for text in others.texts}
        kept = [i for i, t in enumerate(self.texts.texts) if comparison_key(t) not in known]
        return RatedTexts(
            self.texts.select(kept),
            self.agreement[kept],
            _counted(self.left_out, "texts of the training set", len(self.texts) - len(kept)),
        )


@dataclass(frozen=True)
class VoteSummary:
    """A row of the paper's Table 2.

    Attributes:
        n: Texts.
        votes: Mean number of votes a text.
        fewest: Votes of the text that has the fewest.
        most: Votes of the text that has the most.
        agreement: Mean over texts of a_i.
        unanimous: Texts whose votes are all for one label.
        alpha: Krippendorff's alpha.
        kappa: Fleiss' kappa.
    """

    n: int
    votes: float | Undefined
    fewest: int
    most: int
    agreement: float | Undefined
    unanimous: int
    alpha: float | Undefined
    kappa: float | Undefined


def summarise(votes: Votes) -> VoteSummary:
    """Summarise all texts, those without a majority included."""
    n = len(votes.texts)
    each = votes.counts.sum(axis=1)
    none = Undefined("no text has enough votes")
    return VoteSummary(
        n=n,
        votes=float(each.mean()) if n else none,
        fewest=int(each.min()) if n else 0,
        most=int(each.max()) if n else 0,
        agreement=float(votes.agreement.mean()) if n else none,
        unanimous=int((votes.agreement == 1).sum()),
        alpha=krippendorff_alpha(votes.counts),
        kappa=fleiss_kappa(votes.counts),
    )


def rate(votes: Votes) -> RatedTexts:
    """Give each text its label: gold, or the one that most annotators voted for.

    Without gold labels, texts whose most frequent vote is shared by two values are left out and
    counted, and so are those whose most frequent vote is no label of the task.
    """
    rated = RatedTexts(_labelled(votes), votes.agreement, votes.left_out)
    if votes.gold is not None:
        return rated
    top = votes.counts.max(axis=1, keepdims=True)
    tied = (votes.counts == top).sum(axis=1) > 1
    other = ~tied & (votes.counts.argmax(axis=1) >= len(votes.label_names))
    kept = np.flatnonzero(~tied & ~other)
    left_out = _counted(rated.left_out, "texts without a majority (a tie)", int(tied.sum()))
    left_out = _counted(left_out, "texts whose majority is no label of the task", int(other.sum()))
    return replace(
        rated,
        texts=rated.texts.select([int(i) for i in kept]),
        agreement=rated.agreement[kept],
        left_out=left_out,
    )


def _labelled(votes: Votes) -> LabelledTexts:
    labels = votes.gold
    if labels is None:
        labels = votes.counts[:, : len(votes.label_names)].argmax(axis=1)
    indices = tuple(int(label) for label in labels)
    return LabelledTexts(votes.texts, indices, votes.label_names, votes.ids)


def _counted(counts: Mapping[str, int], reason: str, n: int) -> dict[str, int]:
    """Add `n` to `counts` under `reason`; nothing where there is nothing to say."""
    return dict(counts) if not n else {**counts, reason: counts.get(reason, 0) + n}
