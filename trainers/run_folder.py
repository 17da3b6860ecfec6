"""A trained classifier on disk: the folder of one run, and what `run.json` in it says.

RUN/model.safetensors, config.json, tokenizer*    what `pipeline` loads
RUN/run.json                                      task, arm, data, scores, versions, file hashes
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from builders.annotation import LabellingRecord
from builders.errors import UserError
from builders.facts import BuildRecord, CorpusRecord
from evaluation.uncertainty.scores import Interval
from trainers.base import Setting

RECORD = "run.json"
WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Scores:
    """Scores on one test set.

    Attributes:
        source: Where its texts came from.
        n: Texts.
        content_hash: Of the texts and labels (hex).
        macro_f1: With its confidence interval over test texts.
        accuracy: With its confidence interval over test texts.
    """

    source: str
    n: int
    content_hash: str
    macro_f1: Interval
    accuracy: Interval


@dataclass(frozen=True)
class TrainedRun:
    """What is known of a trained classifier.

    Attributes:
        task: Task name.
        title: The task's title.
        description: The question that a label answers.
        labels: Label -> its meaning, in the order of the class indices.
        arm: What it was trained on: `real`, `real_full`, or a strategy.
        trainer: `probe` or `finetune`.
        encoder: The encoder, without the folder it was in.
        encoder_fingerprint: SHA-256 over the encoder's files (hex).
        seed: Draws the training texts, their order and the initial weights.
        settings: The trainer's settings, and what the run gave: steps.
        n_per_label: Training texts of each label.
        train_hash: Content hash of the training texts.
        train_source: Where real training texts came from; empty for a synthetic arm.
        corpus_source: `OWNER/NAME@COMMIT` where the corpus is from the Hub; empty otherwise.
        corpus: What building the corpus gave; None where no text was written by an LLM.
        labelling: What labelling gave, where an LLM labelled the texts.
        tests: Scores, one entry a test set.
        versions: Package -> version.
        files: Name of each file of the model -> its SHA-256 (hex).
        card: Digest of the card that a push wrote; empty in a folder.
    """

    task: str
    title: str
    description: str
    labels: dict[str, str]
    arm: str
    trainer: str
    encoder: str
    encoder_fingerprint: str
    seed: int
    settings: dict[str, Setting]
    n_per_label: dict[str, int]
    train_hash: str
    train_source: str = ""
    corpus_source: str = ""
    corpus: CorpusRecord | None = None
    labelling: LabellingRecord | None = None
    tests: tuple[Scores, ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    card: str = ""

    def as_json(self) -> bytes:
        """Return the content of `run.json`."""
        return (json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n").encode()

    @property
    def source(self) -> BuildRecord | None:
        """What an LLM gave: the texts, or their labels; None where it gave nothing."""
        return self.corpus or self.labelling

    @property
    def kind_of_texts(self) -> str:
        """What it was trained on, in words."""
        if self.labelling is not None:
            return "real texts that a large language model labelled"
        if self.corpus is None:
            return "real texts"
        written = "texts that a large language model wrote"
        return f"{written}, together with real texts" if self.train_source else written

    def summary(self, folder: Path) -> Iterator[str]:
        """Yield what a person is to read of the run in `folder`."""
        n = sum(self.n_per_label.values())
        yield f"{self.task} {self.arm}: {self.trainer} trained on {n} texts"
        loss = self.settings.get("loss")
        if left_out := self.settings.get("left_out"):
            yield f"  {left_out} of them left out by the loss {loss}"
        if checked := self.settings.get("checker_size"):
            yield f"  weighed by the loss {loss}, its checker trained on {checked} real texts"
        for test in self.tests:
            for name, score in (("macro-F1", test.macro_f1), ("accuracy", test.accuracy)):
                yield (
                    f"  {name} {score.value:.3f} ({score.level:.0%} interval {score.low:.3f} to "
                    f"{score.high:.3f}) on {test.n} texts of {test.source}"
                )
        yield f"{folder}: pipeline('text-classification', {str(folder)!r})"
        yield f"to publish it: understudy push model {folder} OWNER/NAME"

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainedRun":
        """Read a run back from JSON.

        Raises:
            KeyError, TypeError, AttributeError: It is none.
        """
        corpus, labelling = values["corpus"], values["labelling"]
        tests = tuple(
            Scores(
                **{
                    **each,
                    "macro_f1": Interval(**each["macro_f1"]),
                    "accuracy": Interval(**each["accuracy"]),
                }
            )
            for each in values["tests"]
        )
        read = cls(
            **{
                **values,
                "corpus": None if corpus is None else CorpusRecord.from_dict(corpus),
                "labelling": None if labelling is None else LabellingRecord.from_dict(labelling),
                "tests": tests,
            }
        )
        for each in (read.labels, read.settings, read.n_per_label, read.versions, read.files):
            each.items()
        return read


def write_run(run: TrainedRun, folder: Path) -> TrainedRun:
    """Write `run.json` beside the files of a model that was just saved; return what it says."""
    files = {path.name: _sha256(path) for path in sorted(folder.iterdir()) if path.name != RECORD}
    run = replace(run, files=files)
    (folder / RECORD).write_bytes(run.as_json())
    return run


def read_run(folder: Path) -> TrainedRun:
    """Read the run in `folder` and see that its files are those that it was written with.

    Raises:
        UserError: It holds no run, or a file is missing or was changed.
    """
    path = folder / RECORD
    if not path.is_file():
        raise UserError(
            f"{folder}: holds no trained model ({RECORD} is missing); make one with "
            "understudy train TASK --arm ARM --out RUN"
        )
    run = parse_run(path.read_bytes(), str(path))
    if WEIGHTS not in run.files:
        raise UserError(f"{path}: names no {WEIGHTS}; train it again")
    for name, digest in run.files.items():
        file = folder / name
        if Path(name).name != name or not file.is_file() or _sha256(file) != digest:
            raise UserError(f"{file}: is missing, or not the file that was trained; train it again")
    return run


def parse_run(content: bytes, what: str) -> TrainedRun:
    """Read the content of a `run.json`.

    Args:
        content: The bytes.
        what: How the message names it.

    Raises:
        UserError: It is none.
    """
    try:
        return TrainedRun.from_dict(json.loads(content))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UserError(
            f"{what}: is no record of a run of this version ({type(error).__name__}: {error}); "
            "train it again"
        ) from error


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
