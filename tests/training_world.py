"""A small world to fine-tune in: a task, its real texts, a corpus, and a tiny encoder."""

import csv
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tiny_encoder import WORDS, save_tiny_encoder

from builders.composition import Order, compose
from builders.corpus import write_corpus
from builders.data import LabelledTexts
from builders.llms.recording import Recording
from builders.tasks import load_task

LABELS = {"drinks": ("kettle", "mug", "teapot", "saucer"), "walks": ("trail", "boots", "ridge")}
N_TEST = 203
"""No multiple of any number of processes or of a batch."""


@dataclass(frozen=True)
class World:
    """Where everything is.

    Attributes:
        folder: The folder of it all.
        task: The task file.
        real: The folder of real texts: 30 of each label to train on, 203 to test on.
        corpus: The corpus: 24 texts of each label with zero_shot, 12 with few_shot.
        encoder: A tiny BERT without dropout.
    """

    folder: Path
    task: Path
    real: Path
    corpus: Path
    encoder: Path

    def options(self, out: Path, **changed: object) -> list[str]:
        """Return the options of a short run on the zero-shot corpus, in float32."""
        given: dict[str, object] = {
            "task": self.task,
            "corpus": self.corpus,
            "config": "zero_shot",
            "real": self.real,
            "encoder": self.encoder,
            "precision": "fp32",
            "batch_size": 8,
            "learning_rate": 0.02,
            "num_train_epochs": 4,
            "disable_tqdm": True,
            "output_dir": out,
            **changed,
        }
        words: list[str] = []
        for name, value in given.items():
            if isinstance(value, list):
                words += [f"--{name}", *value]
            elif value is not None:
                words.append(f"--{name}={value}")
        return words


def made_up(label: str, seed: str, n: int) -> list[str]:
    """Return `n` texts of 3 to 15 words, of which one or two are of the label's subject."""
    draw = random.Random(f"{label}/{seed}")
    others = [word for word in WORDS if not any(word in own for own in LABELS.values())]
    texts = []
    for i in range(n):
        words = draw.choices(others, k=draw.randrange(2, 14))
        words += draw.sample(LABELS[label], 1 + i % 2)
        draw.shuffle(words)
        texts.append(" ".join(words))
    return texts


def make_world(folder: Path) -> World:
    """Write the world into an empty folder."""
    task = folder / "outings.yaml"
    prompt = {"context": "You write notes.", "generate": "Write {count} texts on {label}."}
    document = {
        "name": "outings",
        "title": "Outings",
        "description": "What is it about?",
        "labels": {label: f"about {label}" for label in LABELS},
        "prompt": prompt,
        "length_words": [1, 40],
    }
    task.write_text(yaml.safe_dump(document, sort_keys=False))
    real = folder / "real"
    real.mkdir()
    for split, sizes in (("train", (30, 30)), ("test", (100, N_TEST - 100))):
        with (real / f"outings.{split}.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["text", "label"])
            for label, n in zip(LABELS, sizes, strict=True):
                rows.writerows((text, label) for text in made_up(label, split, n))
    for strategy, n in (("zero_shot", 24), ("few_shot", 12)):
        _record(folder / "recording", strategy, n)
        recording = Recording(folder / "recording")
        write_corpus(compose(load_task(task), Order(strategy), recording), folder / "corpus")
    encoder = save_tiny_encoder(folder / "encoder")
    return World(folder, task, real, folder / "corpus", encoder)


def _record(folder: Path, strategy: str, n: int) -> None:
    path = folder / strategy / "outings.responses.jsonl"
    path.parent.mkdir(parents=True)
    lines = []
    for label in LABELS:
        message = {"content": json.dumps({"texts": made_up(label, strategy, n)})}
        body = {"model": "made-up-1", "choices": [{"message": message, "finish_reason": "stop"}]}
        name = f"outings/{strategy}/{label}/c0/t1"
        lines.append({"custom_id": name, "response": {"status_code": 200, "body": body}})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def of_each_label(n: int, seed: str) -> LabelledTexts:
    """Return `n` made-up texts of each label."""
    pairs = [(text, y) for y, label in enumerate(LABELS) for text in made_up(label, seed, n)]
    found, labels = zip(*pairs, strict=True)
    return LabelledTexts(found, labels, tuple(LABELS), tuple(map(str, range(len(found)))))


def weights(folder: Path) -> dict[str, NDArray[np.float32]]:
    """Return the weights of a saved model by name."""
    found: dict[str, NDArray[np.float32]] = load_file(folder / "model.safetensors")
    return found


def same_weights(one: Path, other: Path) -> bool:
    """Tell whether two saved models have the same weights, bit by bit."""
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(
        np.array_equal(first[name], second[name]) for name in first
    )


def metrics(folder: Path) -> dict[str, Any]:
    """Return what a run wrote of its scores."""
    found: dict[str, Any] = json.loads((folder / "metrics.json").read_text())
    return found
