"""How long training will take: from finished runs of the study, or from a short measurement."""

import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from builders.data import LabelledTexts
from builders.errors import NotAtHand
from evaluation.records import RunRecord
from evaluation.report.wording import number_of
from trainers.embeddings import Embeddings, Pooling
from trainers.encoders import Encoder, load_encoder
from trainers.finetuning.settings import FinetuneSettings
from understudy.settings import StudySettings
from understudy.trainer_choice import create_trainer
from understudy.workers import gpus

_FEW, _MORE = 4, 12  # texts of a label in two trainings: what they share is the start
_PASSES = 3  # of a text in a step: the backward pass counts for two forward ones
_BYTES_A_TOKEN = 4


@dataclass(frozen=True)
class ForeseenRun:
    """A run as a dry run foresees it.

    Attributes:
        task: Task name.
        arm: The arm.
        train: Training texts; None where the LLM itself classifies.
        predicted: The texts that it predicts.
        record: What it gave, where it is there already.
    """

    task: str
    arm: str
    train: LabelledTexts | None
    predicted: LabelledTexts
    record: RunRecord | None


@dataclass(frozen=True)
class _Trained:
    """Texts that an encoder is trained on, and those that it then predicts."""

    train: LabelledTexts
    predicted: LabelledTexts
    seconds: float | None = None


def training_time(settings: StudySettings, runs: Sequence[ForeseenRun], processes: int) -> str:
    """Say how long the runs that are not there yet will take, and what tells it.

    The time of fine-tuning is taken to grow with the letters that pass through the encoder; that
    of a probe to be the embedding of each text, once, and the same for each head.

    Args:
        settings: What they share.
        runs: All runs of one encoder.
        processes: How many share the runs of fine-tuning.
    """
    known = [
        _Trained(run.train, run.predicted, run.record.seconds if run.record else None)
        for run in runs
        if run.train is not None
    ]
    done = [run for run in known if run.seconds is not None]
    todo = [run for run in known if run.seconds is None]
    if not todo:
        return "none, as all runs are there"
    try:
        encoder = load_encoder(settings.encoder, fetch=False)
    except NotAtHand as error:
        return f"not estimated ({error})"
    if settings.trainer == "finetune" and not done and gpus() > 1:
        return "not estimated (a training takes one GPU; set CUDA_VISIBLE_DEVICES=0 for it)"
    if settings.trainer == "finetune":
        seconds, basis = _of_finetuning(settings, encoder, todo, done)
    else:
        seconds, basis = _of_probe(settings, encoder, todo, done)
    if not done and settings.loss != "cross_entropy":
        basis += f", without what the loss {settings.loss} adds"
    shared = f" in {processes} processes" if processes > 1 else ""
    return (
        f"about {_spelled(seconds / processes)} for {number_of(len(todo), 'run')}{shared}, {basis}"
    )


def _of_finetuning(
    settings: StudySettings, encoder: Encoder, todo: Sequence[_Trained], done: Sequence[_Trained]
) -> tuple[float, str]:
    how = settings.finetuning or FinetuneSettings()
    left = sum(_work(run, how, settings.curve_steps) for run in todo)
    if done:
        spent = sum(run.seconds or 0.0 for run in done)
        rate = spent / sum(_work(run, how, settings.curve_steps) for run in done)
        return left * rate, f"estimated from {number_of(len(done), 'finished run')}"
    once = replace(how, epochs=1)
    trainer = create_trainer(_plain(settings, once), encoder, Embeddings(encoder), None)
    # The shortest texts: the measurement is to be short, and what it takes grows with the letters.
    source = min((run.predicted for run in todo), key=lambda each: _length(each, how))
    few, more = (source.sample_per_label(n, 0) for n in (_FEW, _MORE))
    # The first time is longer than any other, and so counts for nothing.
    _, spent, spent_more = (trainer.run(texts, texts, 0).seconds for texts in (few, few, more))
    work, work_more = (_work(_Trained(texts, texts), once, None) for texts in (few, more))
    rate = spent_more / work_more  # if the clock says nothing of the difference: rather too much
    if spent_more > spent and work_more > work:
        rate = (spent_more - spent) / (work_more - work)
    start = max(0.0, spent - rate * work)
    basis = f"estimated from {len(few) + len(more)} texts that were just trained on"
    return len(todo) * start + left * rate, basis


def _of_probe(
    settings: StudySettings, encoder: Encoder, todo: Sequence[_Trained], done: Sequence[_Trained]
) -> tuple[float, str]:
    texts = {text for run in todo for part in (run.train, run.predicted) for text in part.texts}
    pooling: Pooling = "first" if settings.pooling == "first" else "mean"
    new = Embeddings(encoder, pooling).missing(sorted(texts))
    sample = todo[0].predicted.sample_per_label(_MORE, 0)
    with tempfile.TemporaryDirectory() as scratch:
        own = Embeddings(encoder, pooling, Path(scratch))
        probe = create_trainer(_plain(settings), encoder, own, None)
        # The first time is longer than any other, and so counts for nothing.
        first = sample.sample_per_label(1, 0)
        probe.run(first, first, 0)
        start = time.perf_counter()
        own.of(sample.texts)
        rate = (time.perf_counter() - start) / _letters(sample.texts)
        head = probe.run(sample, sample, 0).seconds
    basis = f"estimated from {len(sample)} texts that were just embedded and trained on"
    if done:
        head = sum(run.seconds or 0.0 for run in done) / len(done)
        basis = (
            f"estimated from {number_of(len(done), 'finished run')} and {len(sample)} texts just "
            "embedded"
        )
    embedding = rate * _letters(texts) * new / len(texts)
    return embedding + len(todo) * head, f"{basis}; {new:,} texts are not embedded yet"


def _plain(settings: StudySettings, how: FinetuneSettings | None = None) -> StudySettings:
    """Return settings that train on any few texts."""
    return replace(settings, loss="cross_entropy", curve_steps=None, finetuning=how)


def _work(run: _Trained, how: FinetuneSettings, curve_steps: int | None) -> float:
    """Return the letters that pass through the encoder."""
    steps = how.epochs * -(-len(run.train) // how.batch_size)
    looks = 1 + (steps // curve_steps if curve_steps else 0)
    trained = _PASSES * how.epochs * _letters(run.train.texts, how)
    return trained + looks * _letters(run.predicted.texts, how)


def _letters(texts: Iterable[str], how: FinetuneSettings | None = None) -> int:
    """Return the letters of texts, of each as many as are not cut."""
    most = _BYTES_A_TOKEN * how.max_length if how else None
    return sum(len(text[:most]) for text in texts)


def _length(texts: LabelledTexts, how: FinetuneSettings) -> float:
    return _letters(texts.texts, how) / len(texts)


def _spelled(seconds: float) -> str:
    """Return a duration in the unit in which it is easily read."""
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} seconds"
