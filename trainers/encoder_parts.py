"""Whether the parts of an encoder belong together: its weights, configuration and tokenizer.

Transformers draws the weights that a folder does not have at random, and reads a row beyond the
table of tokens only once a text asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from builders.errors import UserError
from trainers.encoders import Encoder

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_REMEDY = "use a folder that save_pretrained of transformers wrote as a whole"


def check_weights(encoder: Encoder, model: PreTrainedModel, found: Mapping[str, Any]) -> None:
    """Refuse an encoder of which a part would start from random values.

    A head is new by nature, and so may a pooler be: masked language models have none.

    Args:
        encoder: The encoder.
        model: What was made of its files.
        found: What `from_pretrained` tells of it with `output_loading_info`.

    Raises:
        UserError: A weight is missing, or has another shape than the configuration says.
    """
    for name, stored, expected in sorted(found["mismatched_keys"]):
        raise UserError(
            f"--encoder {encoder.name}: its weights do not fit its config.json: {name} has the "
            f"shape {tuple(stored)}, not {tuple(expected)}; {_REMEDY}"
        )
    base = "" if model.base_model is model else f"{model.base_model_prefix}."
    lost = [
        name
        for name in model.state_dict()
        if name in found["missing_keys"]
        and name.startswith(base)
        and "pooler" not in name.removeprefix(base).split(".")
    ]
    if not lost:
        return
    own = lost[0].removeprefix(base)
    others = f" and {len(lost) - 1} others are" if len(lost) > 1 else " is"
    alike = [name for name in sorted(found["unexpected_keys"]) if name.endswith(f".{own}")]
    called = f" (there is {alike[0]})" if alike else ""
    raise UserError(
        f"--encoder {encoder.name}: its weights do not fit its config.json: {lost[0]}{others} "
        f"missing{called} and would be random; {_REMEDY}"
    )


def check_loaded(encoder: Encoder, model: PreTrainedModel) -> None:
    """Do what `check_weights` does for a model that another library loaded.

    The names are compared once more, without the weights being read. To be called in `loading`.

    Raises:
        UserError: As of `check_weights`.
    """
    made: Any = type(model)
    again, found = made.from_pretrained(
        encoder.path,
        config=model.config,
        device_map="meta",
        ignore_mismatched_sizes=True,
        output_loading_info=True,
        trust_remote_code=False,
    )
    check_weights(encoder, again, found)


def check_vocabulary(
    encoder: Encoder, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Refuse a tokenizer that gives tokens of which the model has no row.

    Raises:
        UserError: It does.
    """
    try:
        rows = getattr(model.get_input_embeddings(), "num_embeddings", None)
    except NotImplementedError:  # it hashes characters
        return
    largest = max(tokenizer.get_vocab().values(), default=-1)
    if rows is not None and largest >= rows:
        raise UserError(
            f"--encoder {encoder.name}: its tokenizer gives tokens up to {largest}, and its table "
            f"of tokens ends at {rows - 1}; save the tokenizer that belongs to the weights"
        )


def share_padding(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Let the model know padding by the token that its tokenizer pads with.

    A language model with a head (`score`) judges a text by its last token that is no padding. To
    others padding may mean more: a RoBERTa counts positions from it.
    """
    config = model.config.get_text_config()
    if getattr(config, "pad_token_id", None) is None or hasattr(model, "score"):
        config.pad_token_id = tokenizer.pad_token_id
