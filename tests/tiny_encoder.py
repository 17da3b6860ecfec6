"""Tiny encoders of random weights and a tokenizer of a few words, as `save_pretrained` writes them.

BERT counts positions from 0, RoBERTa from after its padding, ModernBERT turns its vectors instead.
"""

from pathlib import Path
from typing import Any

_SENTENCES = """the a an of and to in on was is we they it found lost praised carried forgot kettle
mug teapot saucer trail boots ridge compass letter window bus clock very quite almost never again"""
WORDS = _SENTENCES.split()
_WIDTH = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


def save_tiny_encoder(
    folder: Path, kind: str = "bert", *, dropout: float = 0.0, positions: int = 64
) -> Path:
    """Write a tiny encoder of 16 dimensions and one layer; return its folder.

    Args:
        folder: Where it goes.
        kind: `bert`, `roberta` or `modernbert`.
        dropout: Everywhere; at 0 a step is the same on any number of processes.
        positions: Length of its table of positions.
    """
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import (
        BertConfig,
        BertModel,
        ModernBertConfig,
        ModernBertModel,
        PreTrainedTokenizerFast,
        RobertaConfig,
        RobertaModel,
    )

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    vocabulary = {word: i for i, word in enumerate([*special, *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = dict(zip(("pad", "unk", "cls", "sep"), special, strict=True))
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **{f"{name}_token": token for name, token in names.items()}
    ).save_pretrained(folder)
    shared: dict[str, Any] = {
        **_WIDTH,
        "vocab_size": len(vocabulary),
        "intermediate_size": 32,
        "pad_token_id": 0,
        "max_position_embeddings": positions,
        "initializer_range": 0.1,
    }
    usual: dict[str, Any] = {
        "hidden_dropout_prob": dropout,
        "attention_probs_dropout_prob": dropout,
    }
    torch.manual_seed(0)
    model: Any
    match kind:
        case "bert":
            model = BertModel(BertConfig(**shared, **usual))
        case "roberta":
            model = RobertaModel(RobertaConfig(**shared, **usual))
        case _:
            modern: dict[str, Any] = {"mlp_dropout": dropout, "attention_dropout": dropout}
            ids: dict[str, Any] = {
                "cls_token_id": 2,
                "sep_token_id": 3,
                "bos_token_id": 2,
                "eos_token_id": 3,
            }
            model = ModernBertModel(ModernBertConfig(**shared, **modern, **ids))
    model.save_pretrained(folder)
    return folder
