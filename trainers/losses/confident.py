"""Confident learning: texts whose labels the others contradict are left out; needs no real text."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from builders.data import LabelledTexts
from builders.errors import UserError
from evaluation.mistakes.label_noise import label_issues
from trainers.losses.base import ExampleWeights, Fit, Floats
from trainers.losses.cross_entropy import CrossEntropy

FOLDS = 5


class Confident(CrossEntropy):
    r"""Cross-entropy over the texts that confident learning does not call mislabelled.

    Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels"
    (Journal of Artificial Intelligence Research 70, 2021), as `evaluation.mistakes.label_noise`
    computes it. A checker gives each text the probabilities $\hat p(k|x)$ without having seen it
    (`FOLDS`-fold). The confident joint counts the texts labelled i that look like j: those whose
    $\hat p(j|x)$ reaches the mean $\hat p(j|\cdot)$ of the texts labelled j. Scaled to the counts
    of the labels it estimates how many texts labelled i are in truth of j; so many are taken out,
    those with the largest $\hat p(j|x) - \hat p(i|x)$ ("prune by noise rate"). Ours is that a text
    whose own label is the most probable stays, as the authors' library has it, and that a label of
    which all would be taken out keeps the text that is most surely of it. What is left of a label
    then weighs as much as the whole label did. The paper weighs the classes after pruning too, by
    the estimated number of texts that are of a class in truth; here the balance of the classes is
    another weight's.

    Of the paper's ways this one leaves to the data how many texts are taken out, and takes the
    surest. Weights by the self-confidence $\hat p(y|x)$ would also weaken right but rare texts.
    """

    name: ClassVar[str] = "confident"
    keeps_labels: ClassVar[bool] = True

    @property
    def settings(self) -> dict[str, str | int | float | bool]:
        """Its name and the number of folds."""
        return {"loss": self.name, "folds": FOLDS}

    def example_weights(
        self, train: LabelledTexts, fit: Fit, real: LabelledTexts | None
    ) -> ExampleWeights:
        """Give mislabelled texts the weight 0, so that each label's weights are 1 on average.

        Raises:
            UserError: A label has fewer than two texts.
        """
        del real
        probabilities = out_of_fold(train, fit)
        labels = np.asarray(train.labels, dtype=np.int64)
        kept = ~mislabelled(labels, probabilities)
        weights = kept.astype(np.float32)
        for label in np.unique(labels):
            own = labels == label
            weights[own] /= weights[own].mean()
        return ExampleWeights(weights)


def out_of_fold(train: LabelledTexts, fit: Fit) -> Floats:
    """Return the probabilities (n, labels) of each text by a checker that has not seen it.

    The folds are stratified and always the same; a label with fewer than `FOLDS` texts makes them
    fewer.

    Raises:
        UserError: A label has fewer than two texts.
    """
    from sklearn.model_selection import StratifiedKFold

    label, least = min(train.counts().items(), key=lambda count: count[1])
    if least < 2:
        raise UserError(
            f"--loss {Confident.name}: {label!r} has {least} training texts, and a text is judged "
            "by others of its label: give it two or more, or use another loss"
        )
    folds = StratifiedKFold(min(FOLDS, least), shuffle=True, random_state=0)
    found = np.zeros((len(train), len(train.label_names)), dtype=np.float32)
    for seen, held_out in folds.split(train.texts, train.labels):
        judged = [train.texts[i] for i in held_out]
        found[held_out] = fit(train.select(seen.tolist()), judged)
    return found


def mislabelled(labels: NDArray[np.int64], probabilities: Floats) -> NDArray[np.bool_]:
    """Tell which texts confident learning calls mislabelled (n,), by "prune by noise rate".

    Args:
        labels: Class indices (n,); every label occurs at least twice.
        probabilities: Of checkers that have not seen the text (n, labels).

    Returns:
        Shape (n,). Of a label whose texts all look mislabelled the one with the largest probability
        of it is not called so: a label without a text could not be learned.
    """
    issues = label_issues(labels, probabilities)
    found = issues.suspicious.copy()
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        if found[own].all():
            found[own[issues.self_confidence[own].argmax()]] = False
    return found
