"""Whether an encoder knows the words of texts."""

from pathlib import Path

import pytest

from trainers.encoders import EMBEDDED, Encoder, load_encoder
from trainers.word_pieces import word_pieces

ENGLISH = ["The train was late again, so we walked home along the river.", "Nice weather today!"]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The embedded encoder, an English one."""
    return load_encoder(EMBEDDED)


def test_words_and_pieces_are_counted(encoder: Encoder) -> None:
    """Of `unhappily` the vocabulary has no whole: un, ##ha, ##pp, ##ily; `the house` is two words.

    3 words, 1 + 1 + 4 pieces; the number and the full stop are no words.
    """
    found = word_pieces(encoder, ["the house unhappily 7."])

    assert found is not None
    assert (found.words, found.unknown) == (3, 0)
    assert found.pieces == pytest.approx(6 / 3)


def test_english_is_known(encoder: Encoder) -> None:
    """Common words are whole."""
    found = word_pieces(encoder, ENGLISH)

    assert found is not None
    assert found.words == 15
    assert not found.foreign


@pytest.mark.parametrize(
    "text",
    [
        "Der Film war langweilig, aber die Schauspielerin hat mir trotzdem sehr gut gefallen.",
        "Je ne comprends pas pourquoi le train arrive toujours en retard le vendredi soir.",
        "No entiendo por qué siempre llegamos tarde a las reuniones de los lunes.",
        "Wczoraj wieczorem poszliśmy do kina, ale film był bardzo nudny.",
        "Вчера вечером мы ходили в кино, но фильм оказался очень скучным.",
        "昨天晚上我们去看了电影可是那部电影很无聊",
        "เมื่อคืนนี้เราไปดูหนังแต่หนังน่าเบื่อมาก",
    ],
)
def test_other_languages_are_foreign_to_an_english_encoder(encoder: Encoder, text: str) -> None:
    """Cut small, unknown, or without anything that it takes for a word."""
    found = word_pieces(encoder, [text])

    assert found is not None
    assert found.foreign


def test_without_texts_nothing_is_said(encoder: Encoder) -> None:
    """Nothing is known of no text."""
    assert word_pieces(encoder, []) is None


def test_real_texts_of_every_task_are_known(encoder: Encoder, data_dir: Path) -> None:
    """No warning for the tasks that ship, all of them English."""
    import gzip
    import json

    for file in sorted((data_dir / "real").glob("*.test.jsonl.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            texts = [json.loads(line)["text"] for line, _ in zip(lines, range(200), strict=False)]
        found = word_pieces(encoder, texts)
        assert found is not None
        assert not found.foreign, file.name
