"""How an encoder is fine-tuned, whatever asks for it."""

from dataclasses import dataclass
from typing import Literal

Order = Literal["random", "group_by_length", "sequential"]
Precision = Literal["auto", "fp32", "bf16"]
ClassWeights = Literal["balanced", "none"]


@dataclass(frozen=True)
class FinetuneSettings:
    """How an encoder is fine-tuned.

    Attributes:
        epochs: Passes over the training texts.
        batch_size: Texts a step, over all processes together.
        learning_rate: Of AdamW; it falls linearly to 0 after the warm-up.
        weight_decay: Of AdamW.
        warmup: Share of the steps over which the learning rate rises.
        max_length: Tokens of a text at most; longer ones are cut, and counted.
        class_weights: `balanced` counts every label alike, `none` every text.
        precision: `fp32`, `bf16`, or `auto` for bf16 where the hardware multiplies in it.
        order: Which texts share a batch: drawn at `random`, `group_by_length`, or as they come.
    """

    epochs: float = 5
    batch_size: int = 32
    learning_rate: float = 1e-4
    weight_decay: float = 0.01
    warmup: float = 0.1
    max_length: int = 256
    class_weights: ClassWeights = "balanced"
    precision: Precision = "fp32"
    order: Order = "random"
