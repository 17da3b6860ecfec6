"""A causal language model of `transformers` in this process, and how it is made to write."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from builders.errors import UserError
from builders.llms.local_source import ModelSource, loading
from builders.requests import Message

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Draw:
    """How a batch is written.

    Attributes:
        max_tokens: Tokens of an answer at most.
        temperature: 0 for the likeliest token each time; None for the model's own.
        top_p: Probability that the tokens drawn from make up; None for the model's own.
    """

    max_tokens: int
    temperature: float | None = None
    top_p: float | None = None


@dataclass(frozen=True)
class Written:
    """One answer: its text, how many tokens it took, and whether the model ended it itself."""

    text: str
    tokens: int
    ended: bool


class LocalModel:
    """A loaded model with its tokenizer and chat template.

    Args:
        source: Where it is.
        device: As torch names it; None for an accelerator where there is one.

    Attributes:
        device: Where it runs.
        context: Tokens of prompt and answer together at most, None where the model has no limit.

    Raises:
        UserError: It cannot be loaded, or has no chat template.
    """

    def __init__(self, source: ModelSource, device: str | None = None) -> None:
        with loading(source.name):
            import torch
            import transformers

            self.device = torch.device(device or _best_device())
            chosen: dict[str, Any] = {"revision": source.revision, "trust_remote_code": False}
            self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(source.path, **chosen)
            if not self._tokenizer.chat_template:
                raise UserError(
                    f"--llm transformers:{source.name}: its tokenizer has no chat template; name a "
                    "model tuned for chat (often -Instruct or -it), or put its chat_template.jinja "
                    "in a folder with it"
                )
            loaded = transformers.AutoModelForCausalLM.from_pretrained(
                source.path, dtype=_dtype(self.device), use_safetensors=True, **chosen
            )
            self._model = cast(Any, loaded).to(self.device).eval()
            self._own = self._model.generation_config
            # What else a model's makers set (penalties) looks at padding, so at batch mates.
            self._model.generation_config = transformers.GenerationConfig()
            self._takes_system = self._knows_system()
        found = getattr(self._model.config.get_text_config(), "max_position_embeddings", None)
        self.context: int | None = found if isinstance(found, int) and found > 0 else None
        self._ends = _ends(self._own.eos_token_id, self._tokenizer.eos_token_id)

    def encode(self, messages: Sequence[Message]) -> list[int]:
        """Return the tokens of a conversation, up to where the answer begins."""
        return self._encode(messages if self._takes_system else _without_system(messages))

    def _encode(self, messages: Sequence[Message]) -> list[int]:
        encoded = self._tokenizer.apply_chat_template(
            list(messages),
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            enable_thinking=False,  # templates without the switch do not look at it
        )
        return list(encoded["input_ids"])

    def write(
        self,
        prompts: Sequence[Sequence[int]],
        seeds: Sequence[int],
        draw: Draw,
        stopped: threading.Event,
    ) -> list[Written]:
        """Answer prompts together.

        Args:
            prompts: Tokens of each.
            seeds: Of each one's own draws.
            draw: How tokens are chosen.
            stopped: Once set, from another thread, no further token is written.

        Raises:
            torch.OutOfMemoryError: The batch is too large for the device.
        """
        import torch
        import transformers

        longest = max(map(len, prompts))
        pad = self._ends[0] if self._ends else 0  # masked, so any token will do
        ids = torch.full((len(prompts), longest), pad)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            ids[row, longest - len(prompt) :] = torch.tensor(prompt)
            mask[row, longest - len(prompt) :] = 1
        config = transformers.GenerationConfig(
            max_new_tokens=draw.max_tokens,
            do_sample=False,  # the processors draw
            eos_token_id=list(self._ends) or None,
            pad_token_id=pad,
        )
        with torch.inference_mode():
            out = self._model.generate(
                input_ids=ids.to(self.device),
                attention_mask=mask.to(self.device),
                generation_config=config,
                logits_processor=self._processors(seeds, draw),
                stopping_criteria=[lambda ids, scores: _all(ids, stopped.is_set())],
            )
        return [self._written(row) for row in out[:, longest:].tolist()]

    def _processors(self, seeds: Sequence[int], draw: Draw) -> Any:
        """Return what turns the model's logits into scores whose maximum is the drawn token."""
        import transformers

        steps = transformers.LogitsProcessorList()
        temperature = self._or_own(draw.temperature, "temperature")
        if not temperature:
            return steps
        if temperature != 1:
            steps.append(transformers.TemperatureLogitsWarper(temperature))
        if top_k := self._own.top_k:
            steps.append(transformers.TopKLogitsWarper(top_k))
        if (top_p := self._or_own(draw.top_p, "top_p")) < 1:
            steps.append(transformers.TopPLogitsWarper(top_p))
        steps.append(_RowDraws(seeds, self.device))
        return steps

    def _or_own(self, value: float | None, name: str) -> float:
        """Return a parameter, the model's own where it is open, 1 where that is open too."""
        own = getattr(self._own, name) if value is None else value
        return 1.0 if own is None else float(own)

    def _written(self, tokens: Sequence[int]) -> Written:
        end = next((i for i, token in enumerate(tokens) if token in self._ends), None)
        own = tokens if end is None else tokens[:end]
        text = self._tokenizer.decode(own, skip_special_tokens=True)
        return Written(text, len(own) + (end is not None), end is not None)

    def _knows_system(self) -> bool:
        """Say whether the chat template takes a system message; some raise an error."""
        from jinja2 import TemplateError

        asked: list[Message] = [
            {"role": "system", "content": "-"},
            {"role": "user", "content": "-"},
        ]
        try:
            self._encode(asked)
        except TemplateError:
            self._encode(_without_system(asked))
            return False
        return True


class _RowDraws:
    """Draws the next token of each row from numbers of the row's own.

    The maximum of the logits plus Gumbel noise is a draw from their softmax (Gumbel, 1954; see
    Maddison et al., "A* Sampling", NeurIPS 2014); minus the logarithm of an exponential draw is
    Gumbel noise.
    """

    def __init__(self, seeds: Sequence[int], device: "torch.device") -> None:
        import torch

        self._generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]

    def __call__(self, ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        """Add each row's noise to its logits (rows, vocabulary)."""
        import torch

        del ids
        noise = torch.empty_like(scores)
        for row, generator in zip(noise, self._generators, strict=True):
            row.exponential_(generator=generator)
        return scores - noise.clamp_min_(torch.finfo(noise.dtype).tiny).log_()


def _best_device() -> str:
    import torch

    found = torch.accelerator.current_accelerator(check_available=True)
    return found.type if found else "cpu"


def _dtype(device: "torch.device") -> "torch.dtype":
    """Return bf16 where the hardware computes in it: half the memory, and the speed of it."""
    import torch

    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.bfloat16
    return torch.float32


def _ends(*found: Any) -> tuple[int, ...]:
    """Return the tokens that end an answer, of a model's settings and of its tokenizer."""
    each = [token for one in found for token in (one if isinstance(one, list) else [one])]
    return tuple(dict.fromkeys(token for token in each if token is not None))


def _without_system(messages: Sequence[Message]) -> list[Message]:
    """Put the system message before the user's first."""
    first, *rest = messages
    if first["role"] != "system" or not rest:
        return list(messages)
    content = f"{first['content']}\n\n{rest[0]['content']}"
    return [{"role": rest[0]["role"], "content": content}, *rest[1:]]


def _all(ids: "torch.Tensor", value: bool) -> "torch.Tensor":
    import torch

    return torch.full((ids.shape[0],), value, dtype=torch.bool, device=ids.device)
