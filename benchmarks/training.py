"""How fast fine-tuning is, against a plain `Trainer` in the same run, and the probe against it.

    python benchmarks/training.py            # mixed and short texts, three seeds
    python benchmarks/training_step.py       # what the parts of a step take

Texts and labels are those of the recorded answers: `mixed` is one problem of the eight labels of
humor, ag_news and imdb, `short` is humor. Those that are not trained on, and those of few-shot
requests, are held out for macro-F1. The plain `Trainer` has `DataCollatorWithPadding` and random
batches; the settings are the same. All train at once, each in a thread of its own, and take turns
step by step, so that other work on the machine slows all of them alike; seconds are of the thread's
processor time, from batch to update. What only informs is trained with the first seed alone.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from training_problem import SETS, problem
from training_turns import Training, Turns

from builders.data import LabelledTexts
from evaluation.uncertainty.scores import gap_interval, macro_f1_interval

EPOCHS = 5
BATCH = 32

FASTER = {"mixed": 1.15, "short": 1.0}
WITHIN = 1.0  # points of macro-F1
PROBE_FASTER = 20.0

Variant = Callable[[Turns, int, "Given"], Training]


@dataclass(frozen=True)
class Given:
    """What a training is given.

    Attributes:
        train: Its texts.
        test: The held-out texts.
        seed: Draws the order and the first weights.
        folder: For what it leaves on the way.
    """

    train: LabelledTexts
    test: LabelledTexts
    seed: int
    folder: str


def ours(turns: Turns, name: int, given: Given, **changed: Any) -> Training:
    """Return our fine-tuning, with these settings changed."""
    from trainers.encoders import EMBEDDED, load_encoder
    from trainers.finetune import Finetune, FinetuneSettings

    settings = FinetuneSettings(epochs=EPOCHS, batch_size=BATCH, class_weights="none", **changed)
    trainer = Finetune(load_encoder(EMBEDDED), settings)
    fitting = trainer.fitting(given.train, given.seed, Path(given.folder))
    tokens = fitting.tokenised(given.test.texts)
    training = Training(fitting.trainer.train, lambda: fitting.trainer.logits(tokens).argmax(-1))
    fitting.trainer.add_callback(turns.callback(name, training))
    return training


def plain(
    turns: Turns,
    name: int,
    given: Given,
    *,
    padding: bool | str = True,
    max_steps: int = -1,
) -> Training:
    """Return a `Trainer` as its documentation sets it up."""
    from datasets import Dataset
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        PrinterCallback,
        Trainer,
        TrainingArguments,
        set_seed,
    )

    from trainers.encoders import EMBEDDED, load_encoder, loading

    encoder = load_encoder(EMBEDDED)
    set_seed(given.seed)
    with loading(encoder):
        model = AutoModelForSequenceClassification.from_pretrained(
            encoder.path, num_labels=len(given.train.label_names)
        )
    tokenizer = AutoTokenizer.from_pretrained(encoder.path)

    def tokenised(texts: LabelledTexts) -> Any:
        rows = Dataset.from_dict({"text": list(texts.texts), "label": list(texts.labels)})
        return rows.map(
            lambda batch: tokenizer(batch["text"], truncation=True, max_length=256), batched=True
        )

    longest = None if padding is True else 256
    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            given.folder,
            num_train_epochs=EPOCHS,
            max_steps=max_steps,
            per_device_train_batch_size=BATCH,
            per_device_eval_batch_size=128,
            learning_rate=1e-4,
            weight_decay=0.01,
            warmup_steps=0.1,
            seed=given.seed,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            logging_strategy="no",
            use_cpu=True,
            dataloader_pin_memory=False,
        ),
        train_dataset=tokenised(given.train),
        data_collator=DataCollatorWithPadding(tokenizer, padding=padding, max_length=longest),
    )
    trainer.remove_callback(PrinterCallback)
    held_out = tokenised(given.test)
    training = Training(
        trainer.train, lambda: np.asarray(trainer.predict(held_out).predictions).argmax(-1)
    )
    trainer.add_callback(turns.callback(name, training))
    return training


def probe_seconds(given: Given, seeds: int) -> tuple[list[float], NDArray[np.int64]]:
    """Return the processor seconds of the probe's runs, the first of which embeds; predictions."""
    from trainers.embeddings import Embeddings
    from trainers.encoders import EMBEDDED, load_encoder
    from trainers.probe import Probe

    encoder = load_encoder(EMBEDDED)
    seconds, predictions = [], []
    with tempfile.TemporaryDirectory() as cache:
        trainer = Probe(encoder, Embeddings(encoder, folder=Path(cache)))
        for seed in range(seeds):
            start = time.process_time()
            predictions.append(trainer.run(given.train, given.test, seed).predictions)
            seconds.append(time.process_time() - start)
    return seconds, np.stack(predictions)


def variants(seed: int) -> Iterator[tuple[str, Variant]]:
    """Yield what is trained with a seed."""
    from trainers.finetuning.precision import meant_here

    yield "plain Trainer", plain
    yield "ours", ours
    if seed:
        return
    yield "ours, group_by_length", lambda *g: ours(*g, order="group_by_length")
    if meant_here("auto") == "bf16":
        yield "ours, bf16", lambda *g: ours(*g, precision="bf16")
    yield "padded to the maximum", lambda *g: plain(*g, padding="max_length", max_steps=1)


def measure(name: str, seeds: int) -> None:
    """Train on one set and print its rows."""
    train, test = problem(*SETS[name])
    found: dict[str, list[list[float]]] = {}  # the models are let go after each seed
    predictions: dict[str, list[Any]] = {}
    answering: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(seeds):
            turns, given = Turns(), Given(train, test, seed, folder)
            own = {v: make(turns, i, given) for i, (v, make) in enumerate(variants(seed))}
            turns.run(list(own.values()))
            for variant, training in own.items():
                found.setdefault(variant, []).append(training.seconds)
                if len(training.seconds) < len(own["ours"].seconds):
                    continue
                start = time.process_time()
                predictions.setdefault(variant, []).append(training.predict())
                if variant == "ours":
                    answering.append(time.process_time() - start)
    _say_variants(name, found, predictions, test, len(train))
    whole = [sum(steps) + last for steps, last in zip(found["ours"], answering, strict=True)]
    _say_probe(name, whole, Given(train, test, 0, ""))


def _say_variants(
    name: str,
    found: dict[str, list[list[float]]],
    predictions: dict[str, list[Any]],
    test: LabelledTexts,
    n_train: int,
) -> None:
    n, base = len(test.label_names), predictions["plain Trainer"]
    for variant, steps in found.items():
        ratio = _a_step(found["plain Trainer"][: len(steps)]) / _a_step(steps)
        reach = f"{FASTER[name]:g}" if variant == "ours" else ""
        f1 = ""
        if variant in predictions:
            f1 = f"{100 * macro_f1_interval(test.labels, predictions[variant], n).value:.1f}"
        texts = min(BATCH * sum(map(len, steps)), EPOCHS * n_train * len(steps))
        cells = (variant, f"{texts / sum(map(sum, steps)):.1f}", f"{ratio:.2f}", reach)
        print(f"| {name} | {' | '.join(cells)} | {_said(ratio, reach)} | {f1} |", flush=True)
    gap = gap_interval(test.labels, predictions["ours"], base, n)
    said = f"{100 * gap.value:+.1f} ({100 * gap.low:+.1f} to {100 * gap.high:+.1f})"
    # Where a point is less than chance, what can be said is that they are not told apart.
    apart = 100 * gap.low > WITHIN or 100 * gap.high < -WITHIN
    reached = "yes" if abs(100 * gap.value) <= WITHIN else "**no**" if apart else "not told apart"
    print(f"| {name} | macro-F1, ours less plain | | {said} | within {WITHIN:g} | {reached} | |")


def _say_probe(name: str, whole: list[float], given: Given) -> None:
    """Print how long whole runs of ours take, predictions too, to those of the probe."""
    seeds = len(whole)
    seconds, predictions = probe_seconds(given, seeds)
    n = len(given.test.label_names)
    f1 = f"{100 * macro_f1_interval(given.test.labels, predictions, n).value:.1f}"
    fine = sum(whole) / seeds
    for what, ratio, reach in (
        ("the first run, which embeds", fine / seconds[0], ""),
        ("a further run", fine * (seeds - 1) / sum(seconds[1:]), f"{PROBE_FASTER:g}"),
        (f"{seeds} seeds, nothing embedded", fine * seeds / sum(seconds), f"{PROBE_FASTER:g}"),
    ):
        cells = (f"probe to ours: {what}", "", f"{ratio:.1f}", reach, _said(ratio, reach), f1)
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _a_step(steps: list[list[float]]) -> float:
    """Return the mean of the processor seconds of all steps."""
    return sum(map(sum, steps)) / sum(map(len, steps))


def _said(ratio: float, reach: str) -> str:
    return "" if not reach else "yes" if round(ratio, 2) >= float(reach) else "**no**"


def main() -> None:
    """Measure and print the table."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=tuple(SETS))
    parser.add_argument("--seeds", type=int, default=3, help="how many, at least 2")
    arguments = parser.parse_args()
    import datasets

    datasets.disable_progress_bars()
    print("| texts | variant | texts a processor second | ratio | to reach | reached | macro-F1 |")
    print("|---|---|---:|---:|---:|---|---:|")
    for name in arguments.sets:
        measure(name, max(2, arguments.seeds))


if __name__ == "__main__":
    main()
