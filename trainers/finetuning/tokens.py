"""Texts as token ids, cut where the encoder takes no more, which is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from builders.errors import UserError
from trainers.encoders import Encoder, loading

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_NO_LIMIT = 10**6  # a tokenizer that knows none says 10^30


@dataclass(frozen=True)
class Tokens:
    """Tokenised texts, as a map-style data set.

    Attributes:
        rows: For each text `input_ids`, and what else a step needs of it.
        cut: Texts that were longer than they may be.
        limit: Tokens of a text at most.
    """

    rows: list[dict[str, Any]]
    cut: int
    limit: int

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.rows[index]

    @property
    def lengths(self) -> list[int]:
        """Tokens of each text."""
        return [len(row["input_ids"]) for row in self.rows]

    def longest_first(self) -> tuple[Tokens, list[int]]:
        """Return the texts by falling length, which leaves little padding, and their indices."""
        order = [int(i) for i in np.argsort([-n for n in self.lengths], kind="stable")]
        return Tokens([self.rows[i] for i in order], self.cut, self.limit), order


def load_tokenizer(encoder: Encoder) -> PreTrainedTokenizerBase:
    """Return the fast tokenizer of an encoder.

    Raises:
        UserError: It has none, or it cannot pad.
    """
    from transformers import AutoTokenizer

    with loading(encoder):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            encoder.path, trust_remote_code=False
        )
    if not tokenizer.is_fast:
        raise UserError(
            f"--encoder {encoder.name}: has no fast tokenizer ({type(tokenizer).__name__}); save "
            "one as tokenizer.json in its folder, or use another encoder"
        )
    if tokenizer.pad_token_id is None:
        raise UserError(
            f"--encoder {encoder.name}: its tokenizer has no padding token; set one and save it"
        )
    tokenizer.padding_side = "right"  # a batch is cut to its longest text at that end
    return tokenizer


def limit_of(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, asked: int) -> int:
    """Return how many tokens of a text the model is given: `asked`, or fewer where it takes fewer.

    Args:
        model: The encoder with its head.
        tokenizer: Its tokenizer.
        asked: What the settings say.

    Raises:
        UserError: No token of a text would be left.
    """
    limits = [asked]
    if tokenizer.model_max_length < _NO_LIMIT:
        limits.append(int(tokenizer.model_max_length))
    positions = getattr(model.config, "max_position_embeddings", None)
    if positions and positions > 0:  # XLNet, which takes any, says -1
        # RoBERTa and its kin count positions from the one after that of the padding.
        embeddings = getattr(model.base_model, "embeddings", None)
        table = getattr(embeddings, "position_embeddings", None)
        reserved = getattr(table, "padding_idx", None)
        limits.append(int(positions) - (0 if reserved is None else int(reserved) + 1))
    own = tokenizer.num_special_tokens_to_add()
    if min(limits) <= own:  # the tokenizer would not cut at all
        raise UserError(
            f"max_length {min(limits)}: {own} tokens of a text are the encoder's own; give at "
            f"least {own + 1}"
        )
    return min(limits)


def encoder_limit(encoder: Encoder, asked: int) -> int:
    """Return what `limit_of` says of an encoder whose weights need not be loaded for it.

    Raises:
        UserError: As of `limit_of`, or the encoder cannot be loaded.
    """
    import torch
    from transformers import AutoConfig, AutoModel

    tokenizer = load_tokenizer(encoder)
    with loading(encoder), torch.device("meta"):
        config = AutoConfig.from_pretrained(encoder.path, trust_remote_code=False)
        model = AutoModel.from_config(config, trust_remote_code=False)
    return limit_of(model, tokenizer, asked)


def tokenise(
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    limit: int,
    columns: Mapping[str, Sequence[Any]] | None = None,
) -> Tokens:
    """Return the token ids of `texts`, in their order.

    Args:
        tokenizer: The tokenizer.
        texts: The texts (n).
        limit: Tokens of a text at most.
        columns: What else stands in each row: name -> values (n).
    """
    if not texts:
        return Tokens([], 0, limit)
    ids = tokenizer(list(texts), truncation=True, max_length=limit)["input_ids"]
    full = [text for text, own in zip(texts, ids, strict=True) if len(own) >= limit]
    cut = 0
    if full:
        whole = tokenizer(full, truncation=False, verbose=False)["input_ids"]
        cut = sum(len(own) > limit for own in whole)
    columns = columns or {}
    rows = [
        {"input_ids": own, **{name: values[i] for name, values in columns.items()}}
        for i, own in enumerate(ids)
    ]
    return Tokens(rows, cut, limit)
