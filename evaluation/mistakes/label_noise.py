"""Which labels of a corpus look wrong: confident learning.

Northcutt, Jiang & Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels" (JAIR 70,
2021). It takes noise that depends on the label more than on the text, and a good classifier: what
the classifier gets wrong looks like noise. Simulated with four labels, 20,000 texts and 10 % of the
labels changed, it estimated 10 % and was right about 92 % of the texts it suspected where the
classifier was right on 96 % of them, 16 % and 59 % at 82 %, 45 % and 21 % at 56 %. So the noise is
a ceiling, and what is found is to be read, or to count less in training, not taken as proved.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# The mean of equal numbers may be rounded past them.
_ROUNDING = 1e-6
# The probabilities of a network in half precision still sum to 1 within this.
_SUM_TOLERANCE = 1e-2


@dataclass(frozen=True)
class LabelIssues:
    """The estimated label noise of n texts with k labels.

    Attributes:
        joint: Estimated shares (k, k) of texts by given label (row) and true label (column). They
            sum to 1, each row to the share of texts that are given its label.
        suspicious: Whether the label of each text looks wrong (n,).
        self_confidence: The probability that the classifier gives to each text's own label (n,).
    """

    joint: Floats
    suspicious: NDArray[np.bool_]
    self_confidence: Floats

    @property
    def noise(self) -> float:
        """Estimated share of all texts whose label is wrong, 0 to 1: a ceiling."""
        return float(self.joint.sum() - np.trace(self.joint))

    @property
    def noise_by_label(self) -> Floats:
        """Estimated share of wrong labels among the texts given each label (k,): a ceiling.

        NaN for a label that no text is given: it is undefined.
        """
        given = self.joint.sum(axis=1)
        shares: Floats = np.full(len(given), np.nan)
        np.divide(given - np.diagonal(self.joint), given, out=shares, where=given > 0)
        return shares

    @property
    def ranked(self) -> Ints:
        """Indices of the suspicious texts, the least self-confident first."""
        found = np.flatnonzero(self.suspicious)
        return found[np.argsort(self.self_confidence[found], kind="stable")]


def label_issues(labels: ArrayLike, probabilities: ArrayLike) -> LabelIssues:
    """Estimate which labels are wrong, from out-of-fold probabilities.

    A text counts as a confident one of label j where the classifier gives j at least the
    probability that it gives, on average, to texts labelled j; of several such j, as one of the
    most probable. Counted by given and confident label, each row scaled to the texts that are given
    its label, this is the joint distribution. Suspicious are, for every share off the diagonal, as
    many texts as it stands for, those in which the other label leads by most ("prune by noise
    rate"); a text whose own label is the most probable is not.

    Args:
        labels: The given label index of each text (n,).
        probabilities: What a classifier that did not see the text gives each label (n, k).

    Raises:
        ValueError: No texts, fewer than two labels among them, values that are not label indices,
            rows that are not probabilities, or all of them the same.
    """
    given, rows = _checked(labels, probabilities)
    own = rows[np.arange(len(given)), given]
    joint = _joint(given, rows, own)
    return LabelIssues(joint, _pruned_by_noise_rate(given, rows, own, joint), own)


def _joint(given: Ints, rows: Floats, own: Floats) -> Floats:
    n, k = rows.shape
    sizes = np.bincount(given, minlength=k)
    thresholds = np.full(k, np.inf)
    sums = np.bincount(given, weights=own, minlength=k)
    np.divide(sums, sizes, out=thresholds, where=sizes > 0)
    sure = np.where(rows >= thresholds - _ROUNDING, rows, -1.0)
    best = sure.max(axis=1)
    # The text's own label is believed where another is no more probable.
    confident = np.where(sure[np.arange(n), given] == best, given, sure.argmax(axis=1))
    counted = np.zeros((k, k))
    np.add.at(counted, (given[best >= 0], confident[best >= 0]), 1)
    # The most self-confident text of a label reaches its threshold: no row that counts is empty.
    scale: Floats = sizes / np.maximum(counted.sum(axis=1), 1) / n
    return counted * scale[:, None]


def _pruned_by_noise_rate(
    given: Ints, rows: Floats, own: Floats, joint: Floats
) -> NDArray[np.bool_]:
    suspicious = np.zeros(len(given), dtype=np.bool_)
    wrong = np.rint(joint * len(given)).astype(np.int64)
    np.fill_diagonal(wrong, 0)
    for label, other in zip(*np.nonzero(wrong), strict=True):
        texts = np.flatnonzero(given == label)
        lead = rows[texts, other] - own[texts]
        suspicious[texts[np.argsort(-lead, kind="stable")[: wrong[label, other]]]] = True
    suspicious &= own < rows.max(axis=1)
    return suspicious


def _checked(labels: ArrayLike, probabilities: ArrayLike) -> tuple[Ints, Floats]:
    given: NDArray[Any] = np.asarray(labels)
    rows = np.asarray(probabilities, dtype=np.float64)
    if given.ndim != 1 or given.dtype.kind not in "iu" or rows.ndim != 2 or len(given) != len(rows):
        raise ValueError(
            f"labels are {given.dtype} of shape {given.shape} and probabilities of shape "
            f"{rows.shape}; expected label indices (n,) and (n, labels)"
        )
    if not np.isfinite(rows).all() or (rows < 0).any():
        raise ValueError("probabilities are not finite or below 0")
    sums = rows.sum(axis=1)
    if (abs(sums - 1) > _SUM_TOLERANCE).any():
        worst = int(abs(sums - 1).argmax())
        raise ValueError(f"the probabilities of text {worst} sum to {sums[worst]:.3g}, not to 1")
    found = np.unique(given)
    if len(found) < 2:
        raise ValueError(f"{len(found)} labels among the texts; label noise needs at least 2")
    if found[0] < 0 or found[-1] >= rows.shape[1]:
        raise ValueError(
            f"labels go from {found[0]} to {found[-1]}; "
            f"the probabilities are of labels 0 to {rows.shape[1] - 1}"
        )
    if not np.ptp(rows, axis=0).any():
        raise ValueError(
            "every text has the same probabilities; they say nothing of a label, "
            "and the noise is undefined"
        )
    return given.astype(np.int64), rows / sums[:, None]
