"""Whether the hardware multiplies in bfloat16."""

from typing import Any

from trainers.finetuning.settings import Precision


def meant_here(precision: Precision) -> Precision:
    """Return what `auto` comes to on this machine; the others are what they are."""
    if precision != "auto":
        return precision
    import torch

    on_cpu = not torch.accelerator.is_available()
    return "bf16" if in_bf16(precision, on_cpu=on_cpu) else "fp32"


def in_bf16(precision: Precision, *, on_cpu: bool) -> bool:
    """Say whether to train in mixed bfloat16; `auto` does where the hardware has it.

    On a GPU that is Ampere and newer; on a CPU one with AMX tiles for bfloat16. Weights, their
    updates and the loss stay in float32.

    Args:
        precision: What is asked for.
        on_cpu: Whether training runs on the CPU.
    """
    import torch

    if precision != "auto":
        return precision == "bf16"
    if not on_cpu:
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    # Older versions of torch cannot tell; there it stays float32.
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("amx_bf16"))
