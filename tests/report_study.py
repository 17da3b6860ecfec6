"""Studies of own making for tests of the report: seeded predictions, no texts."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.annotation import Agreement
from evaluation.arms import in_order
from evaluation.records import (
    CorpusRecord,
    FindingRecord,
    LabellingRecord,
    MeasureRecord,
    RunRecord,
    StudyRecords,
    TaskFacts,
    VotedFacts,
)

ARMS = ("real", "zero_shot", "few_shot", "real_full")
# Title, labels, remembered rank, accuracy of real, zero_shot, few_shot, real_full. Own figures.
TASKS = {
    "news": ("News topic", ("world", "sport", "money", "science"), 1, (0.86, 0.84, 0.86, 0.90)),
    "relation_wiki": (
        "Relations between things",
        ("spouse", "crosses"),
        2,
        (0.98, 0.98, 0.98, 0.99),
    ),
    "relation": ("Relations, other set", ("league", "country"), 2, (0.93, 0.90, 0.94, 0.97)),
    "films": ("Film reviews", ("negative", "positive"), 3, (0.72, 0.67, 0.70, 0.84)),
    "sms_spam": ("SMS spam", ("ham", "spam"), 4, (0.93, 0.77, 0.90, 0.98)),
    "forum_emotion": ("Emotion in forum posts", ("joy", "sadness"), 5, (0.90, 0.84, 0.86, 0.93)),
    "post_irony": ("Irony in short posts", ("plain", "irony"), 6, (0.62, 0.55, 0.59, 0.66)),
    "post_emotion": (
        "Emotion in short posts",
        ("anger", "joy", "hope", "grief"),
        7,
        (0.64, 0.6, 0.62, 0.7),
    ),
    "financial_phrases": ("Financial phrases", ("down", "flat", "up"), 9, (0.70, 0.67, 0.66, 0.8)),
    "jokes": ("Jokes and headlines", ("serious", "funny"), 10, (0.89, 0.76, 0.92, 0.95)),
}


def facts(name: str, n_test: int, evaluated_on: str = "real") -> TaskFacts:
    """Return what the study says of one of the tasks above."""
    title, labels, rank, _ = TASKS[name]
    on_real = evaluated_on == "real"
    return TaskFacts(
        task=name,
        title=title,
        label_names=labels,
        subjectivity_rank_remembered=rank,
        real_source=f"own/{name}@0123abc (test split)" if on_real else "",
        n_real_train=4101 if on_real else 0,
        n_real_test=n_test if on_real else 0,
        dropped={"unsure": 12} if on_real and name == "films" else {},
        moved=3 if on_real else 0,
        evaluated_on="real" if on_real else "corpora",
    )


def run(
    out: Path,
    name: str,
    arm: str,
    seed: int,
    labels: Sequence[int],
    predictions: Sequence[int],
    evaluated_on: str = "real",
) -> RunRecord:
    """Store predictions as a study does and return the finished run."""
    label_names = TASKS[name][1]
    path = f"predictions/{name}-{arm}-{evaluated_on}-{seed}.npz"
    (out / "predictions").mkdir(parents=True, exist_ok=True)
    np.savez(out / path, labels=np.array(labels), predictions=np.array(predictions))
    each = 200 if arm != "real_full" else 4101 // len(label_names)
    return RunRecord(
        key=path,
        status="done",
        task=name,
        arm=arm,
        encoder="mini-encoder",
        trainer="probe",
        seed=seed,
        n_train=each * len(label_names),
        n_per_label=dict.fromkeys(label_names, each),
        n_test=len(labels),
        evaluated_on=evaluated_on,
        test_hash=hashlib.sha256(repr(list(labels)).encode()).hexdigest(),
        predictions=path,
        real_source=f"own/{name}@0123abc" if evaluated_on == "real" else "",
        versions={"torch": "2.13.0", "datasets": "5.2.0"},
        settings={"epochs": 30, "learning_rate": 0.001},
    )


def drawn_runs(
    out: Path, name: str, arms: dict[str, tuple[float, str]], n_test: int, seeds: int
) -> list[RunRecord]:
    """Draw predictions that are right with each arm's share, and store them."""
    k = len(TASKS[name][1])
    rng = np.random.default_rng([ord(c) for c in name])
    labels = rng.integers(k, size=n_test)
    hard = rng.random(n_test)
    runs = []
    for arm, (share, evaluated_on) in arms.items():
        for seed in range(seeds):
            wrong = (hard + rng.normal(0, 0.08, n_test)) > share
            shift = rng.integers(1, k, size=n_test) if k > 1 else 0
            predictions = np.where(wrong, (labels + shift) % k, labels)
            drawn = [int(each) for each in predictions]
            runs.append(run(out, name, arm, seed, labels.tolist(), drawn, evaluated_on))
    return runs


def corpus(name: str, strategy: str, kept: int = 200) -> CorpusRecord:
    """Return what building a corpus gave, `kept` texts of its last label."""
    labels = TASKS[name][1]
    return CorpusRecord(
        task=name,
        strategy=strategy,
        llm="A large language model, its own name here, November 2026; some answers were edited",
        requested_per_label=200,
        candidates=200 * len(labels),
        kept={**dict.fromkeys(labels, 200), labels[-1]: kept},
        surplus=dict.fromkeys(labels, 0),
        rejected={label: {} for label in labels}
        | {labels[-1]: {"near duplicate": 200 - kept} if kept < 200 else {}},
        failed_requests={},
        warnings={"shorter than asked": 4},
        statuses={
            "near duplicate": "checked",
            "copy of a seed example": "not checked" if strategy == "few_shot" else "not applicable",
        },
        content_hash="",
        path="",
    )


def measures(names: Sequence[str], arms: Sequence[str] = ARMS[:3]) -> tuple[MeasureRecord, ...]:
    """Return diversity and similarity figures of own making."""
    base = {"remote_clique": 0.88, "chamfer": 0.41}
    cost = {"real": 0.0, "zero_shot": 0.12, "few_shot": 0.06}
    made = []
    for place, name in enumerate(names):
        for arm in arms:
            for measure, value in base.items():
                made.append((name, arm, measure, value - cost[arm] - 0.01 * (place % 4), 0))
            if arm != "real":
                made.append((name, arm, "top5_cosine", 0.55 - cost[arm] + 0.02 * (place % 3), 800))
    return tuple(
        MeasureRecord(f"k{i}", task, arm, measure, value, 400, n_real, "mini-encoder")
        for i, (task, arm, measure, value, n_real) in enumerate(made)
    )


def real_study(out: Path, names: Sequence[str] = tuple(TASKS), n_test: int = 400) -> StudyRecords:
    """Return a study on real text with seeded random predictions, three seeds."""
    runs: list[RunRecord] = []
    for name in names:
        shares = dict(zip(ARMS, ((share, "real") for share in TASKS[name][3]), strict=True))
        runs += drawn_runs(out, name, shares, n_test, seeds=3)
    return StudyRecords(
        settings={"tasks": "all", "per_label": None, "seeds": 3},
        tasks=tuple(facts(name, n_test) for name in names),
        arms=ARMS,
        runs=tuple(runs),
        missing=(),
        measures=measures(names),
        corpora=tuple(corpus(n, s, 187) for n in names for s in ("zero_shot", "few_shot")),
    )


def agreement_study(out: Path, names: Sequence[str] = ("sms_spam", "jokes")) -> StudyRecords:
    """Return a study without real text: each synthetic arm tested on the other's corpus."""
    runs: list[RunRecord] = []
    for name in names:
        runs += drawn_runs(out, name, {"zero_shot": (0.9, "few_shot")}, 400, seeds=2)
        runs += drawn_runs(out, name, {"few_shot": (0.8, "zero_shot")}, 400, seeds=2)
    return StudyRecords(
        settings={"tasks": ",".join(names), "seeds": 2},
        tasks=tuple(facts(name, 0, "corpora") for name in names),
        arms=("zero_shot", "few_shot"),
        runs=tuple(runs),
        missing=(),
        measures=measures(names, ("zero_shot", "few_shot")),
        corpora=tuple(corpus(n, s) for n in names for s in ("zero_shot", "few_shot")),
    )


def labelling(name: str, split: str, wrong: int = 5) -> LabellingRecord:
    """Return what labelling 40 texts of each label gave, `wrong` of the first label's mistaken."""
    labels = TASKS[name][1]
    confusion = {true: {said: 40 * (true == said) for said in labels} for true in labels}
    confusion[labels[0]] = {**confusion[labels[0]], labels[0]: 40 - wrong, labels[1]: wrong}
    kept = {said: sum(row[said] for row in confusion.values()) for said in labels}
    return LabellingRecord(
        task=name,
        strategy="llm_labelled",
        llm="A large language model, its own name here, November 2026",
        kept=kept,
        failed_requests={},
        content_hash="",
        path="",
        split=split,
        source=f"own/{name}@0123abc",
        at_hand=4000,
        requested=40 * len(labels),
        asked=40 * len(labels),
        unlabelled={},
        requests=4,
        prompt_tokens=3000,
        answer_tokens=500,
        agreement=Agreement(confusion=confusion),
    )


def finding(name: str, kind: str, values: dict[str, Any]) -> FindingRecord:
    """Return a finding on the arm few_shot."""
    return FindingRecord(f"{kind}-{name}", name, kind, "few_shot", values)


def findings(name: str, text: str = "A text that was missed.") -> tuple[FindingRecord, ...]:
    """Return one finding of each kind, which quote `text`."""
    first, second = TASKS[name][1][:2]
    difference = {"value": 0.12, "low": 0.05, "high": 0.2, "adjusted_p": 0.004}
    return (
        finding(
            name,
            "failures",
            {
                **{"n_texts": 400, "right": 320, "missed": 48, "gained": 12, "n_groups": 14},
                "groups": [
                    {
                        "keywords": ["plot", "ending"],
                        **{"n_texts": 40, "n_right": 30, "missed": 15, "share_missed": 0.5},
                        **{"excess": 3.3, "adjusted_p": 0.0002},
                        "examples": [{"text": text, "label": first, "said": second}],
                    }
                ],
                "f1": [
                    {"label": first, **difference},
                    {"label": second, **dict.fromkeys(difference)},
                ],
                "cells": [
                    {"true": first, "said": second, **difference, "value": -0.12},
                    {"true": second, "said": first, **difference, "adjusted_p": 0.6},
                ],
            },
        ),
        finding(
            name,
            "coverage",
            {"texts": [{"text": text, "label": first, "nearest": "Another.", "distance": 0.81}]},
        ),
        finding(
            name,
            "words",
            {
                "over": [{"word": "delightful", "real": 1, "synthetic": 40}],
                "under": [{"word": "gonna", "real": 31, "synthetic": 0}],
            },
        ),
        finding(
            name,
            "label_noise",
            {
                **{"noise": 0.04, "by_label": {first: 0.06, second: 0.02}, "n": 400},
                "checker_accuracy": 0.91,
                "texts": [{"text": text, "label": first, "looks_like": second}],
            },
        ),
    )


def evidence_study(out: Path, names: Sequence[str] = ("films", "jokes")) -> StudyRecords:
    """Return a study with curves, mixtures, labels of an LLM, votes and findings, three seeds."""
    runs: list[RunRecord] = []
    voted: dict[str, VotedFacts] = {}
    for name in names:
        real, zero, few, _ = TASKS[name][3]
        shares = {"real": real, "zero_shot": zero, "few_shot": few}
        shares |= {f"real@{n}": real - 0.3 / n**0.5 for n in (5, 10, 25, 50, 100, 200)}
        shares |= {f"few_shot@{n}": few - 0.3 / n**0.5 for n in (5, 40)}
        shares |= {f"few_shot+real@{n}": real - 0.1 / n**0.5 for n in (50, 100)}
        shares |= {"llm_labelled": real + 0.04, "gold_labelled": real + 0.05}
        made = drawn_runs(out, name, {arm: (s, "real") for arm, s in shares.items()}, 400, seeds=3)
        runs += [_with_votes(out, each, name) for each in made]
        runs.append(_classified(out, name, made[0]))
        voted[name] = _votes(out, name)
    facts_of = [replace(facts(name, 400), voted=(voted[name],)) for name in names]
    return StudyRecords(
        settings={"tasks": ",".join(names), "seeds": 3},
        tasks=tuple(facts_of),
        arms=in_order({run.arm for run in runs}),
        runs=tuple(runs),
        missing=(),
        measures=measures(names),
        corpora=tuple(
            replace(corpus(n, s), requests=40, prompt_tokens=8000, answer_tokens=9000)
            for n in names
            for s in ("zero_shot", "few_shot")
        ),
        labellings=tuple(labelling(n, split) for n in names for split in ("train", "test")),
        findings=tuple(each for name in names for each in findings(name)),
    )


def _with_votes(out: Path, record: RunRecord, name: str) -> RunRecord:
    """Store what a run predicted of texts with votes: right more often where people agree."""
    labels, agreement = _voted_texts(name)
    rng = np.random.default_rng([record.seed, len(record.arm)])
    right = rng.random(len(labels)) < agreement
    with np.load(out / record.predictions) as stored:
        arrays = dict(stored)
    arrays["voted/panel"] = np.where(right, labels, (labels + 1) % len(TASKS[name][1]))
    np.savez(out / record.predictions, **arrays)
    return record


def _voted_texts(name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    rng = np.random.default_rng(7)
    labels = rng.integers(len(TASKS[name][1]), size=360)
    return labels, rng.choice([0.5, 0.6, 0.7, 0.8, 0.9, 1.0], size=360)


def _votes(out: Path, name: str) -> VotedFacts:
    labels, agreement = _voted_texts(name)
    path = f"votes/{name}.panel.npz"
    (out / "votes").mkdir(parents=True, exist_ok=True)
    np.savez(out / path, labels=labels, agreement=agreement)
    return VotedFacts("panel", len(labels), "Ten people voted.", {"ties": 3}, False, path)


def _classified(out: Path, name: str, other: RunRecord) -> RunRecord:
    """Return a run of the LLM itself on every fourth test text: all but the first right."""
    with np.load(out / other.predictions) as stored:
        labels = stored["labels"]
    rows = np.arange(0, len(labels), 4)
    said = labels[rows].copy()
    said[0] = -1
    path = f"predictions/{name}-llm.npz"
    np.savez(out / path, labels=labels[rows], predictions=said, rows=rows)
    return replace(
        other,
        key=path,
        arm="llm",
        trainer="llm",
        encoder="A model",
        seed=0,
        n_train=0,
        n_per_label={},
        n_test=len(rows),
        predictions=path,
    )
