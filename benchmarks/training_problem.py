"""The texts that trainings are compared on: recorded answers of one or three tasks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from builders.data import LabelledTexts

SETS = {"mixed": (("humor", "ag_news", "imdb"), 150), "short": (("humor",), 400)}
"""Name -> tasks, and texts of each; a third of these is held out."""

TEST_PER_LABEL = 150
"""Texts of each label that few-shot requests gave and that are held out too, at most."""


def problem(tasks: tuple[str, ...], per_task: int) -> tuple[LabelledTexts, LabelledTexts]:
    """Return training and held-out texts of one problem over the labels of these tasks."""
    rows: list[tuple[str, int, str]] = []
    test: list[tuple[str, int, str]] = []
    names: list[str] = []
    for task in tasks:
        own = _recorded(task, "zero_shot")
        of_each = per_task // len(own.label_names)
        rows += _rows(own.sample_per_label(of_each, 0), len(names))
        test += _rows(_recorded(task, "few_shot").sample_per_label(TEST_PER_LABEL, 0), len(names))
        names += [f"{task}/{name}" for name in own.label_names]
    order = np.random.default_rng(0).permutation(len(rows)).tolist()
    third = len(order) // 3
    trained = {rows[i][0] for i in order[third:]}
    test += [rows[i] for i in order[:third]]
    return (
        _texts([rows[i] for i in order[third:]], names),
        _texts([row for row in test if row[0] not in trained], names),
    )


def _recorded(task: str, strategy: str) -> LabelledTexts:
    from builders.composition import Order, compose
    from builders.llms.recording import Recording
    from builders.tasks import load_task

    return compose(load_task(task), Order(strategy), Recording()).texts


def _rows(texts: LabelledTexts, first: int) -> Iterator[tuple[str, int, str]]:
    for text, label, name in zip(texts.texts, texts.labels, texts.ids, strict=True):
        yield text, first + label, name


def _texts(rows: list[tuple[str, int, str]], names: list[str]) -> LabelledTexts:
    texts, labels, _ = zip(*rows, strict=True)
    return LabelledTexts(texts, labels, tuple(names), tuple(map(str, range(len(rows)))))
