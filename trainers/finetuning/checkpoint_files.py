"""The files of a checkpoint: which ones there have to be, and whether each is whole.

Of one process or several: config.json, model.safetensors, optimizer.pt. With spread weights and
FULL_STATE_DICT, optimizer.bin and pytorch_model_fsdp.bin beside the first two; with
SHARDED_STATE_DICT, the folders optimizer_0 and pytorch_model_fsdp_0 and neither of the two. With
all, scheduler.pt, the state of each process's random numbers, and trainer_state.json.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

STATE = "trainer_state.json"
_SHAPE = {"global_step": int, "max_steps": int, "log_history": list, "stateful_callbacks": dict}
_SPREAD = "pytorch_model_fsdp"


def step_of(checkpoint: Path) -> int:
    """Return its step, by its name."""
    return int(checkpoint.name.rpartition("-")[2])


def state_of(checkpoint: Path) -> dict[str, Any] | None:
    """Return how far the training was; None if that cannot be read, or is of another step."""
    state = _json(checkpoint / STATE)
    if state is None or any(not isinstance(state.get(k), kind) for k, kind in _SHAPE.items()):
        return None
    best = state.get("best_model_checkpoint")
    if not (best is None or isinstance(best, str)) or state["global_step"] != step_of(checkpoint):
        return None
    return state


def is_whole(checkpoint: Path, processes: int) -> bool:
    """Tell whether training can go on from it as if nothing had been.

    The `Trainer` makes do without most of it, and goes on to other weights.

    Args:
        checkpoint: Its folder.
        processes: How many processes trained.
    """
    names = [f"rng_state_{i}.pth" for i in range(processes)] if processes > 1 else ["rng_state.pth"]
    names.append("scheduler.pt")
    if not _sharded(checkpoint):
        names.append("optimizer.bin" if _gathered(checkpoint) else "optimizer.pt")
    elif not (checkpoint / "optimizer_0" / ".metadata").is_file():
        return False
    return (
        state_of(checkpoint) is not None
        and has_model(checkpoint)
        and all(_is_whole_zip(checkpoint / name) for name in names)
    )


def has_model(checkpoint: Path) -> bool:
    """Tell whether the model in it can be loaded."""
    from safetensors import SafetensorError, safe_open

    if _sharded(checkpoint):
        return (checkpoint / f"{_SPREAD}_0" / ".metadata").is_file()
    files = ["model.safetensors"]
    index = checkpoint / "model.safetensors.index.json"  # of weights too large for one file
    if index.is_file():
        named = (_json(index) or {}).get("weight_map")
        files = [str(name) for name in set(named.values())] if isinstance(named, dict) else []
    try:
        for name in files:
            safe_open(checkpoint / name, framework="numpy")
    except (SafetensorError, OSError):
        return False
    if _gathered(checkpoint) and not _is_whole_zip(checkpoint / f"{_SPREAD}.bin"):
        return False
    return bool(files) and _json(checkpoint / "config.json") is not None


def _sharded(checkpoint: Path) -> bool:
    return any((checkpoint / f"{name}_0").is_dir() for name in ("optimizer", _SPREAD))


def _gathered(checkpoint: Path) -> bool:
    return any((checkpoint / name).exists() for name in ("optimizer.bin", f"{_SPREAD}.bin"))


def _is_whole_zip(file: Path) -> bool:
    """Tell whether a file of `torch.save` is there, to its end and with its checksums."""
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError):
        return False


def _json(file: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
