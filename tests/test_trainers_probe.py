"""The probe: frozen vectors, one head; with `pooling=first` a model that transformers loads."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from builders.data import LabelledTexts
from builders.errors import UserError
from trainers.embeddings import Embeddings, Pooling
from trainers.encoders import EMBEDDED, Encoder, load_encoder
from trainers.heads import HIDDEN, HeadSettings
from trainers.probe import Probe

FOOD = ("The soup was {}.", "Our bread is {} today.", "She called the noodles {}.")
WEATHER = ("The storm turned {}.", "A {} wind blew all night.", "Tomorrow's rain will be {}.")
WORDS = ("warm", "strange", "late", "heavy", "good", "cold", "early", "thick")


def labelled(words: tuple[str, ...] = WORDS) -> LabelledTexts:
    """Return texts about food (0) and about the weather (1)."""
    pairs = [
        (form.format(word), y) for y, f in ((0, FOOD), (1, WEATHER)) for form in f for word in words
    ]
    texts, labels = zip(*pairs, strict=True)
    return LabelledTexts(texts, labels, ("food", "weather"), tuple(map(str, range(len(texts)))))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """Return the embedded encoder."""
    return load_encoder(EMBEDDED)


def probe(
    encoder: Encoder, pooling: Pooling = "mean", settings: HeadSettings | None = None
) -> Probe:
    """Return a probe over the session's cache."""
    return Probe(encoder, Embeddings(encoder, pooling), settings)


@pytest.mark.parametrize("pooling", ["mean", "first"])
def test_a_probe_learns(encoder: Encoder, pooling: Pooling) -> None:
    """Texts on two subjects are told apart with words that were not in training."""
    outcome = probe(encoder, pooling).run(labelled(WORDS[:5]), labelled(WORDS[5:]), seed=0)

    np.testing.assert_array_equal(outcome.predictions, labelled(WORDS[5:]).labels)
    assert outcome.seconds > 0


def test_a_probe_embeds_each_text_once(encoder: Encoder, tmp_path: Path) -> None:
    """Whatever the number of runs and seeds, 30 distinct texts are 30 encodings."""
    own = Probe(encoder, Embeddings(encoder, folder=tmp_path))
    train, test = labelled(WORDS[:3]), labelled(WORDS[3:5])

    for seed in (0, 1):
        own.run(train, test, seed)
        own.run(test, train, seed)

    assert own.embeddings.encoded == len(train) + len(test) == 30


def test_a_probe_is_decided_by_its_seed(encoder: Encoder) -> None:
    """One seed gives one head bit by bit, another seed another one."""
    heads = []
    for seed in (0, 0, 1):
        torch.rand(3)  # what was drawn before decides nothing
        heads.append(probe(encoder).fit(labelled(), seed)[0])

    first, again, other = (head.state_dict()["0.weight"] for head in heads)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_probe_leaves_the_global_generator_alone(encoder: Encoder) -> None:
    """Drawing the initial weights disturbs nothing that a caller draws from torch."""
    own = probe(encoder)
    own.prepare(list(labelled().texts))
    before = torch.get_rng_state()

    own.fit(labelled(), seed=3)

    assert torch.equal(torch.get_rng_state(), before)


def test_a_probe_on_the_mean_has_the_papers_hidden_layer(encoder: Encoder) -> None:
    """384 dimensions go through 768 hidden units to the labels."""
    head, _ = probe(encoder).fit(labelled(), seed=0)

    shapes = [tuple(parameter.shape) for parameter in head.parameters()]
    assert shapes == [(HIDDEN, 384), (HIDDEN,), (2, HIDDEN), (2,)]


def test_a_probe_on_the_first_token_starts_from_the_pooler(encoder: Encoder) -> None:
    """Untrained but for a vanishing learning rate, its hidden layer is the encoder's own pooler."""
    settings = HeadSettings(epochs=1, min_steps=1, learning_rate=1e-12, weight_decay=0.0)
    head, _ = probe(encoder, "first", settings).fit(labelled(), seed=0)

    stored = load_file(encoder.path / "model.safetensors")
    name = next(name for name in stored if name.endswith("pooler.dense.weight"))
    np.testing.assert_allclose(head.state_dict()["0.weight"].numpy(), stored[name], atol=1e-6)


def test_settings_say_what_decides(encoder: Encoder) -> None:
    """Pooling and every setting of the head are in the settings that a run's key hashes."""
    one = probe(encoder).settings
    changed = probe(encoder, settings=HeadSettings(learning_rate=0.5)).settings

    assert one["pooling"] == "mean"
    assert one != probe(encoder, "first").settings
    assert one != changed


# The model that can be published


@pytest.mark.slow
def test_a_pipeline_gives_the_logits_of_the_probe(encoder: Encoder, tmp_path: Path) -> None:
    """Saved with the tokenizer and loaded by `pipeline`, the model has the probe's logits to 1e-5.

    Also on a text that is cut at the encoder's limit of tokens.
    """
    from transformers import AutoTokenizer, pipeline

    own = probe(encoder, "first")
    head, _ = own.fit(labelled(), seed=0)
    texts = [*labelled().texts[:20], "Umläute, 東京!", "and then it rained on the soup, " * 200]
    own.as_sequence_classifier(head, labelled().label_names).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(encoder.path).save_pretrained(tmp_path)

    loaded = pipeline("text-classification", str(tmp_path), device="cpu")
    given: Any = loaded(texts, top_k=None, function_to_apply="none", truncation=True, batch_size=4)

    scores = [{each["label"]: each["score"] for each in one} for one in given]
    found = [[one["food"], one["weather"]] for one in scores]
    with torch.inference_mode():
        logits = head(torch.from_numpy(own.embeddings.of(texts))).numpy()
    np.testing.assert_allclose(found, logits, atol=1e-5)


def test_the_published_model_is_no_other_architecture(encoder: Encoder) -> None:
    """It is a `BertForSequenceClassification` that names the labels, in evaluation mode."""
    from transformers import BertForSequenceClassification

    own = probe(encoder, "first")
    head, _ = own.fit(labelled(), seed=0)

    model = own.as_sequence_classifier(head, ("food", "weather"))

    assert type(model) is BertForSequenceClassification
    assert model.config.id2label == {0: "food", 1: "weather"}
    assert model.config.label2id == {"food": 0, "weather": 1}
    assert not model.training


def test_a_probe_on_the_mean_cannot_be_published(encoder: Encoder) -> None:
    """Mean pooling is no model of transformers: the line says what to do."""
    own = probe(encoder)
    head, _ = own.fit(labelled(), seed=0)

    with pytest.raises(UserError, match=r"mean pooling .* pooling=first"):
        own.as_sequence_classifier(head, ("food", "weather"))


def test_first_needs_an_encoder_with_a_pooler(encoder: Encoder, tmp_path: Path) -> None:
    """An encoder without a pooler is refused at once, before anything is embedded."""
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((encoder.path / name).read_bytes())
    kept = {
        name: value
        for name, value in load_file(encoder.path / "model.safetensors").items()
        if "pooler" not in name
    }
    save_file(kept, tmp_path / "model.safetensors")

    with pytest.raises(UserError, match="has no BERT pooler; use --pooling mean"):
        probe(load_encoder(str(tmp_path)), "first")


def test_first_needs_weights_in_safetensors(encoder: Encoder, tmp_path: Path) -> None:
    """The pooler is read from `model.safetensors`; other weights are refused by the file's name."""
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes((encoder.path / name).read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"weights")

    with pytest.raises(UserError, match=r"needs a model\.safetensors"):
        probe(load_encoder(str(tmp_path)), "first")
