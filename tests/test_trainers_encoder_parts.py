"""Encoders whose parts do not belong together are refused, and their code is never run."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_encoder import WORDS, save_tiny_encoder
from training_world import of_each_label

from builders.errors import UserError
from trainers.embeddings import Embeddings
from trainers.encoders import load_encoder
from trainers.finetuning.fitting import Fitting
from trainers.finetuning.plan import Plan
from trainers.finetuning.settings import FinetuneSettings
from trainers.finetuning.tokens import encoder_limit
from trainers.word_pieces import word_pieces

TEXTS = of_each_label(4, "parts")
ROWS = 4 + len(WORDS)
WIDTH: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
    "vocab_size": ROWS,
}


def fitted(folder: Path) -> Fitting:
    """Return a training of the encoder in `folder` that is ready to start."""
    arguments = {"output_dir": str(folder.parent / "out"), "disable_tqdm": True, "max_steps": 1}
    settings = FinetuneSettings(batch_size=4, precision="fp32")
    return Fitting(Plan(load_encoder(str(folder)), settings, arguments), TEXTS)


def embedded(folder: Path) -> Any:
    """Return the vectors of a few texts."""
    return Embeddings(load_encoder(str(folder)), folder=folder.parent / "cache").of(TEXTS.texts)


def refusal(of: Callable[[Path], object], folder: Path) -> str:
    """Return the one line with which the encoder is refused."""
    with pytest.raises(UserError) as refused:
        of(folder)
    line = str(refused.value)
    assert line.startswith(f"--encoder {folder}: ")
    assert "\n" not in line
    return line


def set_in(file: Path, **changed: object) -> None:
    """Change keys of a JSON object."""
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))


def rename(folder: Path, name: Callable[[str], str]) -> None:
    """Give the weights in `folder` other names."""
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    held = {name(key): value.clone() for key, value in load_file(path).items()}
    save_file(held, path, metadata={"format": "pt"})


def with_model(folder: Path, model: Any) -> Path:
    """Write `model` beside the tokenizer of the tiny encoders."""
    save_tiny_encoder(folder)
    model.save_pretrained(folder)
    return folder


# Weights that do not fit


@pytest.mark.parametrize("prefix", ["module.", "0.auto_model."])
@pytest.mark.parametrize("of", [fitted, embedded])
def test_weights_under_other_names_are_refused(
    tmp_path: Path, of: Callable[[Path], object], prefix: str
) -> None:
    """As a wrapped model writes them: all would be random. The line says what they are called."""
    folder = save_tiny_encoder(tmp_path / "tiny")
    rename(folder, lambda key: prefix + key)

    line = refusal(of, folder)

    assert "embeddings.word_embeddings.weight and 20 others are missing" in line
    assert f"(there is {prefix}embeddings.word_embeddings.weight) and would be random" in line


CONFIGURATIONS: list[tuple[dict[str, Any], str]] = [
    ({"num_hidden_layers": 3}, "encoder.layer.1.attention.self.query.weight and 31 others are"),
    ({"model_type": "gpt2"}, "wte.weight and 15 others are missing"),
    ({"intermediate_size": 48}, "intermediate.dense.bias has the shape (32,), not (48,)"),
]


@pytest.mark.parametrize(("changed", "named"), CONFIGURATIONS)
@pytest.mark.parametrize("of", [fitted, embedded])
def test_a_configuration_of_other_weights_is_refused(
    tmp_path: Path, of: Callable[[Path], object], changed: dict[str, Any], named: str
) -> None:
    """More layers, another architecture, another width: the first weight that lacks is named."""
    folder = save_tiny_encoder(tmp_path / "tiny")
    set_in(folder / "config.json", **changed)

    assert named in refusal(of, folder)


def test_weights_without_a_pooler_are_taken(tmp_path: Path) -> None:
    """A head is new by nature, and masked language models have no pooler; both say nothing.

    Nor do tied weights, nor the names of older releases.
    """
    from transformers import (
        BertConfig,
        BertForMaskedLM,
        DistilBertConfig,
        DistilBertForMaskedLM,
        RobertaConfig,
        RobertaForMaskedLM,
    )

    distil = DistilBertConfig(vocab_size=ROWS, dim=16, n_layers=1, n_heads=2, hidden_dim=32)
    models = {
        "bert": BertForMaskedLM(BertConfig(**WIDTH)),
        "old": BertForMaskedLM(BertConfig(**WIDTH)),
        "roberta": RobertaForMaskedLM(RobertaConfig(**WIDTH, pad_token_id=0)),
        "distilbert": DistilBertForMaskedLM(distil),
    }
    for name, model in models.items():
        folder = with_model(tmp_path / name, model)
        if name == "old":
            rename(folder, lambda key: key.replace("Norm.weight", "Norm.gamma"))
        fitted(folder)
        assert embedded(folder).shape == (8, 16)


# Code that an encoder brings


def bring_code(folder: Path, mark: Path) -> None:
    """Have an encoder bring a module that leaves a mark when it is run."""
    (folder / "own.py").write_text(f"open({str(mark)!r}, 'w')\n")


@pytest.mark.parametrize(
    "of", [fitted, embedded, lambda folder: encoder_limit(load_encoder(str(folder)), 16)]
)
def test_code_that_an_encoder_brings_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of: Callable[[Path], object]
) -> None:
    """Nor is anybody asked whether to run it, who might say yes."""
    folder, mark = save_tiny_encoder(tmp_path / "tiny"), tmp_path / "mark"
    bring_code(folder, mark)
    own = {
        "AutoConfig": "own.C",
        "AutoModel": "own.M",
        "AutoModelForSequenceClassification": "own.M",
    }
    set_in(folder / "config.json", model_type="of_its_own", auto_map=own)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n" * 9))

    assert "Python code that it brings along, which is not run" in refusal(of, folder)
    assert not mark.exists()


@pytest.mark.parametrize(
    "of", [fitted, embedded, lambda folder: word_pieces(load_encoder(str(folder)), TEXTS.texts)]
)
def test_code_of_a_tokenizer_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of: Callable[[Path], object]
) -> None:
    """Its tokenizer.json is read as it stands."""
    folder, mark = save_tiny_encoder(tmp_path / "tiny"), tmp_path / "mark"
    bring_code(folder, mark)
    own = {"AutoTokenizer": [None, "own.T"]}
    set_in(folder / "tokenizer_config.json", tokenizer_class="OfItsOwn", auto_map=own)
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n" * 9))

    of(folder)

    assert not mark.exists()


# Tokenizers of other models


@pytest.mark.parametrize("of", [fitted, embedded])
def test_a_tokenizer_with_more_tokens_than_the_model_is_refused(
    tmp_path: Path, of: Callable[[Path], object]
) -> None:
    """The last word has the token 900, and the model rows for as many as there are words."""
    folder = save_tiny_encoder(tmp_path / "tiny")
    path = folder / "tokenizer.json"
    content = json.loads(path.read_text())
    content["model"]["vocab"]["again"] = 900
    path.write_text(json.dumps(content))

    assert f"tokens up to 900, and its table of tokens ends at {ROWS - 1}" in refusal(of, folder)


@pytest.mark.parametrize("own", [None, 3])
@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_a_language_model_pads_as_its_tokenizer_does(
    tmp_path: Path, kind: str, own: int | None
) -> None:
    """It judges the last token that is no padding: alone and padded, a text gets the same.

    So it does where its configuration names no padding, or another token.
    """
    import numpy as np
    from transformers import GPT2Config, GPT2Model, LlamaConfig, LlamaModel

    names: dict[str, Any] = {
        "n_layer": 1,
        "n_head": 2,
        "n_embd": 16,
        "vocab_size": ROWS,
        "n_positions": 64,
    }
    model: Any = (
        GPT2Model(GPT2Config(**names, pad_token_id=own))
        if kind == "gpt2"
        else LlamaModel(LlamaConfig(**WIDTH, pad_token_id=own))
    )
    fitting = fitted(with_model(tmp_path / kind, model))

    fitting.trainer.train()

    alone = fitting.probabilities(fitting.tokenised(["a mug"]))
    padded = fitting.probabilities(fitting.tokenised(["a mug", "the kettle was very " * 4]))
    np.testing.assert_allclose(padded[0], alone[0], atol=1e-5)
    fitting.save(tmp_path / "saved")
    assert json.loads((tmp_path / "saved" / "config.json").read_text())["pad_token_id"] == 0


def test_padding_stays_what_positions_are_counted_from(tmp_path: Path) -> None:
    """A RoBERTa whose tokenizer pads otherwise is saved with its own: positions hang on it."""
    from transformers import RobertaConfig, RobertaModel

    model = RobertaModel(RobertaConfig(**WIDTH, pad_token_id=1))

    fitting = fitted(with_model(tmp_path / "roberta", model))

    trained: Any = fitting.trainer.model
    assert trained.config.pad_token_id == 1
