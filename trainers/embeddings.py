"""Texts as vectors: computed once, kept on disk by content, shared by every arm and seed."""

import contextlib
import hashlib
import os
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from builders.errors import UserError
from trainers.base import Cut
from trainers.encoder_parts import check_loaded, check_vocabulary
from trainers.encoders import Encoder, loading
from trainers.encoding import encode

Pooling = Literal["mean", "first"]
Vectors = NDArray[np.float32]

SEGMENT = 1024
"""Texts a segment: what a kill can lose is the work on one."""


def cache_folder() -> Path:
    """Return `$UNDERSTUDY_CACHE`, or `understudy` in the user's cache folder."""
    own = os.environ.get("UNDERSTUDY_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "understudy"


class Embeddings:
    """Vectors of texts under one encoder and pooling.

    The cache is a folder of immutable segments (safetensors: the SHA-256 of each text, its vector,
    and a seal over both), written under a temporary name and renamed: two processes may share it.
    A segment whose seal does not fit, damaged or of another encoder, counts for nothing.

    Args:
        encoder: The frozen encoder.
        pooling: `mean` over the tokens, scaled to unit length, as the encoder was trained; or
            `first`, the last hidden state of the first token.
        folder: The cache; None for `cache_folder()`.
        progress: Called with the number of texts that were just encoded.
    """

    def __init__(
        self,
        encoder: Encoder,
        pooling: Pooling = "mean",
        folder: Path | None = None,
        progress: Callable[[int], object] = lambda n: None,
    ) -> None:
        self.encoder = encoder
        self.pooling = pooling
        self.progress = progress
        self.encoded = 0
        root = cache_folder() if folder is None else folder
        self.folder = root / "embeddings" / f"{encoder.fingerprint[:32]}-{pooling}"
        self._model: Any = None
        self._known: dict[bytes, NDArray[np.float32]] = {}
        self._read: set[str] = set()

    def of(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of `texts`, float32 of shape (n, dimension); (0, 0) of no texts.

        Only texts that are not in the cache are encoded, each once.

        Raises:
            UserError: The cache cannot be written, or the encoder cannot be loaded.
        """
        keys = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        if any(key not in self._known for key in keys):
            self._read_segments()
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        # Long texts first: a segment holds texts of similar length, so little is padding.
        order = sorted(new, key=lambda key: len(new[key]), reverse=True)
        for start in range(0, len(order), SEGMENT):
            part = order[start : start + SEGMENT]
            self._keep(part, self._encode([new[key] for key in part]))
            self.progress(len(part))
        if not keys:
            return np.zeros((0, 0), dtype=np.float32)
        return np.stack([self._known[key] for key in keys])

    def missing(self, texts: Sequence[str]) -> int:
        """Count the distinct texts that are not in the cache yet."""
        self._read_segments()
        keys = {hashlib.sha256(t.encode("utf-8", "surrogatepass")).digest() for t in texts}
        return len(keys - self._known.keys())

    def cut(self, texts: Sequence[str]) -> Cut:
        """Count the texts that are longer than the encoder takes.

        Raises:
            UserError: The encoder cannot be loaded.
        """
        model = self._loaded()
        limit = model.max_seq_length
        if limit is None:
            return Cut(0, None)
        # A token is a byte or more, but for the ends of a text and what marks its first word.
        long = [text for text in texts if len(text.encode(errors="replace")) + 8 > limit]
        ids = model.tokenizer(long, truncation=False, verbose=False)["input_ids"] if long else []
        return Cut(sum(len(own) > limit for own in ids), int(limit))

    def _loaded(self) -> Any:
        if self._model is None:
            with loading(self.encoder):
                model = _load_model(self.encoder, self.pooling)
                check_loaded(self.encoder, model[0].auto_model)
                check_vocabulary(self.encoder, model[0].auto_model, model.tokenizer)
            self._model = model
        return self._model

    def _encode(self, texts: list[str]) -> Vectors:
        self.encoded += len(texts)
        return encode(self._loaded(), texts, unit_length=self.pooling == "mean")

    def _keep(self, keys: list[bytes], vectors: Vectors) -> None:
        from safetensors import SafetensorError
        from safetensors.numpy import save_file

        name = hashlib.sha256(b"".join(keys)).hexdigest()[:32] + ".safetensors"
        hidden = self.folder / f".{name}.{uuid.uuid4().hex}"
        table = np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), 32)
        vectors = np.ascontiguousarray(vectors)
        seal = self._seal(table, vectors)
        segment: dict[str, NDArray[Any]] = {"keys": table, "vectors": vectors, "seal": seal}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            save_file(segment, hidden)
            os.replace(hidden, self.folder / name)
        except (OSError, SafetensorError) as error:  # the latter on a full disk
            raise UserError(
                f"cannot write the embedding cache {self.folder} ({error}): free space there, or "
                "set UNDERSTUDY_CACHE to a folder that can be written"
            ) from error
        finally:
            with contextlib.suppress(OSError):
                hidden.unlink(missing_ok=True)
        self._read.add(name)
        self._known.update(zip(keys, vectors, strict=True))

    def _read_segments(self) -> None:
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        for path in sorted(self.folder.glob("*.safetensors")):
            if path.name in self._read:
                continue
            try:
                segment = load_file(path)
                keys, vectors, seal = segment["keys"], segment["vectors"], segment["seal"]
                fits = np.array_equal(seal, self._seal(keys, vectors))
            except (SafetensorError, OSError, KeyError):
                continue  # damaged from outside: its texts are encoded again
            if fits:
                self._read.add(path.name)
                self._known.update(zip(map(bytes, keys), vectors, strict=True))

    def _seal(self, keys: NDArray[np.uint8], vectors: Vectors) -> NDArray[np.uint8]:
        """Return a hash of a segment's content and of the encoder and pooling it belongs to."""
        digest = hashlib.sha256(self.folder.name.encode())
        digest.update(keys.tobytes() + vectors.tobytes())
        return np.frombuffer(digest.digest(), dtype=np.uint8)


def _load_model(encoder: Encoder, pooling: Pooling) -> Any:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules

    safe: dict[str, Any] = {"trust_remote_code": False}
    of_model = {**safe, "ignore_mismatched_sizes": True}  # `check_loaded` names them
    if pooling == "mean":
        model = SentenceTransformer(str(encoder.path), **safe, model_kwargs=of_model)
    else:
        tokens = modules.Transformer(
            str(encoder.path), model_kwargs=of_model, processor_kwargs=safe, config_kwargs=safe
        )
        first = modules.Pooling(tokens.get_embedding_dimension(), pooling_mode="cls")
        model = SentenceTransformer(modules=[tokens, first])
    _cut_to_positions(model)
    return model.float()  # some encoders are stored in half precision, and would compute in it


def _cut_to_positions(model: Any) -> None:
    """Cut texts where the encoder's positions end.

    A RoBERTa counts them from after its padding token, so that its table holds more than a text can
    have; a tokenizer that states no limit leaves the size of the table as the limit.
    """
    parts = getattr(model[0].auto_model, "embeddings", None)
    table = getattr(parts, "position_embeddings", None)
    offset = getattr(table, "padding_idx", None)
    if table is not None and offset is not None:
        most = table.num_embeddings - offset - 1
        model.max_seq_length = min(model.max_seq_length or most, most)
