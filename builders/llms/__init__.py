"""What answers a request. `create_llm` reads the `--llm` option."""

from dataclasses import dataclass, field
from pathlib import Path

from builders.errors import UserError
from builders.llms.base import LLM, Limits, Price, Sampling
from builders.llms.memory import Memory
from builders.llms.openai_server import Connection

__all__ = ["LLM", "Connection", "LLMOptions", "Limits", "Price", "Sampling", "create_llm"]

KINDS = "recording, recording:PATH, openai:MODEL, batch:MODEL, file:DIR or transformers:REPO"


@dataclass(frozen=True)
class LLMOptions:
    """What a user says of a live LLM beside its name.

    Attributes:
        connection: Where its server is.
        limits: What it may be asked at once.
        sampling: How it is to write.
        price: What its tokens cost, None for what is listed.
        file_model: The model that the requests of `file:DIR` name.
        turns: Most turns of a conversation, None for the LLM's default.
    """

    connection: Connection = field(default_factory=Connection)
    limits: Limits = field(default_factory=Limits)
    sampling: Sampling = field(default_factory=Sampling)
    price: Price | None = None
    file_model: str = "any"
    turns: int | None = None


def create_llm(name: str, options: LLMOptions | None = None, memory: Memory | None = None) -> LLM:
    """Return the LLM that `name` means.

    Args:
        name: `recording` (the embedded one), `recording:PATH`, `openai:MODEL`, `batch:MODEL`,
            `file:DIR` or `transformers:REPO`.
        options: Of a live LLM.
        memory: Keeps what is learned of its server, for later runs.

    Raises:
        UserError: The name means no LLM, there is none at the path, or its key is missing.
    """
    options = options or LLMOptions()
    kind, colon, rest = name.partition(":")
    if bool(colon) == bool(rest) and (rest or kind == "recording"):
        llm = _create(kind, rest, options, memory)
        if llm is not None:
            llm.turns = options.turns or llm.turns
            return llm
    raise UserError(f"--llm {name}: unknown; use {KINDS}")


def _create(kind: str, rest: str, options: LLMOptions, memory: Memory | None) -> LLM | None:
    if kind == "recording":
        from builders.llms.recording import Recording

        return Recording(Path(rest) if rest else None)
    if kind == "openai":
        from builders.llms.openai_chat import OpenAIChat

        return OpenAIChat(
            rest, options.connection, options.limits, options.sampling, options.price, memory
        )
    if kind == "batch":
        from builders.llms.openai_batch import OpenAIBatch

        return OpenAIBatch(
            rest, options.connection, options.limits, options.sampling, options.price, memory
        )
    if kind == "file":
        from builders.llms.file_exchange import FileExchange

        return FileExchange(Path(rest), options.sampling, options.file_model)
    if kind == "transformers":
        from builders.llms.local_transformers import LocalTransformers

        return LocalTransformers(rest, options.sampling)
    return None
