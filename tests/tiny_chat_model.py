"""A chat model of a few thousand random weights, with a tokenizer and a chat template."""

from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

WORDS = [a + b + c + d for a in "bdfg" for b in "aeo" for c in "rst" for d in "io"]
"""What it reads and writes: other words are all one to it."""

ENDS = ["<|end|>", "<|unk|>", "<|system|>", "<|user|>", "<|assistant|>"]
"""What ends an answer, besides its length: one token in fifteen."""

TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|> {{ m['content'] }} <|end|> {% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
"""A template as instruct models have it."""

NO_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}" + TEMPLATE
)
"""A template that refuses a system message, as some models' do."""


def save_tiny_chat_model(
    folder: Path, template: str | None = TEMPLATE, context: int = 512, seed: int = 0
) -> Path:
    """Write a model to `folder` that ends its answers after about 15 random words.

    Args:
        folder: Where to; it is made.
        template: The chat template, None for none.
        context: Tokens of prompt and answer together at most.
        seed: Of its weights.
    """
    vocabulary = {name: number for number, name in enumerate([*ENDS, *WORDS])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="<|unk|>"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=ENDS[0], additional_special_tokens=ENDS[1:]
    )
    if template is not None:
        fast.chat_template = template
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=len(vocabulary),
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=2,
                max_position_embeddings=context,
                initializer_range=0.15,
                bos_token_id=None,
                eos_token_id=list(range(len(ENDS))),
                pad_token_id=None,
            )
        )
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder
