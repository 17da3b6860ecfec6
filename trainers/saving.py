"""A trained classifier as a folder that `transformers` loads: weights, settings, tokenizer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from trainers.encoders import Encoder, loading

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel


def save_classifier(
    model: PreTrainedModel,
    encoder: Encoder,
    folder: Path,
    max_length: int | None = None,
    weights: dict[str, torch.Tensor] | None = None,
) -> None:
    """Write `model` and the tokenizer of `encoder` to `folder`: safetensors and JSON, no pickles.

    Args:
        model: A sequence classifier whose configuration names its labels.
        encoder: What it was made from.
        folder: A new or empty folder.
        max_length: Tokens of a text at most, where the model was trained on fewer than it can take.
        weights: Its weights, where they were spread over several processes; None for its own.
    """
    from transformers import AutoTokenizer

    with loading(encoder):
        tokenizer = AutoTokenizer.from_pretrained(encoder.path, trust_remote_code=False)
    if max_length is not None:
        tokenizer.model_max_length = min(max_length, tokenizer.model_max_length)
    with _quiet():
        model.save_pretrained(folder, state_dict=weights)
        tokenizer.save_pretrained(folder)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's bar off the terminal: writing takes less than a second."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
