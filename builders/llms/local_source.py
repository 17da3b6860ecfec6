"""Which model of `transformers`: where its files are, and what tells its versions apart."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from builders.errors import UserError

_DECIDING = ("*.safetensors", "*.json", "*.jinja", "*.txt", "*.model")


@dataclass(frozen=True)
class ModelSource:
    """Where a model's files are, and which they are.

    Attributes:
        name: As the user named it, without the revision.
        path: What `from_pretrained` takes: a repository on the Hub, or a folder.
        revision: The commit; None for a folder.
        version: What tells its answers from another version's: the commit, or a hash of the files.
    """

    name: str
    path: str
    revision: str | None
    version: str

    @classmethod
    def find(cls, name: str) -> Self:
        """Find `REPO`, `REPO@REVISION` or a folder; nothing but a configuration is fetched.

        Raises:
            UserError: There is none.
        """
        if Path(name).is_dir():
            folder = Path(name)
            return cls(folder.resolve().name, name, None, _fingerprint(folder)[:16])
        repo, _, revision = name.partition("@")
        with loading(name):
            from huggingface_hub import snapshot_download

            # Offline this is the commit in the cache, and its name is what the ledger holds.
            folder = Path(
                snapshot_download(repo, revision=revision or None, allow_patterns=["config.json"])
            )
        return cls(repo, repo, folder.name, folder.name)


@contextmanager
def loading(name: str) -> Iterator[None]:
    """Find or load a model inside: without the library's bars, its errors as one line.

    Raises:
        UserError: The libraries cannot do it.
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
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise UserError(
            f"--llm transformers:{name}: cannot be loaded ({said}); name a repository on the Hub "
            "that can be reached or is in the cache, or a folder that save_pretrained wrote"
        ) from error
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _fingerprint(folder: Path) -> str:
    """Hash the files that decide a folder's answers: a model trained further has another name."""
    digest = hashlib.sha256()
    for file in sorted({file for pattern in _DECIDING for file in folder.glob(pattern)}):
        with file.open("rb") as opened:
            own = hashlib.file_digest(opened, "sha256").hexdigest()
        digest.update(f"{file.name}\x00{own}\n".encode())
    return digest.hexdigest()
