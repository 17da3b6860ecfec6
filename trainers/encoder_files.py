"""The files of an encoder: whether all are there, whole, and say what they must."""

import json
from pathlib import Path

from builders.errors import UserError

_VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json", "*.model")


def check_files(name: str, folder: Path) -> None:
    """Refuse early what would fail late, or not at all.

    Without a vocabulary transformers makes up a tokenizer that knows no word.

    Args:
        name: As the user named the encoder.
        folder: Where its files are.

    Raises:
        UserError: A file is missing or damaged, or says what it cannot.
    """
    from safetensors import SafetensorError, safe_open

    config = folder / "config.json"
    try:
        json.loads(config.read_text(encoding="utf-8"))["model_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"--encoder {name}: {config} is missing or states no model_type; name a folder that "
            "save_pretrained of transformers wrote"
        ) from error
    weights = [file for end in ("*.safetensors", "*.bin") for file in folder.glob(end)]
    if not weights:
        raise UserError(f"--encoder {name}: no weights in {folder}; it needs a model.safetensors")
    if not any(file for pattern in _VOCABULARIES for file in folder.glob(pattern)):
        raise UserError(
            f"--encoder {name}: no vocabulary in {folder}; save its tokenizer there too "
            f"({', '.join(_VOCABULARIES)})"
        )
    _check_length(name, folder / "tokenizer_config.json")
    for file in weights:
        if file.suffix == ".safetensors":
            try:
                safe_open(file, framework="numpy")
            except (SafetensorError, OSError) as error:
                raise UserError(
                    f"--encoder {name}: {file} is damaged ({one_line(error)}); fetch it again"
                ) from error


def _check_length(name: str, config: Path) -> None:
    try:
        length = json.loads(config.read_text(encoding="utf-8")).get("model_max_length")
    except (OSError, ValueError, AttributeError):
        return  # there need be none; what is no JSON object is refused where it is loaded
    if length is None:
        return
    if isinstance(length, bool) or not isinstance(length, int | float) or not length > 0:
        raise UserError(
            f"--encoder {name}: model_max_length in {config} is {json.dumps(length)}, not a "
            "number of tokens; correct it there, or take it out"
        )


def one_line(error: Exception) -> str:
    """Return the type of an error and what it says, cut, on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
