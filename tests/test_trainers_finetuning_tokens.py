"""Token ids: cut at what the encoder takes, counted, and the tokenizers that are refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from tiny_encoder import save_tiny_encoder

from builders.errors import UserError
from trainers.encoders import load_encoder
from trainers.finetuning.tokens import limit_of, load_tokenizer, tokenise


def model_of(folder: Path) -> Any:
    """Return the sequence classifier of a tiny encoder."""
    from transformers import AutoModelForSequenceClassification

    return AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2)


@pytest.mark.parametrize(("kind", "limit"), [("bert", 20), ("roberta", 19), ("modernbert", 20)])
def test_an_encoder_takes_as_many_tokens_as_it_has_positions(
    tmp_path: Path, kind: str, limit: int
) -> None:
    """Of 20 positions RoBERTa, whose padding is 0, uses those from 1; a text that long passes."""
    import torch

    folder = save_tiny_encoder(tmp_path / kind, kind, positions=20)
    model, tokenizer = model_of(folder), load_tokenizer(load_encoder(str(folder)))

    assert limit_of(model, tokenizer, 256) == limit
    assert limit_of(model, tokenizer, 8) == 8
    tokens = tokenise(tokenizer, ["the kettle " * 40], limit)
    ids = torch.tensor([tokens[0]["input_ids"]])
    assert ids.shape == (1, limit)
    assert torch.isfinite(model(input_ids=ids).logits).all()


def test_an_encoder_that_takes_any_length_takes_what_is_asked(tmp_path: Path) -> None:
    """XLNet says -1 of its positions, which is no limit."""
    from transformers import XLNetConfig, XLNetForSequenceClassification

    config = XLNetConfig(vocab_size=60, d_model=16, n_layer=1, n_head=2, d_inner=32)
    tokenizer = load_tokenizer(load_encoder(str(save_tiny_encoder(tmp_path / "bert"))))

    assert config.max_position_embeddings == -1
    assert limit_of(XLNetForSequenceClassification(config), tokenizer, 256) == 256


def test_texts_that_are_cut_are_counted(tmp_path: Path) -> None:
    """A text of 3 words has 5 tokens with its ends: at 5 it fits, one of 4 words is cut."""
    tokenizer = load_tokenizer(load_encoder(str(save_tiny_encoder(tmp_path / "bert"))))

    tokens = tokenise(tokenizer, ["a mug again", "a mug never again", "mug"], 5)

    assert tokens.lengths == [5, 5, 3]
    assert tokens.cut == 1


def test_rows_hold_what_a_step_needs(tmp_path: Path) -> None:
    """Sorted by falling length with their columns, and the way back."""
    tokenizer = load_tokenizer(load_encoder(str(save_tiny_encoder(tmp_path / "bert"))))
    tokens = tokenise(tokenizer, ["mug", "a mug again", "a mug"], 9, {"labels": [7, 8, 9]})

    ordered, order = tokens.longest_first()

    assert [row["labels"] for row in ordered.rows] == [8, 9, 7]
    assert order == [1, 2, 0]


def test_an_encoder_without_a_fast_tokenizer_is_refused(tmp_path: Path) -> None:
    """A tokenizer in Python alone, as CANINE's, which reads characters."""
    from transformers import CanineTokenizer

    folder = save_tiny_encoder(tmp_path / "bert")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    CanineTokenizer().save_pretrained(folder)
    (folder / "vocab.txt").write_text("")  # a folder without a vocabulary is refused before

    with pytest.raises(UserError, match="has no fast tokenizer"):
        load_tokenizer(load_encoder(str(folder)))


def test_a_tokenizer_that_cannot_pad_is_refused(tmp_path: Path) -> None:
    """As those of language models."""
    folder = save_tiny_encoder(tmp_path / "bert")
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text())
    config.pop("pad_token")
    path.write_text(json.dumps(config))

    with pytest.raises(UserError, match="has no padding token"):
        load_tokenizer(load_encoder(str(folder)))


def test_a_length_that_leaves_no_token_of_a_text_is_refused(tmp_path: Path) -> None:
    """The two ends take two: at 2 the tokenizer would not cut at all, at 3 a token is left."""
    folder = save_tiny_encoder(tmp_path / "bert")
    model, tokenizer = model_of(folder), load_tokenizer(load_encoder(str(folder)))

    with pytest.raises(UserError, match=r"max_length 2: 2 tokens .*; give at least 3"):
        limit_of(model, tokenizer, 2)
    assert tokenise(tokenizer, ["a mug again"], limit_of(model, tokenizer, 3)).lengths == [3]
