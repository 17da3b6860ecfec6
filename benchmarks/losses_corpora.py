"""The corpora that losses are compared on: recorded ones, and those that other people made.

Other people's are files in `$UNDERSTUDY_DATA/llm`, named SOURCE-MODEL.DATA.MODE: which of them go
with a task of ours, and which of our labels theirs are, stands here. What is dropped is counted.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from builders.composition import Order, compose
from builders.data import LabelledTexts
from builders.filters.copies import CopyIndex
from builders.llms.recording import Recording
from builders.normalisation import comparison_key
from builders.real import RealData, load_real
from builders.strategies import FewShot, ZeroShot
from builders.tasks import load_task
from builders.tasks.base import Task

MOST_PER_LABEL = 500
"""Texts of a label at most, drawn by seed 0."""

RECORDED = (
    "ag_news",
    "relation_wiki",
    "imdb",
    "sms_spam",
    "reddit_emotion",
    "tweet_irony",
    "tweet_emotion",
    "sarcasm_news",
    "financial_phrasebank",
    "humor",
)

ALIKE, NEAR = "other LLMs", "other LLMs, near labels"
"""Whether a task's labels mean the same in the data a corpus was made for."""


@dataclass(frozen=True)
class Source:
    """What the texts of a DATA part of a file name are to us.

    Attributes:
        task: Our task.
        labels: Their label -> ours; other labels are dropped.
        group: `ALIKE` or `NEAR`.
    """

    task: str
    labels: Mapping[str, str]
    group: str = ALIKE


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


SOURCES = {
    "ag_news": Source(
        "ag_news", {n: n.lower() for n in ("World", "Sports", "Business", "Sci/Tech")}
    ),
    "imdb": Source("imdb", _same("positive", "negative")),
    "tweet_irony": Source("tweet_irony", _same("irony", "non_irony")),
    "tweet_emotion": Source("tweet_emotion", _same("anger", "joy", "optimism", "sadness")),
    "financial_sentiment": Source("financial_phrasebank", _same("positive", "neutral", "negative")),
    "sarcasm_headlines": Source(
        "sarcasm_news", {"sarcastic": "sarcastic", "not_sarcastic": "sincere"}
    ),
    # Sarcasm that its own authors named so; irony is the wider word.
    "sarcasm_tweets": Source(
        "tweet_irony", {"sarcastic": "irony", "not_sarcastic": "non_irony"}, NEAR
    ),
}

LEFT_OUT = {
    "jokegpt-chatgpt.humor.zeroshot_positive_only": "jokes only, no serious texts",
    "kinit_selec.raw_responses.sample": "raw answers, no texts with labels",
}


@dataclass(frozen=True)
class Corpus:
    """A corpus with the real texts that it is measured by.

    Attributes:
        name: In tables.
        group: What it is compared among.
        task: The task.
        texts: Its texts.
        real: The task's real texts.
        dropped: Reason -> rows that were not used.
    """

    name: str
    group: str
    task: str
    texts: LabelledTexts
    real: RealData
    dropped: Mapping[str, int]


def corpus_names(data: Path) -> list[tuple[str, str]]:
    """Return group and name of every corpus, in the order of the tables.

    Raises:
        SystemExit: A file in `llm` has no place in the tables above.
    """
    names = [
        (f"recorded, {strategy}", f"{task}.{strategy}")
        for strategy in (ZeroShot.name, FewShot.name)
        for task in RECORDED
    ]
    for path in sorted((data / "llm").glob("*.jsonl.gz")):
        name = path.name.removesuffix(".jsonl.gz")
        if name in LEFT_OUT:
            continue
        kind = name.split(".")[-2]
        if kind not in SOURCES:
            raise SystemExit(f"{path.name}: say in losses_corpora.py which task {kind!r} goes with")
        names.append((SOURCES[kind].group, name))
    return sorted(names, key=lambda each: _ORDER.index(each[0]))


_ORDER = ["recorded, zero_shot", "recorded, few_shot", ALIKE, NEAR]


def load_corpus(group: str, name: str, data: Path) -> Corpus:
    """Load a corpus of `corpus_names` with its task's real texts."""
    if group in (ALIKE, NEAR):
        return _other(group, name, data)
    task_name, strategy = name.split(".")
    task = load_task(task_name)
    composed = compose(
        task,
        Order(strategy),
        Recording(),
        train=_real(task_name).train,
        real_test_texts=_test_index(task_name),
    )
    rejected = Counter[str]()
    for reasons in composed.record.rejected.values():
        rejected.update(reasons)
    return Corpus(name, group, task_name, composed.texts, _real(task_name), rejected)


def _other(group: str, name: str, data: Path) -> Corpus:
    source = SOURCES[name.split(".")[-2]]
    task, dropped = load_task(source.task), Counter[str]()
    kept: list[tuple[str, int]] = []
    seen: set[str] = set()
    for row in _rows(data / "llm" / f"{name}.jsonl.gz"):
        text, reason = row["text"].strip(), ""
        key = comparison_key(text)
        if row["label"] not in source.labels:
            reason = f"label {row['label']!r}"
        elif not text:
            reason = "blank"
        elif key in seen:
            reason = "duplicate"
        elif key == comparison_key(row.get("seed_text") or ""):
            reason = "the real text it was made from, unchanged"
        elif _of_test(row.get("seed_text"), source.task):
            reason = "made from a real test text"
        elif _test_index(source.task).copy_of(text) is not None:
            reason = "copy of a real test text"
        seen.add(key)
        if reason:
            dropped[reason] += 1
        else:
            kept.append((text, _index(task, source.labels[row["label"]])))
    texts, labels = zip(*kept, strict=True)
    every = LabelledTexts(texts, labels, task.label_names, tuple(map(str, range(len(texts)))))
    drawn = every.sample_per_label(MOST_PER_LABEL, 0)
    if len(every) > len(drawn):
        dropped[f"above {MOST_PER_LABEL:,} of a label"] = len(every) - len(drawn)
    return Corpus(name, group, source.task, drawn, _real(source.task), dropped)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _index(task: Task, label: str) -> int:
    return task.label_names.index(label)


@cache
def _real(task: str) -> RealData:
    return load_real(load_task(task), allow_hub=False)


@cache
def _test_index(task: str) -> CopyIndex:
    return CopyIndex(_real(task).test.texts, contained=True)


@cache
def _test_keys(task: str) -> frozenset[str]:
    return frozenset(map(comparison_key, _real(task).test.texts))


def _of_test(seed_text: str | None, task: str) -> bool:
    return seed_text is not None and comparison_key(seed_text) in _test_keys(task)
