"""What the texts of a study show beyond figures: what an arm misses, leaves out, and mislabels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.data import LabelledTexts
from evaluation.arms import REAL, Kind, parse_arm
from evaluation.records import FindingRecord
from trainers.embeddings import Embeddings
from trainers.probe import Probe
from understudy.materials import Materials
from understudy.planning import PlannedRun, hashed

Predictions = NDArray[np.int64]

EXAMPLES = 3
"""Texts that a group of failures shows."""

LISTED = 8
"""Texts, or words, that other findings list."""

GROUPS = 4
"""Groups of failures that are shown."""

LONGEST = 300
"""Characters of a text that a finding quotes at most."""

VERSION = 1
"""Raised when a finding is computed otherwise, so that older ones are computed again."""


@dataclass(frozen=True)
class PlannedFinding:
    """A finding that can be made once the runs are there.

    Attributes:
        key: Hash over everything that decides it (hex).
        task: Task name.
        kind: As of a `FindingRecord`.
        arm: The arm that it is about.
        find: Makes it, from the predictions of a run by its key.
    """

    key: str
    task: str
    kind: str
    arm: str
    find: Callable[[Callable[[str], Predictions]], dict[str, Any]]

    def record(self, predictions: Callable[[str], Predictions]) -> FindingRecord:
        """Make the finding."""
        return FindingRecord(self.key, self.task, self.kind, self.arm, self.find(predictions))


def plan_findings(
    materials: Materials, runs: Sequence[PlannedRun], embeddings: Embeddings
) -> list[PlannedFinding]:
    """Return the findings on each synthetic arm at equal size that is scored on real text.

    Args:
        materials: The task's data.
        runs: Its runs.
        embeddings: Unit vectors (mean pooling).
    """
    test = materials.test
    if test is None:
        return []
    planned = []
    keys = {arm: [run.key for run in runs if run.arm == arm] for arm in materials.arms}
    for arm in materials.arms:
        parsed = parse_arm(arm)
        if parsed.kind is not Kind.MAIN or not parsed.synthetic or arm in materials.absent:
            continue
        corpus = materials.train(arm, seed=0)
        makers: dict[str, Any] = {
            "coverage": partial(_coverage, test, corpus, embeddings),
            "words": partial(_words, test, corpus),
            "label_noise": partial(_label_noise, corpus, embeddings),
        }
        if keys.get(REAL):
            makers["failures"] = partial(_failures, test, embeddings, keys[REAL], keys[arm])
        for kind, find in makers.items():
            decides = {
                "finding": [kind, VERSION],
                "task": materials.task.name,
                "corpus": corpus.content_hash,
                "test": test.content_hash,
                "runs": [keys.get(REAL, []), keys[arm]] if kind == "failures" else [],
                "encoder": [embeddings.encoder.fingerprint, embeddings.pooling],
            }
            planned.append(PlannedFinding(hashed(decides), materials.task.name, kind, arm, find))
    return planned


def _coverage(
    test: LabelledTexts,
    corpus: LabelledTexts,
    embeddings: Embeddings,
    predictions: Callable[[str], Predictions],
) -> dict[str, Any]:
    """Name the real texts that the corpus comes least close to."""
    from evaluation.embedding_space.least_covered import least_covered

    del predictions
    found = least_covered(embeddings.of(test.texts), embeddings.of(corpus.texts), LISTED)
    return {
        "texts": [
            {
                "text": _quoted(test.texts[each.real]),
                "label": test.label_names[test.labels[each.real]],
                "nearest": _quoted(corpus.texts[each.synthetic]),
                "distance": round(each.distance, 4),
            }
            for each in found
        ]
    }


def _words(
    test: LabelledTexts, corpus: LabelledTexts, predictions: Callable[[str], Predictions]
) -> dict[str, Any]:
    """Name the words that the corpus uses more, and less, than real texts of the same labels."""
    from evaluation.texts.vocabulary import word_use
    from evaluation.texts.words import words

    del predictions
    # As many of each label on both sides.
    real = test.sample_per_label(corpus.counts(), 0)
    own = corpus.sample_per_label(test.counts(), 0)
    for name, texts in (("real", real.texts), ("synthetic", own.texts)):
        if not any(map(words, texts)):
            return {"undefined": f"no {name} text has a word"}
    used = word_use(real.texts, own.texts)
    over = [use for use in used if use.z > 0][:LISTED]
    under = [use for use in reversed(used) if use.z < 0][:LISTED]
    return {
        name: [{"word": u.word, "real": u.real, "synthetic": u.synthetic} for u in uses]
        for name, uses in (("over", over), ("under", under))
    }


def _label_noise(
    corpus: LabelledTexts, embeddings: Embeddings, predictions: Callable[[str], Predictions]
) -> dict[str, Any]:
    """Estimate how many texts of the corpus bear a wrong label, and name the likeliest."""
    from evaluation.mistakes.label_noise import label_issues
    from trainers.losses.confident import out_of_fold

    del predictions
    if min(corpus.counts().values()) < 2:
        return {"undefined": "a label has fewer than two texts"}
    checker = Probe(embeddings.encoder, embeddings)
    probabilities = out_of_fold(corpus, partial(checker.judge, seed=0))
    issues = label_issues(corpus.labels, probabilities)
    right = float((probabilities.argmax(axis=1) == np.asarray(corpus.labels)).mean())
    return {
        "noise": issues.noise,
        "by_label": dict(zip(corpus.label_names, issues.noise_by_label.tolist(), strict=True)),
        "checker_accuracy": right,
        "n": len(corpus),
        "texts": [
            {
                "text": _quoted(corpus.texts[i]),
                "label": corpus.label_names[corpus.labels[i]],
                "looks_like": corpus.label_names[int(probabilities[i].argmax())],
            }
            for i in issues.ranked[:LISTED].tolist()
        ],
    }


def _failures(
    test: LabelledTexts,
    embeddings: Embeddings,
    real_keys: Sequence[str],
    own_keys: Sequence[str],
    predictions: Callable[[str], Predictions],
) -> dict[str, Any]:
    """Say which test texts the real arm gets and this one misses, and what they are about."""
    from evaluation.mistakes.confusion import confusion_difference
    from evaluation.mistakes.failures import find_failures, group_failures

    real, own = (np.stack([predictions(key) for key in keys]) for keys in (real_keys, own_keys))
    labels = np.asarray(test.labels, dtype=np.int64)
    failures = find_failures(labels, real, own)
    confusion = confusion_difference(labels, real, own, len(test.label_names))
    names = test.label_names
    groups = group_failures(test.texts, embeddings.of(test.texts), failures)
    majority = np.array([np.bincount(column, minlength=len(names)).argmax() for column in own.T])
    return {
        "n_texts": failures.n_texts,
        "right": len(failures.right),
        "missed": len(failures.missed),
        "gained": len(failures.gained),
        "n_groups": len(groups),
        "groups": [
            {
                "keywords": list(group.keywords[:6]),
                "n_texts": group.n_texts,
                "n_right": group.n_right,
                "missed": len(group.missed),
                "share_missed": group.share_missed,
                "excess": group.excess,
                "adjusted_p": group.adjusted_p,
                "examples": [
                    {
                        "text": _quoted(test.texts[i]),
                        "label": names[labels[i]],
                        "said": names[int(majority[i])],
                    }
                    for i in group.missed[:EXAMPLES].tolist()
                ],
            }
            for group in groups[:GROUPS]
            if len(group.missed)
        ],
        "f1": [_difference(confusion.f1, k, {"label": name}) for k, name in enumerate(names)],
        "cells": [
            _difference(confusion.cells, (i, j), {"true": names[i], "said": names[j]})
            for i in range(len(names))
            for j in range(len(names))
            if i != j
        ],
    }


def _difference(differences: Any, place: Any, names: Mapping[str, str]) -> dict[str, Any]:
    found = {
        part: float(getattr(differences, part)[place])
        for part in ("value", "low", "high", "adjusted_p")
    }
    # NaN is undefined, and no JSON.
    return {**names, **{k: None if np.isnan(v) else v for k, v in found.items()}}


def _quoted(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3].rstrip()}..."
