"""A trained classifier as a folder: what is in it, and that a `pipeline` gives the same logits."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hub_server import HubServer, running_hub
from numpy.typing import NDArray

from builders.data import LabelledTexts
from builders.errors import UserError
from trainers.embeddings import Embeddings
from trainers.encoders import EMBEDDED, load_encoder
from trainers.finetune import Finetune, FinetuneSettings
from trainers.probe import Probe
from trainers.run_folder import TrainedRun, read_run, write_run

FOOD = ("The soup was {}.", "Our bread is {} today.", "She called the noodles {}.")
WEATHER = ("The storm turned {}.", "A {} wind blew all night.", "Tomorrow's rain will be {}.")
WORDS = ("warm", "strange", "late", "heavy", "good")
TEXTS = ["Warm soup!", "Umläute, 東京!", "and then it rained on the soup, " * 200, ""]
NAMES = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]

LOGITS = """
import json, sys
from transformers import pipeline
where, revision, texts = sys.argv[1], sys.argv[2] or None, json.loads(sys.argv[3])
classify = pipeline("text-classification", model=where, revision=revision, device="cpu")
given = classify(texts, top_k=None, function_to_apply="none", truncation=True)
print(json.dumps([{each["label"]: each["score"] for each in one} for one in given]))
"""


def labelled() -> LabelledTexts:
    """Return texts about food (0) and about the weather (1)."""
    pairs = [
        (form.format(word), y) for y, f in ((0, FOOD), (1, WEATHER)) for form in f for word in WORDS
    ]
    texts, labels = zip(*pairs, strict=True)
    return LabelledTexts(texts, labels, ("food", "weather"), tuple(map(str, range(len(texts)))))


def record(**changed: Any) -> TrainedRun:
    """Return what is known of a classifier of the texts above."""
    labels = {"food": "about food", "weather": "about the weather"}
    known = {"seed": 0, "settings": {}, "n_per_label": {"food": 15, "weather": 15}}
    known |= {"encoder": "minilm", "encoder_fingerprint": "f", "train_hash": "t"}
    named = {"task": "subjects", "title": "Subjects", "description": "About what?"}
    return TrainedRun(
        **{**named, "labels": labels, "arm": "real", "trainer": "probe", **known, **changed}
    )


@dataclass(frozen=True)
class Saved:
    """A probe and its folder.

    Attributes:
        folder: The folder.
        logits: The head's logits of `TEXTS` (n, 2).
    """

    folder: Path
    logits: NDArray[np.float32]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Saved:
    """Train a probe on the first token and write its folder."""
    encoder = load_encoder(EMBEDDED)
    probe = Probe(encoder, Embeddings(encoder, "first"))
    head, _ = probe.fit(labelled(), seed=0)
    folder = tmp_path_factory.mktemp("saved")
    probe.save_model(head, labelled().label_names, folder)
    write_run(record(), folder)
    with torch.inference_mode():
        logits = head(torch.from_numpy(probe.embeddings.of(TEXTS))).numpy()
    return Saved(folder, logits)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    """Run a Hub."""
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


def as_array(printed: str) -> NDArray[np.float64]:
    """Read the logits that `LOGITS` printed."""
    return np.array([[one["food"], one["weather"]] for one in json.loads(printed)])


@pytest.mark.slow
def test_a_pipeline_from_the_folder_gives_the_probes_logits(saved: Saved) -> None:
    """In a fresh process, to 1e-5, on empty and on cut texts too."""
    arguments = [sys.executable, "-c", LOGITS, str(saved.folder), "", json.dumps(TEXTS)]
    printed = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout

    np.testing.assert_allclose(as_array(printed), saved.logits, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("xet", [False, True])
def test_a_pipeline_from_the_hub_gives_the_probes_logits(
    saved: Saved, hub: HubServer, xet: bool
) -> None:
    """Pushed, then loaded by its tag in a process with an empty cache: the same to 1e-5."""
    name = f"acme/subjects-{xet}"
    code = "import sys; from pathlib import Path; from push_scripts.push_model import push_model;"
    code += "print(*push_model(Path(sys.argv[1]), sys.argv[2]).lines())"
    pushed = hub.run(["-c", code, str(saved.folder), name], xet=xet)
    assert pushed.code == 0, pushed.err

    arguments = ["-c", LOGITS, name, "v1.0.0", json.dumps(TEXTS)]
    loaded = hub.run(arguments, token="hf_reader", xet=xet)

    assert loaded.code == 0, loaded.err
    np.testing.assert_allclose(as_array(loaded.out), saved.logits, atol=1e-5)


def test_a_folder_holds_the_model_and_nothing_else(saved: Saved) -> None:
    """Weights as safetensors, JSON, the record: no pickle, no state of an optimiser."""
    assert sorted(path.name for path in saved.folder.iterdir()) == sorted([*NAMES, "run.json"])


def test_a_folder_names_no_place_on_this_machine(saved: Saved) -> None:
    """Neither the encoder's folder nor the folder itself stands in what would be published."""
    encoder = load_encoder(EMBEDDED).path
    for name in ("config.json", "tokenizer_config.json", "run.json"):
        text = (saved.folder / name).read_text()
        assert str(encoder.parent) not in text
        assert str(saved.folder) not in text


def test_the_configuration_names_the_labels(saved: Saved) -> None:
    """Both ways, and the architecture is BERT's own classifier."""
    config = json.loads((saved.folder / "config.json").read_text())

    assert config["id2label"] == {"0": "food", "1": "weather"}
    assert config["label2id"] == {"food": 0, "weather": 1}
    assert config["architectures"] == ["BertForSequenceClassification"]


def test_run_and_save_is_run(tmp_path: Path) -> None:
    """It predicts what `run` predicts, with the weights that `fit` gives."""
    encoder = load_encoder(EMBEDDED)
    probe = Probe(encoder, Embeddings(encoder, "first"))
    outcome = probe.run_and_save(labelled(), labelled(), 3, tmp_path)

    plain = probe.run(labelled(), labelled(), 3)
    np.testing.assert_array_equal(outcome.predictions, plain.predictions)
    assert outcome.details == plain.details
    from safetensors.torch import load_file

    head, _ = probe.fit(labelled(), 3)
    weights = load_file(tmp_path / "model.safetensors")
    assert torch.equal(weights["classifier.weight"], head[3].state_dict()["weight"])
    assert torch.equal(weights["bert.pooler.dense.weight"], head[0].state_dict()["weight"])


def test_a_run_without_test_texts_is_saved(tmp_path: Path) -> None:
    """Nothing is predicted then, and the model is there."""
    encoder = load_encoder(EMBEDDED)
    probe = Probe(encoder, Embeddings(encoder, "first"))
    outcome = probe.run_and_save(labelled(), labelled().select(()), 0, tmp_path)

    assert outcome.predictions.shape == (0,)
    assert (tmp_path / "model.safetensors").is_file()


def test_a_mean_probe_is_refused_before_any_work(tmp_path: Path) -> None:
    """Nothing is embedded and nothing written."""
    encoder = load_encoder(EMBEDDED)
    probe = Probe(encoder, Embeddings(encoder, "mean", tmp_path / "cache"))

    with pytest.raises(UserError, match="mean pooling is no model"):
        probe.run_and_save(labelled(), labelled(), 0, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_fine_tuned_model_is_saved(tmp_path: Path) -> None:
    """Loaded again it predicts what it predicted, cut at the length it was trained with."""
    from transformers import pipeline

    settings = FinetuneSettings(epochs=1, batch_size=8, max_length=16)
    outcome = Finetune(load_encoder(EMBEDDED), settings).run_and_save(
        labelled(), labelled(), 0, tmp_path
    )

    classify = pipeline("text-classification", str(tmp_path), device="cpu")
    given: Any = classify(list(labelled().texts), truncation=True)
    names = [labelled().label_names[i] for i in outcome.predictions]
    assert [each["label"] for each in given] == names
    assert sorted(path.name for path in tmp_path.iterdir()) == NAMES
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert config["model_max_length"] == 16


# The record


def test_a_record_is_read_back(saved: Saved) -> None:
    """With the hash of every file that it was written beside."""
    read = read_run(saved.folder)

    assert read == record(files=read.files)
    assert sorted(read.files) == NAMES


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    """A file that is not the one that was trained is named."""
    (tmp_path / "model.safetensors").write_bytes(b"one")
    write_run(record(), tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"two")

    with pytest.raises(UserError, match=r"model\.safetensors: is missing, or not the file"):
        read_run(tmp_path)


@pytest.mark.parametrize("name", ["../secret", "sub/secret"])
def test_a_file_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    """A record cannot make a push read outside of its folder, not even a file whose hash it has."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run/model.safetensors").write_bytes(b"one")
    values = json.loads(write_run(record(), tmp_path / "run").as_json())
    (tmp_path / "run/sub").mkdir()
    for place in ("secret", "run/sub/secret"):
        (tmp_path / place).write_bytes(b"one")
    values["files"][name] = values["files"]["model.safetensors"]
    (tmp_path / "run/run.json").write_text(json.dumps(values))

    with pytest.raises(UserError, match="secret: is missing, or not the file"):
        read_run(tmp_path / "run")


def test_a_folder_without_a_record_is_no_run(tmp_path: Path) -> None:
    """The message says how to make one."""
    with pytest.raises(UserError, match="understudy train TASK"):
        read_run(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"corpus": null, "tests": [1]}', "null"])
def test_a_damaged_record_is_refused(tmp_path: Path, content: str) -> None:
    """Whatever it holds, it is one line that names the file."""
    (tmp_path / "run.json").write_text(content)

    with pytest.raises(UserError, match=r"run\.json: is no record of a run"):
        read_run(tmp_path)
