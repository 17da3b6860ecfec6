"""Labels taken out of answers: as many as texts were shown, or none at all."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.annotation.answers import LabelNames, ParsedLabels, parse_labels
from builders.requests import Completion

NAMES = ("ham", "spam", "sci/tech", "not_sure")


def parsed(content: str, n: int, **fields: Any) -> ParsedLabels:
    """Parse an answer of this content."""
    return parse_labels(Completion(content, **fields), n)


@pytest.mark.parametrize(
    "content",
    [
        '{"labels": ["ham", "spam", "ham"]}',
        '["ham", "spam", "ham"]',
        '```json\n{"labels": ["ham", "spam", "ham"]}\n```',
        'Here are the labels:\n\n{"labels": ["ham", "spam", "ham"]}\n\nLet me know!',
        '<think>Is the first ["spam"]?</think>{"labels": ["ham", "spam", "ham"]}',
        '{"answer": ["ham", "spam", "ham"]}',
        '{"labels": [{"number": 1, "label": "ham"}, {"number": 2, "label": "spam"},'
        ' {"number": 3, "label": "ham"}]}',
        '{"labels": [{"label": "ham"}, {"label": "spam"}, {"label": "ham"}]}',
        '[{"text": "Hi", "label": "ham"}, {"text": "Win", "label": "spam"},'
        ' {"text": "spam", "label": "ham"}]',
        '[{"label": "ham", "score": 3}, {"label": "spam", "score": 2},'
        ' {"label": "ham", "score": 1}]',
        '[{"id": 2, "label": "spam", "confidence": 0.9}, {"id": 1, "label": "ham", "reason": "no"},'
        ' {"id": 3, "text": "Hi", "label": "ham"}]',
        '[{"text": 3, "is": "ham"}, {"text": 2, "is": "spam"}, {"text": 1, "is": "ham"}]',
        '{"1": "ham", "2": "spam", "3": "ham"}',
        '{"labels": {"1": "ham", "2": "spam", "3": "ham"}}',
        '{"labels": {"3": "ham", "1": "ham", "2": "spam"}}',
        "1. ham\n2. spam\n3. ham",
        "The labels are:\n1: ham\n2: spam\n3: ham\n",
        "**1.** ham\n**2.** spam\n**3.** ham",
        "2) spam\n1) ham\n3) ham",
        '{"labels": ["ham", "spam", "ham"]}\n{"labels": ["ham", "spam", "ham"]}',
    ],
)
def test_labels_are_found_in_the_forms_that_llms_answer_in(content: str) -> None:
    """Alone, fenced, in talk, as objects, by number in any order, as a list, said twice."""
    assert parsed(content, 3) == ParsedLabels(("ham", "spam", "ham"))


@pytest.mark.parametrize("n", [1, 2, 4, 25])
@pytest.mark.parametrize(
    "content",
    ['{"labels": ["ham", "spam", "ham"]}', "1. ham\n2. spam\n3. ham", '["ham", "spam", "ham"]'],
)
def test_another_number_of_labels_than_of_texts_is_no_label_of_any(content: str, n: int) -> None:
    """Three labels say nothing of two texts, nor of four: which is left out is not guessed."""
    assert parsed(content, n) == ParsedLabels((), "wrong count")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "ham, spam, ham",
        "I would call them ham.\nAll of them.",
        '{"labels": ["ham", null, "ham"]}',
        '{"labels": ["ham", ["spam"], "ham"]}',
        '{"labels": ["ham", "spam" "ham"]}',
        '{"labels": ["ham", "spam", "ham"',
        '{"first": ["ham", "spam", "ham"], "second": ["ham", "spam", "spam"]}',
        'Draft: ["ham", "ham", "ham"]. Final: ["ham", "spam", "ham"]',
        '{"1": "ham", "2": "spam", "4": "ham"}',
        '{"labels": [{"number": 0, "label": "ham"}, {"number": 1, "label": "spam"},'
        ' {"number": 2, "label": "ham"}]}',
        "1. ham\n1. spam\n2. ham",
        '[{"is": "ham", "score": 3}, {"is": "spam", "score": 2}, {"is": "ham", "score": 1}]',
        '[{"label": 0.5}, {"label": "spam"}, {"label": "ham"}]',
        "[" * 100_000,
    ],
)
def test_an_answer_that_leaves_open_which_label_is_whose_is_unparsable(content: str) -> None:
    """Holes, broken JSON, two lists, numbers that are not those of the texts."""
    assert parsed(content, 3) == ParsedLabels((), "unparsable")


def test_an_item_too_many_does_not_make_up_for_one_that_cannot_be_read() -> None:
    """Four items, of which one is none: three are left, but not those of the three texts."""
    assert parsed('{"labels": ["ham", null, "spam", "ham"]}', 3).labels == ()


@pytest.mark.parametrize(
    ("completion", "failure"),
    [
        (Completion('{"labels": ["ham"]}', refusal="I cannot help."), "refusal"),
        (Completion("", finish_reason="content_filter"), "refusal"),
        (Completion("I'm sorry, but I can't help with that."), "refusal"),
        (Completion('{"labels": ["ham", "sp', finish_reason="length"), "cut off"),
        (Completion('{"labels": ["ham", ', finish_reason="length"), "cut off"),
        (Completion("<think>The first", finish_reason="length"), "cut off"),
        (Completion('{"labels": []}'), "wrong count"),
    ],
)
def test_the_reason_is_named(completion: Completion, failure: str) -> None:
    """Declined by the server or in words, or broken off at the most tokens."""
    assert parse_labels(completion, 2) == ParsedLabels((), failure)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "content",
    [
        *("spam", " Spam.\n", '"spam"', '{"label": "spam"}', "1. spam"),
        '{"label": "spam", "confidence": 0.97}',
        '{"label": "spam", "reason": "It sells.", "cues": ["win"]}',
    ],
)
def test_one_text_may_be_answered_with_its_label_alone(content: str) -> None:
    """Nothing can be mistaken for another text's."""
    (label,) = parsed(content, 1).labels

    assert LabelNames(NAMES).index(label) == 1


@pytest.mark.parametrize(
    ("said", "index"),
    [
        ("ham", 0),
        (" HAM ", 0),
        ('"ham".', 0),
        ("Sci / Tech", 2),
        ("sci-tech", 2),
        ("not sure", 3),
        ("Not_Sure", 3),
        ("hamm", None),
        ("ham or spam", None),
        ("ham: an ordinary message", None),
        ("science", None),
        ("", None),
        ("1", None),
    ],
)
def test_a_label_may_be_spelled_otherwise_and_is_never_guessed(
    said: str, index: int | None
) -> None:
    """Case, punctuation and spacing do not matter; anything more is no label."""
    assert LabelNames(NAMES).index(said) == index


def test_labels_that_differ_in_punctuation_alone_are_found_word_for_word_only() -> None:
    """`c` and `c++` are the same without punctuation: `C` then means neither."""
    names = LabelNames(["c", "c++", "rust"])

    assert [names.index(each) for each in ("c", "c++", "C", "Rust")] == [0, 1, None, 2]


@given(st.text(max_size=200), st.integers(1, 5))
def test_any_answer_gives_as_many_labels_as_texts_or_a_reason(content: str, n: int) -> None:
    """Whatever an answer holds, there is no error, and no third outcome."""
    found = parsed(content, n)

    assert (len(found.labels) == n) == (found.failure is None)
    assert len(found.labels) in (0, n)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(NAMES),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(("labels", "label", "1", "2", "x")), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(JSON, st.integers(1, 4), st.integers(0, 60))
def test_any_json_whole_or_cut_gives_as_many_labels_as_texts_or_a_reason(
    value: Any, n: int, cut: int
) -> None:
    """Also where the JSON ends early."""
    text = json.dumps(value)
    for content in (text, text[:cut], f"Sure: {text}"):
        found = parsed(content, n)
        assert (len(found.labels) == n) == (found.failure is None)


@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=30), st.sampled_from([None, 1]))
def test_what_was_asked_for_is_read_as_it_is(labels: list[str], indent: int | None) -> None:
    """The form that a schema holds an LLM to, pretty-printed or not."""
    content = json.dumps({"labels": labels}, indent=indent)

    assert parsed(content, len(labels)).labels == tuple(labels)


@given(st.lists(st.sampled_from(NAMES), min_size=2, max_size=30), st.data())
def test_an_answer_that_breaks_off_never_gives_a_label(labels: list[str], data: Any) -> None:
    """Not even where it looks as if only brackets were missing."""
    whole = json.dumps({"labels": labels})
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]

    assert parsed(cut, len(labels), finish_reason="length").failure == "cut off"
