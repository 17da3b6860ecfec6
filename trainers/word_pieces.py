"""Whether an encoder knows the words of texts: into how many pieces its vocabulary cuts them.

A vocabulary holds the common words of its languages whole. Of English text the embedded encoder
cuts a word into 1.07 to 1.19 pieces (500 real test texts of each of ten tasks); of German, French,
Spanish, Polish or Turkish sentences into 1.7 to 3.2, of Russian or Arabic ones into 4 and more;
Chinese characters it mostly does not have.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from trainers.encoders import Encoder, loading

MOST_PIECES = 1.6
"""Pieces a word above which the language may be foreign to the encoder."""

MOST_UNKNOWN = 0.05
"""The same for the share of words that its vocabulary cannot write."""

LOOKED_AT = 500
"""Texts that are looked at; more would not change the figure."""


@dataclass(frozen=True)
class WordPieces:
    """How an encoder's vocabulary writes texts.

    Attributes:
        words: Words looked at: runs of letters, as the encoder's tokenizer parts them.
        pieces: Pieces of a word, on average; 0 without words.
        unknown: Share of words that hold a piece the vocabulary does not have, 0 to 1.
    """

    words: int
    pieces: float
    unknown: float

    @property
    def foreign(self) -> bool:
        """Whether the encoder may not know the language."""
        return not self.words or self.pieces > MOST_PIECES or self.unknown > MOST_UNKNOWN


def word_pieces(encoder: Encoder, texts: Sequence[str]) -> WordPieces | None:
    """Count words and pieces in `texts`; None for a tokenizer that does not tell its words.

    Args:
        encoder: The encoder.
        texts: The first `LOOKED_AT` are looked at.

    Raises:
        UserError: The encoder's tokenizer cannot be loaded.
    """
    from transformers import AutoTokenizer

    with loading(encoder):
        tokenizer = AutoTokenizer.from_pretrained(encoder.path, trust_remote_code=False)
    if not tokenizer.is_fast or not texts:
        return None
    shown = list(texts[:LOOKED_AT])
    # Not `verbose`: texts longer than the encoder takes are no trouble here.
    encodings = tokenizer(shown, add_special_tokens=False, verbose=False).encodings
    words = pieces = unknown = 0
    for text, encoding in zip(shown, encodings, strict=True):
        spans: dict[int, list[int]] = {}
        for i, word in enumerate(encoding.word_ids):
            if word is not None:
                spans.setdefault(word, []).append(i)
        for span in spans.values():
            start, end = encoding.offsets[span[0]][0], encoding.offsets[span[-1]][1]
            if not text[start:end].strip().isalpha():
                continue
            words += 1
            pieces += len(span)
            unknown += any(encoding.ids[i] == tokenizer.unk_token_id for i in span)
    return WordPieces(words, pieces / max(1, words), unknown / max(1, words))
