"""A model that runs in this process, with `transformers`: no server, no key, no price."""

import asyncio
import hashlib
import itertools
import json
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from builders.errors import UserError
from builders.llms.base import RequestFailed, Sampling, WaveLLM
from builders.llms.dialect import Dialect
from builders.llms.local_model import Draw, LocalModel, Written
from builders.llms.local_source import ModelSource
from builders.requests import Completion, Request

_PARAMETERS = {"temperature": (0.0, 100.0), "top_p": (1e-6, 1.0)}


@dataclass(frozen=True)
class _Prompt:
    """A request with the tokens of its prompt, and how it is to be answered."""

    request: Request
    tokens: list[int]
    draw: Draw

    @property
    def size(self) -> int:
        """Tokens of prompt and answer at most."""
        return len(self.tokens) + self.draw.max_tokens


class LocalTransformers(WaveLLM):
    """Writes with a causal language model of the Hub or of a folder.

    Requests of like length are answered together. Each draws from random numbers of its own, of
    its words and its replicate, whoever else is in its batch: on one machine the same batches give
    the same answers. In another batch its logits differ in their last bits, as matrix products
    round by their shape: where two tokens are all but equally likely the other one may be chosen,
    seldom in float32, more often in bfloat16. Other devices draw other numbers.

    Parameters that are left open are the model's own, as far as they are `temperature`, `top_p` and
    `top_k`. Thinking aloud is switched off where the chat template can do that; a template without
    a system role gets that message before the user's. Code from a repository is never run, and
    weights are read from safetensors only.

    Args:
        repo: A repository on the Hub (`REPO` or `REPO@REVISION`), or a folder.
        sampling: How the model is to write: `temperature`, `top_p`.
        batch_tokens: Tokens of a batch at most, prompts with their padding and the longest answers
            allowed; a longer request is alone. None for 16,384 on a CPU and 131,072 elsewhere;
            where the device's memory is too small for it, it is halved.
        device: As torch names it; None for an accelerator where there is one.

    Raises:
        UserError: There is no such model, or a parameter is unknown.
    """

    finishes: ClassVar[bool] = True

    def __init__(
        self,
        repo: str,
        sampling: Sampling | None = None,
        batch_tokens: int | None = None,
        device: str | None = None,
    ) -> None:
        self.sampling = sampling or Sampling()
        _check(self.sampling.parameters)
        self._source = ModelSource.find(repo)
        self.endpoint = "transformers"
        self.model = f"{self._source.name}@{self._source.version}"
        self.description = f"{self._source.name} (transformers)"
        self._batch_tokens = batch_tokens
        self._device = device
        self._loaded: LocalModel | None = None

    def phrased(self, request: Request) -> Request:
        """Ask for JSON in words: nothing holds the model to a schema."""
        return Dialect(schema=False).phrased(request)

    async def complete_all(
        self, requests: Sequence[Request]
    ) -> AsyncIterator[tuple[Request, Completion | RequestFailed]]:
        """Answer the requests, batch after batch, the longest first."""
        if not requests:
            return
        model = await asyncio.to_thread(self._load)
        fitting: list[_Prompt] = []
        for request in requests:
            prompt = _Prompt(request, model.encode(request.messages), _draw(request))
            if model.context is None or prompt.size <= model.context:
                fitting.append(prompt)
                continue
            if prompt.draw.max_tokens >= model.context:
                raise UserError(
                    f"{self.description}: its context is {model.context} tokens, and an answer may "
                    f"be {prompt.draw.max_tokens}: lower --texts-per-request"
                )
            detail = f"{prompt.size} tokens with the answer, of {model.context}"
            yield request, RequestFailed("context too long", detail)
        waiting = list(self._batches(fitting))
        while waiting:
            batch = waiting.pop(0)
            answers = await self._write(model, batch)
            if answers is not None:
                for prompt, answer in zip(batch, answers, strict=True):
                    yield prompt.request, self._completion(prompt, answer)
            elif len(batch) == 1:
                yield batch[0].request, RequestFailed("out of memory")
            else:
                self._batch_tokens = max(1, len(batch) // 2 * max(each.size for each in batch))
                rest = itertools.chain(batch, *waiting)
                waiting = list(self._batches(list(rest)))

    def _load(self) -> LocalModel:
        """Load the model, the first time."""
        if self._loaded is None:
            self._loaded = LocalModel(self._source, self._device)
            if self._batch_tokens is None:
                self._batch_tokens = 2**14 if self._loaded.device.type == "cpu" else 2**17
        return self._loaded

    def _batches(self, prompts: Sequence[_Prompt]) -> Iterator[list[_Prompt]]:
        """Yield batches of like sampling and length within the bound, the longest first."""
        most = self._batch_tokens or 1
        ordered = sorted(prompts, key=_rank)
        for _, alike in itertools.groupby(ordered, key=lambda each: each.draw):
            batch: list[_Prompt] = []
            for prompt in alike:
                if batch and (len(batch) + 1) * batch[0].size > most:
                    yield batch
                    batch = []
                batch.append(prompt)
            yield batch

    async def _write(self, model: LocalModel, batch: Sequence[_Prompt]) -> list[Written] | None:
        """Answer a batch in a thread, so that signals are heard; None where memory is too small."""
        stopped = threading.Event()
        prompts = [each.tokens for each in batch]
        seeds = [_seed(each.request) for each in batch]
        try:
            return await asyncio.to_thread(
                _within_memory, model, prompts, seeds, batch[0].draw, stopped
            )
        except asyncio.CancelledError:
            stopped.set()  # the process waits for its threads
            raise

    def _completion(self, prompt: _Prompt, answer: Written) -> Completion:
        return Completion(
            content=answer.text,
            finish_reason="stop" if answer.ended else "length",
            model=self.model,
            prompt_tokens=len(prompt.tokens),
            completion_tokens=answer.tokens,
        )


def _within_memory(
    model: LocalModel,
    prompts: Sequence[Sequence[int]],
    seeds: Sequence[int],
    draw: Draw,
    stopped: threading.Event,
) -> list[Written] | None:
    import torch

    try:
        return model.write(prompts, seeds, draw, stopped)
    except torch.OutOfMemoryError:
        pass  # the error holds on to the batch's tensors until it is left behind
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return None


def _rank(prompt: _Prompt) -> tuple[tuple[float, float], int, int, str]:
    """Order like sampling together, then the longest first, then by name."""
    draw = prompt.draw
    own = tuple(-1.0 if value is None else value for value in (draw.temperature, draw.top_p))
    return (own[0], own[1]), -draw.max_tokens, -len(prompt.tokens), prompt.request.custom_id


def _draw(request: Request) -> Draw:
    """Return how a request is to be answered."""
    own = {name: request.sampling.get(name) for name in _PARAMETERS}
    temperature, top_p = (None if value is None else float(value) for value in own.values())
    return Draw(int(request.sampling["max_tokens"]), temperature, top_p)


def _seed(request: Request) -> int:
    """Return the seed of a request's draws; labels do not share one, as replicates do."""
    asked = json.dumps([request.replicate, request.messages], sort_keys=True)
    return int.from_bytes(hashlib.sha256(asked.encode()).digest()[:7])


def _check(parameters: Mapping[str, float | int | str]) -> None:
    for name, value in parameters.items():
        if name not in _PARAMETERS:
            raise UserError(
                f"sampling parameter {name}: not known to transformers:REPO, which takes "
                f"{' and '.join(_PARAMETERS)}"
            )
        least, most = _PARAMETERS[name]
        try:
            fits = least <= float(value) <= most
        except ValueError:
            fits = False
        if not fits:
            raise UserError(f"{name} {value}: give a number from {least:g} to {most:g}")
