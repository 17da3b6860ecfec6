"""The pooler of a BERT: the layer that a head on the first token starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from builders.errors import UserError
from trainers.encoders import Encoder

if TYPE_CHECKING:
    import torch


def pooler_weights(encoder: Encoder) -> dict[str, torch.Tensor]:
    """Return `weight` and `bias` of the pooler of `encoder`.

    Raises:
        UserError: It has none, or its weights are not in safetensors.
    """
    from safetensors import safe_open

    path = encoder.path / "model.safetensors"
    if not path.is_file():
        raise UserError(
            f"--pooling first: needs a model.safetensors in {encoder.path}; use --pooling mean"
        )
    with safe_open(path, framework="pt") as weights:
        names = [name for name in weights.keys() if "pooler" in name]  # noqa: SIM118 - no dict
        found = {name.split("pooler.dense.")[-1]: name for name in names}
        if set(found) != {"weight", "bias"}:
            raise UserError(
                f"--pooling first: {encoder.name} has no BERT pooler; use --pooling mean"
            )
        return {part: weights.get_tensor(name) for part, name in found.items()}
