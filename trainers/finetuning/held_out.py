"""Texts that training is watched on: a share of the training texts, or real ones beside them."""

from collections.abc import Callable

from builders.data import LabelledTexts
from builders.errors import UserError
from builders.normalisation import comparison_key
from builders.real import RealData
from builders.real.splitting import stratified, without


def hold_out(
    texts: LabelledTexts, share: float, said: Callable[[str], object]
) -> tuple[LabelledTexts, list[int]]:
    """Hold out a share of the texts, of each label alike; return it and the indices of the rest.

    The draw is a property of the texts, as the split of real data is: all seeds share it. What is
    left and equal to a text that is held out, case and punctuation ignored, is left out too.

    Raises:
        UserError: A label would have no text on one of the two sides.
    """
    held = stratified(texts, max(1, round(share * len(texts))))
    names, keys = set(held.ids), {comparison_key(text) for text in held.texts}
    rest = [i for i, name in enumerate(texts.ids) if name not in names]
    kept = [i for i in rest if comparison_key(texts.texts[i]) not in keys]
    if len(kept) < len(rest):
        said(f"{len(rest) - len(kept)} training texts left out: the validation texts hold them too")
    _refuse_gaps(held, f"--validation {share}: its {len(held)} texts have")
    return held, kept


def real_held_out(
    real: RealData, train: LabelledTexts, per_label: int | None, seed: int
) -> LabelledTexts:
    """Return real texts that nothing is trained on: of the validation split where there is one.

    Args:
        real: The real data.
        train: What is trained on.
        per_label: Texts of each label at most; None for all.
        seed: Draws them where there are more.

    Raises:
        UserError: There are none left of a label.
    """
    source = real.train if real.validation is None else real.validation
    left = without(source, train)
    held = left if per_label is None else left.sample_per_label(per_label, seed)
    _refuse_gaps(
        held, f"--validation real: the real texts that are not trained on ({real.source}) have"
    )
    return held


def _refuse_gaps(held: LabelledTexts, what: str) -> None:
    empty = [label for label, n in held.counts().items() if not n]
    if empty:
        raise UserError(
            f"{what} none of {empty[0]!r}; hold out more, or train on fewer (real:N-per-label)"
        )
