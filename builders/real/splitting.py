"""Splits that keep training and test texts apart."""

import random
from typing import NamedTuple

from builders.data import LabelledTexts
from builders.normalisation import comparison_key

SHARES = (0.70, 0.05, 0.25)
"""Train, validation and test where a source has no test split; Li et al. (2023), section 4.1."""

SPLIT_SEED = 0
"""The split is a property of the data, not of a run: every seed of a study shares it."""


class Splits(NamedTuple):
    """Three parts of one set of texts."""

    train: LabelledTexts
    validation: LabelledTexts
    test: LabelledTexts


def split(texts: LabelledTexts, seed: int = SPLIT_SEED) -> Splits:
    """Split 70/5/25, stratified by label; texts that count as equal stay on one side.

    A group of equal texts takes the label of its first for the stratification. Every label with at
    least two groups has one in the test part.
    """
    groups: dict[str, list[int]] = {}
    for i, text in enumerate(texts.texts):
        groups.setdefault(comparison_key(text), []).append(i)
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for label in range(len(texts.label_names)):
        own = [g for g in groups.values() if texts.labels[g[0]] == label]
        random.Random(f"{seed}/{label}").shuffle(own)
        n_test = min(max(1, round(SHARES[2] * len(own))), max(0, len(own) - 1))
        n_validation = round(SHARES[1] * len(own))
        bounds = (n_test, n_test + n_validation)
        for part, chunk in zip(
            parts,
            (own[bounds[1] :], own[bounds[0] : bounds[1]], own[: bounds[0]]),
            strict=True,
        ):
            part.extend(i for group in chunk for i in group)
    return Splits(*(texts.select(sorted(part)) for part in parts))


def without(texts: LabelledTexts, test: LabelledTexts) -> LabelledTexts:
    """Drop the texts that `test` holds too, case and punctuation ignored."""
    keys = {comparison_key(text) for text in test.texts}
    return texts.select([i for i, t in enumerate(texts.texts) if comparison_key(t) not in keys])


def stratified(texts: LabelledTexts, n: int, seed: int = SPLIT_SEED) -> LabelledTexts:
    """Return at most `n` texts, each label in its share (largest remainder), drawn by `seed`."""
    if len(texts) <= n:
        return texts
    by_label = [
        [i for i, own in enumerate(texts.labels) if own == la]
        for la in range(len(texts.label_names))
    ]
    exact = [n * len(own) / len(texts) for own in by_label]
    take = [int(share) for share in exact]
    order = sorted(range(len(exact)), key=lambda la: take[la] - exact[la])
    for la in order[: n - sum(take)]:
        take[la] += 1
    chosen = [
        i
        for la, own in enumerate(by_label)
        for i in random.Random(f"{seed}/{la}").sample(own, take[la])
    ]
    return texts.select(sorted(chosen))
