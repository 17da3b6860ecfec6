"""The probe: frozen vectors, one head; losses with checkers; a model that transformers loads."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from tiny_encoder import save_tiny_encoder

from builders.data import LabelledTexts
from builders.errors import UserError
from trainers.base import Job
from trainers.embeddings import Embeddings, Pooling
from trainers.encoders import EMBEDDED, Encoder, load_encoder
from trainers.heads import HIDDEN, HeadSettings
from trainers.losses import LOSSES, Confident, Importance, Loss, create_loss
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


def weighing(encoder: Encoder, loss: Loss, per_label: int = 4) -> Probe:
    """Return a probe with a loss and real texts for its checker, trained in few steps."""
    settings = HeadSettings(epochs=2, min_steps=30, batch_size=16, learning_rate=1e-2)
    return Probe(encoder, Embeddings(encoder), settings, loss, labelled(WORDS[5:]), per_label)


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


# Losses and their checkers


@pytest.mark.parametrize("name", LOSSES)
def test_a_probe_learns_by_every_loss(encoder: Encoder, name: str) -> None:
    """Each loss tells the two subjects apart on texts that were not in training."""
    own = weighing(encoder, create_loss(name))

    outcome = own.run(labelled(WORDS[:5]), labelled(WORDS[5:]), seed=0)

    np.testing.assert_array_equal(outcome.predictions, labelled(WORDS[5:]).labels)


def flipped(texts: LabelledTexts, every: int) -> LabelledTexts:
    """Give every so many-th text the other label."""
    labels = tuple(1 - y if i % every == 0 else y for i, y in enumerate(texts.labels))
    return LabelledTexts(texts.texts, labels, texts.label_names, texts.ids)


def test_checkers_are_heads_on_the_same_vectors(encoder: Encoder) -> None:
    """A checker judges as a plain probe does that was trained on the same texts by that seed."""
    own = weighing(encoder, Importance())
    train, texts = labelled(WORDS[:3]), labelled(WORDS[3:])

    judged = own.judge(train, texts.texts, seed=5)

    plain = probe(encoder, settings=own.head_settings).run(train, texts, seed=5)
    np.testing.assert_array_equal(judged, plain.probabilities)


def test_wrong_labels_are_left_out_and_counted(encoder: Encoder) -> None:
    """Of 48 texts every eighth has the wrong label: confident learning finds most of the six."""
    train = flipped(labelled(), 8)
    own = weighing(encoder, Confident())
    known = own.loss.example_weights(
        train, lambda seen, texts: own.judge(seen, texts, seed=0), None
    )

    outcome = own.run(train, labelled(), seed=0)

    left_out = np.flatnonzero(known.weights == 0)
    assert outcome.details["left_out"] == len(left_out) >= 4
    assert set(left_out) <= set(range(0, 48, 8))


def test_the_seed_draws_the_checkers_real_texts(encoder: Encoder) -> None:
    """Two of the nine real texts of each label are drawn: four in all, others by another seed."""
    own = weighing(encoder, Importance(), per_label=2)

    outcome = own.run(labelled(WORDS[:2]), labelled(WORDS[5:]), seed=0)

    assert outcome.details["checker_size"] == 4
    first, again, other = (own.checker_texts(seed).texts for seed in (0, 0, 1))
    assert first == again != other


def test_a_checker_without_real_texts_is_refused_before_any_work(encoder: Encoder) -> None:
    """A loss that needs real texts says so when the probe is made."""
    with pytest.raises(UserError, match=r"--loss imp: .* give --real PATH"):
        Probe(encoder, Embeddings(encoder), loss=Importance())


# Several at once


@pytest.mark.parametrize("name", ["cross_entropy", "imp", "dimp"])
def test_many_runs_at_once_are_those_alone(encoder: Encoder, name: str) -> None:
    """Three seeds and a larger training set give, together, the outcomes that each gives alone."""
    own = weighing(encoder, create_loss(name))
    test = labelled(WORDS[5:])
    jobs = [Job(labelled(WORDS[i : i + 2]), seed) for i, seed in enumerate((7, 1, 4))]
    jobs.insert(1, Job(labelled(WORDS[:5]), 7))

    together = own.run_many(jobs, test)

    for job, outcome in zip(jobs, together, strict=True):
        alone = own.run(job.train, test, job.seed)
        np.testing.assert_array_equal(outcome.predictions, alone.predictions)
        assert outcome.probabilities is not None and alone.probabilities is not None
        np.testing.assert_allclose(outcome.probabilities, alone.probabilities, atol=1e-5)
        assert outcome.details == alone.details


def test_many_runs_leave_the_global_generator_alone(encoder: Encoder) -> None:
    """Neither initial weights, order, dropout nor checkers draw from it."""
    own = weighing(encoder, Importance())
    train, test = labelled(WORDS[:4]), labelled(WORDS[5:])
    own.run(train, test, 0)  # embeds, and loads what is loaded once
    before = torch.get_rng_state()

    own.run_many([Job(train, 1), Job(train, 2)], test)

    assert torch.equal(torch.get_rng_state(), before)


def test_probabilities_belong_to_the_predictions(encoder: Encoder) -> None:
    """A row a test text, summing to 1, the largest at the predicted label."""
    outcome = probe(encoder).run(labelled(WORDS[:5]), labelled(WORDS[5:]), seed=0)

    assert outcome.probabilities is not None
    assert outcome.probabilities.dtype == np.float32
    assert outcome.probabilities.shape == (18, 2)
    np.testing.assert_allclose(outcome.probabilities.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(outcome.probabilities.argmax(axis=1), outcome.predictions)


def test_without_test_texts_there_is_nothing_to_predict(encoder: Encoder) -> None:
    """The head is trained; predictions and probabilities are empty."""
    outcome = probe(encoder).run(labelled(WORDS[:2]), labelled().select(()), seed=0)

    assert outcome.predictions.shape == (0,)
    assert outcome.probabilities is not None
    assert outcome.probabilities.shape == (0, 2)


# Other encoders


@pytest.mark.parametrize("kind", ["bert", "roberta", "modernbert"])
def test_any_encoder_carries_a_probe(kind: str, tmp_path: Path) -> None:
    """BERT, RoBERTa and ModernBERT give vectors to learn from, of texts too long for them too."""
    tiny = load_encoder(str(save_tiny_encoder(tmp_path / kind, kind, positions=24)))
    food, weather = "the kettle and the mug was ", "we found trail boots on the ridge "
    texts = tuple(form * n for form in (food, weather) for n in (1, 2, 3, 30))
    train = LabelledTexts(texts, (0,) * 4 + (1,) * 4, ("tea", "walk"), texts)

    own = Probe(tiny, Embeddings(tiny, folder=tmp_path), HeadSettings(dropout=0.0))

    np.testing.assert_array_equal(own.run(train, train, seed=0).predictions, train.labels)


def test_first_is_refused_without_a_pooler_whatever_the_encoder(tmp_path: Path) -> None:
    """ModernBERT has no pooler to start from."""
    tiny = load_encoder(str(save_tiny_encoder(tmp_path, "modernbert")))

    with pytest.raises(UserError, match="has no BERT pooler; use --pooling mean"):
        probe(tiny, "first")


def test_a_probe_on_roberta_cannot_be_published(tmp_path: Path) -> None:
    """It has a pooler, but its classifier in transformers is another one."""
    tiny = load_encoder(str(save_tiny_encoder(tmp_path, "roberta")))

    with pytest.raises(UserError, match="of type roberta, not bert"):
        probe(tiny, "first").check_savable()


def test_settings_say_what_decides(encoder: Encoder) -> None:
    """Pooling and every setting of the head are in the settings that a run's key hashes."""
    one = probe(encoder).settings
    changed = probe(encoder, settings=HeadSettings(learning_rate=0.5)).settings

    assert (one["pooling"], one["loss"]) == ("mean", "cross_entropy")
    assert one != probe(encoder, "first").settings
    assert one != changed


def test_settings_say_what_the_checker_learned_from(encoder: Encoder) -> None:
    """The real texts and how many of them are drawn decide too, where a loss needs them."""
    few, many = (weighing(encoder, Importance(), n).settings for n in (2, 3))
    without = weighing(encoder, Confident(), 2).settings

    assert few["checker_pool"] == labelled(WORDS[5:]).content_hash
    assert (few["checker_per_label"], many["checker_per_label"]) == (2, 3)
    assert not {"checker_pool", "checker_per_label"} & set(without)


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
