"""How fast fine-tuning is, against a plain `Trainer` in the same run, and the probe against it.

    python benchmarks/training.py            # mixed and short texts
    python benchmarks/training_step.py       # what the parts of a step take

Texts and labels are those of the recorded answers: `mixed` is one problem of the eight labels of
humor, ag_news and imdb, `short` is humor. A third of the texts is held out for macro-F1. The plain
`Trainer` has `DataCollatorWithPadding` and random batches; the settings are the same. All train at
once, each in a thread of its own, and take turns step by step, so that other work on the machine
slows all of them alike; seconds are of the thread's processor time, from batch to update.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from builders.data import LabelledTexts

SETS = {"mixed": (("humor", "ag_news", "imdb"), 150), "short": (("humor",), 400)}
"""Name -> tasks, and texts of each."""

EPOCHS = 5
BATCH = 32


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


@dataclass
class Training:
    """A training that takes turns with others.

    Attributes:
        start: Trains to the end.
        predict: Gives the label indices of the held-out texts.
        seconds: Processor seconds of each step.
    """

    start: Callable[[], object]
    predict: Callable[[], Any]
    seconds: list[float] = field(default_factory=list)


class Turns:
    """Lets several trainings go on one step at a time, each after the other."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[int] = []

    def callback(self, name: int, training: Training) -> Any:
        """Return what makes a `Trainer` take its turns, and measures them."""
        from transformers import TrainerCallback

        turns = self

        class Turn(TrainerCallback):
            """Waits before a batch is fetched, and hands on after the update."""

            def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
                """Wait for the first turn of an epoch."""
                turns.wait(name)
                self.begun = time.thread_time()

            def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
                """End a turn; the next begins here, unless the epoch is over."""
                training.seconds.append(time.thread_time() - self.begun)
                turns.hand_on(name)
                turns.wait(name)
                self.begun = time.thread_time()

        return Turn()

    def wait(self, name: int) -> None:
        """Wait until it is this one's turn."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting[0] == name)

    def hand_on(self, name: int) -> None:
        """Let the next one go on."""
        with self._changed:
            self._waiting.append(self._waiting.pop(0))
            self._changed.notify_all()

    def run(self, trainings: list[Training]) -> None:
        """Train all of them to their ends."""
        self._waiting = list(range(len(trainings)))
        threads = [
            threading.Thread(target=self._one, args=(i, training))
            for i, training in enumerate(trainings)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _one(self, name: int, training: Training) -> None:
        import torch

        torch.set_num_threads(1)  # it counts for the thread that says it
        training.start()
        with self._changed:
            self._waiting.remove(name)
            self._changed.notify_all()


def ours(
    turns: Turns, name: int, train: LabelledTexts, test: LabelledTexts, folder: str, **changed: Any
) -> Training:
    """Return our fine-tuning, with these settings changed."""
    from trainers.encoders import EMBEDDED, load_encoder
    from trainers.finetune import Finetune, FinetuneSettings

    settings = FinetuneSettings(epochs=EPOCHS, batch_size=BATCH, class_weights="none", **changed)
    fitting = Finetune(load_encoder(EMBEDDED), settings).fitting(train, 0, Path(folder))
    tokens = fitting.tokenised(test.texts)
    training = Training(fitting.trainer.train, lambda: fitting.trainer.logits(tokens).argmax(-1))
    fitting.trainer.add_callback(turns.callback(name, training))
    return training


def plain(
    turns: Turns,
    name: int,
    train: LabelledTexts,
    test: LabelledTexts,
    folder: str,
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
    set_seed(0)
    with loading(encoder):
        model = AutoModelForSequenceClassification.from_pretrained(
            encoder.path, num_labels=len(train.label_names)
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
            folder,
            num_train_epochs=EPOCHS,
            max_steps=max_steps,
            per_device_train_batch_size=BATCH,
            per_device_eval_batch_size=128,
            learning_rate=1e-4,
            weight_decay=0.01,
            warmup_steps=0.1,
            seed=0,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            logging_strategy="no",
            use_cpu=True,
            dataloader_pin_memory=False,
        ),
        train_dataset=tokenised(train),
        data_collator=DataCollatorWithPadding(tokenizer, padding=padding, max_length=longest),
    )
    trainer.remove_callback(PrinterCallback)
    held_out = tokenised(test)
    training = Training(
        trainer.train, lambda: np.asarray(trainer.predict(held_out).predictions).argmax(-1)
    )
    trainer.add_callback(turns.callback(name, training))
    return training


def probe_seconds(train: LabelledTexts, test: LabelledTexts) -> tuple[float, float, Any]:
    """Return the processor seconds of the probe's first run and of a further one; predictions."""
    from trainers.embeddings import Embeddings
    from trainers.encoders import EMBEDDED, load_encoder
    from trainers.probe import Probe

    encoder = load_encoder(EMBEDDED)
    found = []
    with tempfile.TemporaryDirectory() as cache:
        trainer = Probe(encoder, Embeddings(encoder, folder=Path(cache)))
        for seed in range(2):
            start = time.process_time()
            outcome = trainer.run(train, test, seed)
            found.append(time.process_time() - start)
    return found[0], found[1], outcome.predictions


def measure(name: str) -> None:
    """Train on one set and print its rows."""
    from sklearn.metrics import f1_score

    train, test = problem(*SETS[name])
    turns = Turns()
    with tempfile.TemporaryDirectory() as folder:
        given = (train, test, folder)
        found = {
            "plain Trainer": plain(turns, 0, *given),
            "ours": ours(turns, 1, *given),
            "ours, group_by_length": ours(turns, 2, *given, order="group_by_length"),
            "padded to the maximum": plain(turns, 3, *given, padding="max_length", max_steps=1),
        }
        turns.run(list(found.values()))
    base = found["plain Trainer"].seconds
    for variant, own in found.items():
        # The last batch of an epoch may be smaller.
        rate = min(BATCH * len(own.seconds), EPOCHS * len(train)) / sum(own.seconds)
        ratio = sum(base) / len(base) * len(own.seconds) / sum(own.seconds)
        f1 = ""
        if len(own.seconds) == len(base):
            f1 = f"{100 * f1_score(test.labels, own.predict(), average='macro'):.1f}"
        print(f"| {name} | {variant} | {rate:.1f} | {ratio:.2f} | {f1} |", flush=True)
    first, further, given_labels = probe_seconds(train, test)
    f1 = f"{100 * f1_score(test.labels, given_labels, average='macro'):.1f}"
    for variant, seconds in (("first run", first), ("each further run", further)):
        faster = sum(found["ours"].seconds) / seconds
        print(f"| {name} | probe, {variant}: ours takes {faster:.1f} times as long | | | {f1} |")


def main() -> None:
    """Measure and print the table."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=tuple(SETS), default=tuple(SETS))
    arguments = parser.parse_args()
    import datasets

    datasets.disable_progress_bars()
    print("| texts | variant | texts a processor second | to the plain Trainer | macro-F1 |")
    print("|---|---|---:|---:|---:|")
    for name in arguments.sets:
        measure(name)


if __name__ == "__main__":
    main()
