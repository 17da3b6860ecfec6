"""How fast fine-tuning is, against a plain `Trainer` in the same run, and the probe against both.

    python benchmarks/training.py            # mixed and short texts, two seeds: half an hour
    python benchmarks/training_step.py       # what the parts of a step take

Texts and labels are those of the recorded answers: `mixed` is one problem of the eight labels of
humor, ag_news and imdb, `short` is humor. A third of the texts is held out for macro-F1. The plain
`Trainer` has `DataCollatorWithPadding` and random batches; settings are the same. The variants take
turns, seed by seed, on one thread each. Seconds are of the processor, since other work may run on
the machine; what a variant does once (loading, tokenising) counts.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from builders.data import LabelledTexts

SETS = {"mixed": (("humor", "ag_news", "imdb"), 150), "short": (("humor",), 400)}
"""Name -> tasks, and texts of each."""

EPOCHS = 3
Run = Callable[[LabelledTexts, LabelledTexts, int], tuple[NDArray[Any], int]]
"""Train, test, seed -> predictions, and how many texts were passed in training."""


def problem(tasks: tuple[str, ...], per_task: int) -> tuple[LabelledTexts, LabelledTexts]:
    """Return training and held-out texts of one problem over the labels of these tasks."""
    from builders.composition import Order, compose
    from builders.llms.recording import Recording
    from builders.tasks import load_task

    texts: list[str] = []
    labels: list[int] = []
    names: list[str] = []
    for task in tasks:
        own = compose(load_task(task), Order("zero_shot"), Recording()).texts
        own = own.sample_per_label(per_task // len(own.label_names), 0)
        texts += own.texts
        labels += [len(names) + label for label in own.labels]
        names += [f"{task}/{name}" for name in own.label_names]
    ids = tuple(map(str, range(len(texts))))
    whole = LabelledTexts(tuple(texts), tuple(labels), tuple(names), ids)
    order = np.random.default_rng(0).permutation(len(whole)).tolist()
    third = len(order) // 3
    return whole.select(order[third:]), whole.select(order[:third])


def ours(**changed: Any) -> Run:
    """Return our fine-tuning, with these settings changed."""

    def run(train: LabelledTexts, test: LabelledTexts, seed: int) -> tuple[NDArray[Any], int]:
        from trainers.encoders import EMBEDDED, load_encoder
        from trainers.finetune import Finetune, FinetuneSettings

        settings = FinetuneSettings(epochs=EPOCHS, **changed)
        outcome = Finetune(load_encoder(EMBEDDED), settings).run(train, test, seed)
        return outcome.predictions, EPOCHS * len(train)

    return run


def plain(padding: str | bool = True, max_steps: int = -1) -> Run:
    """Return a `Trainer` as its documentation sets it up."""

    def run(train: LabelledTexts, test: LabelledTexts, seed: int) -> tuple[NDArray[Any], int]:
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
        set_seed(seed)
        with loading(encoder):
            model = AutoModelForSequenceClassification.from_pretrained(
                encoder.path, num_labels=len(train.label_names)
            )
        tokenizer = AutoTokenizer.from_pretrained(encoder.path)

        def tokenised(texts: LabelledTexts) -> Any:
            rows = Dataset.from_dict({"text": list(texts.texts), "label": list(texts.labels)})
            return rows.map(
                lambda batch: tokenizer(
                    batch["text"], truncation=True, max_length=256, padding=False
                ),
                batched=True,
            )

        with tempfile.TemporaryDirectory() as folder:
            trainer = Trainer(
                model=model,
                args=TrainingArguments(
                    folder,
                    num_train_epochs=EPOCHS,
                    max_steps=max_steps,
                    per_device_train_batch_size=32,
                    per_device_eval_batch_size=128,
                    learning_rate=1e-4,
                    weight_decay=0.01,
                    warmup_steps=0.1,
                    seed=seed,
                    save_strategy="no",
                    report_to="none",
                    disable_tqdm=True,
                    logging_strategy="no",
                    use_cpu=True,
                    dataloader_pin_memory=False,
                ),
                train_dataset=tokenised(train),
                data_collator=DataCollatorWithPadding(
                    tokenizer, padding=padding, max_length=256 if padding == "max_length" else None
                ),
            )
            trainer.remove_callback(PrinterCallback)
            trainer.train()
            passed = 32 * max_steps if max_steps > 0 else EPOCHS * len(train)
            if max_steps > 0:
                return np.zeros(0), passed
            logits: Any = trainer.predict(tokenised(test)).predictions
        return logits.argmax(-1), passed

    return run


def probe(cache: Path) -> Run:
    """Return the probe, with its embeddings in `cache`."""

    def run(train: LabelledTexts, test: LabelledTexts, seed: int) -> tuple[NDArray[Any], int]:
        from trainers.embeddings import Embeddings
        from trainers.encoders import EMBEDDED, load_encoder
        from trainers.probe import Probe

        encoder = load_encoder(EMBEDDED)
        outcome = Probe(encoder, Embeddings(encoder, folder=cache)).run(train, test, seed)
        return outcome.predictions, EPOCHS * len(train)

    return run


@dataclasses.dataclass
class Measured:
    """What one variant did.

    Attributes:
        cpu_s: Processor seconds of each run.
        scores: Macro-F1 of each run.
        texts: Texts passed in training by each run.
    """

    cpu_s: list[float] = dataclasses.field(default_factory=list)
    scores: list[float] = dataclasses.field(default_factory=list)
    texts: list[int] = dataclasses.field(default_factory=list)

    @property
    def rate(self) -> float:
        """Texts a processor second."""
        return sum(self.texts) / sum(self.cpu_s)


def measure(
    variants: dict[str, Run], train: LabelledTexts, test: LabelledTexts, seeds: int
) -> dict[str, Measured]:
    """Run the variants in turns, seed by seed; say each as it is done."""
    from sklearn.metrics import f1_score

    found = {name: Measured() for name in variants}
    for seed in range(seeds):
        for name, run in variants.items():
            start = time.process_time()
            predictions, passed = run(train, test, seed)
            found[name].cpu_s.append(time.process_time() - start)
            found[name].texts.append(passed)
            if len(predictions):
                found[name].scores.append(f1_score(test.labels, predictions, average="macro"))
            print(f"{name}, seed {seed}: {found[name].cpu_s[-1]:.1f} s", file=sys.stderr)
    return found


def table(name: str, found: dict[str, Measured]) -> None:
    """Print the rows of one set of texts; ratios are to the plain `Trainer`, by seed."""
    base = found["plain Trainer"]
    for variant, own in found.items():
        ratios = [
            own.texts[i] / own.cpu_s[i] / (base.texts[i] / base.cpu_s[i])
            for i in range(len(own.cpu_s))
        ]
        f1 = f"{100 * statistics.mean(own.scores):.1f}" if own.scores else ""
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        print(
            f"| {name} | {variant} | {statistics.mean(own.cpu_s):.1f} | {own.rate:.1f} "
            f"| {statistics.mean(ratios):.2f} ({spread}) | {f1} |",
            flush=True,
        )


def main() -> None:
    """Measure and print the table."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=tuple(SETS))
    arguments = parser.parse_args()
    import datasets
    import torch

    from trainers.finetuning.precision import in_bf16

    datasets.disable_progress_bars()
    torch.set_num_threads(1)
    print("| texts | variant | processor s | texts/s | to the plain Trainer | macro-F1 |")
    print("|---|---|---:|---:|---:|---:|")
    for name in arguments.sets:
        with tempfile.TemporaryDirectory() as cache:
            variants = {"plain Trainer": plain(), "ours": ours()}
            if in_bf16("auto", on_cpu=True):
                variants["ours, bf16"] = ours(precision="bf16")
            variants["ours, group_by_length"] = ours(order="group_by_length")
            variants["padded to the maximum"] = plain("max_length", max_steps=1)
            variants["probe, first run"] = probe(Path(cache))
            variants["probe, each further run"] = probe(Path(cache))
            table(name, measure(variants, *problem(*SETS[name]), arguments.seeds))


if __name__ == "__main__":
    main()
