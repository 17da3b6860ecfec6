"""What texts the parser takes out of an LLM's answer, and what it calls the answers without any."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builders.parsing import Parsed, parse_completion
from builders.requests import Completion

TEXTS = st.lists(st.text(max_size=30), min_size=1, max_size=6)
WORDS = st.sampled_from(["go", "team!", "(1)", "2.", "-", "it's", 'x"y', "*", "[x]", "{y}", "#z"])
ANY_CHARACTER = st.characters(exclude_categories=())
PIECES = st.sampled_from(
    [
        *("{", "}", "[", "]", '"', ",", ":", "\\", "\n", " ", "a", "é", "1", "null", "true"),
        *('"texts"', '"text"', "1. ", "2) ", "- ", "* ", "  ", "```", "```json\n", "**", "#"),
        *("Here are 2 texts:", "I'm sorry, but", "\\u12", "\\ud83d", "\\n", "</think>", "<think>"),
    ]
)


def parsed(content: str, n_texts: int | None = None, finish_reason: str | None = "stop") -> Parsed:
    """Parse `content` as an answer that ended for `finish_reason`."""
    return parse_completion(Completion(content, finish_reason), n_texts)


def tidy(text: str) -> str:
    """Make every run of white space, lone surrogates among it, one space."""
    return " ".join("".join(" " if "\ud800" <= c <= "\udfff" else c for c in text).split())


def as_objects(texts: list[str]) -> list[dict[str, Any]]:
    """Return one object a text, as LLMs write them."""
    return [{"id": i, "text": text} for i, text in enumerate(texts)]


FORMS = {
    "schema": lambda texts: json.dumps({"texts": texts}),
    "other key": lambda texts: json.dumps({"tweets": texts}, ensure_ascii=False),
    "nested": lambda texts: json.dumps({"data": {"items": texts}}),
    "bare list": lambda texts: json.dumps(texts, indent=2),
    "objects": lambda texts: json.dumps({"texts": as_objects(texts)}, ensure_ascii=False),
    "fence": lambda texts: f"```json\n{json.dumps({'texts': texts}, indent=1)}\n```",
    "prose": lambda texts: f"Sure, here you go.\n{json.dumps(texts)}\nAnything else?",
    "prose and fence": lambda texts: f"The texts:\n\n```\n{json.dumps(texts)}\n```\nBye.",
    "one object a line": lambda texts: "\n".join(json.dumps(each) for each in as_objects(texts)),
}


@pytest.mark.parametrize("form", FORMS)
@given(texts=TEXTS)
@example(texts=["1. one\n2. two", "```json", "a {b} [c] \"d\" 'e' \\ /", "", "}]"])
def test_every_structured_form_gives_back_its_texts(form: str, texts: list[str]) -> None:
    """Texts that go into JSON come out again, white space aside, whatever stands around it."""
    assert parsed(FORMS[form](texts)) == Parsed(tuple(tidy(text) for text in texts))


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("finish_reason", ["length", "stop", None])
@pytest.mark.parametrize("before", ['{"texts": [', "[", 'The list:\n```json\n{"tweets": ['])
@given(data=st.data(), texts=TEXTS)
def test_an_answer_cut_anywhere_gives_exactly_its_whole_texts(
    before: str, finish_reason: str | None, ascii_only: bool, data: st.DataObject, texts: list[str]
) -> None:
    """Cut at any byte, an answer gives the texts whose closing quotation mark is before the cut."""
    pieces = [json.dumps(text, ensure_ascii=ascii_only).encode() for text in texts]
    whole = before.encode() + b", ".join(pieces)
    cut = data.draw(st.integers(len(before.encode()), len(whole)))
    ends = [len(before.encode() + b", ".join(pieces[: i + 1])) for i in range(len(pieces))]
    answer = parsed(whole[:cut].decode(errors="ignore"), finish_reason=finish_reason)
    assert answer.texts == tuple(tidy(t) for t, end in zip(texts, ends, strict=True) if end <= cut)
    assert answer.failure in ((None,) if answer.texts else ("empty", "unparsable"))


@given(data=st.data(), texts=TEXTS)
def test_objects_cut_anywhere_give_a_prefix_of_the_texts(
    data: st.DataObject, texts: list[str]
) -> None:
    """An object that breaks off never gives another of its strings in place of its text."""
    answer = json.dumps([{"title": "a title", "text": t, "label": "a label"} for t in texts])
    cut = data.draw(st.integers(1, len(answer)))
    found = parsed(answer[:cut]).texts
    assert found == tuple(tidy(text) for text in texts)[: len(found)]


def test_objects_whose_text_has_another_name_lose_the_one_that_breaks_off() -> None:
    """Of an object that breaks off, the only string so far may not be its text."""
    assert parsed('[{"tweet": "one"}, {"title": "two", "tw').texts == ("one",)


@given(content=st.text(ANY_CHARACTER) | st.lists(PIECES, max_size=30).map("".join))
@pytest.mark.parametrize("n_texts", [None, 1, 25])
@pytest.mark.parametrize("finish_reason", [None, "length"])
def test_no_answer_is_an_error(
    n_texts: int | None, finish_reason: str | None, content: str
) -> None:
    """Whatever an answer holds, it parses: to texts, or to a reason why there are none."""
    answer = parsed(content, n_texts, finish_reason)
    assert (answer.failure is None) == bool(answer.texts)
    json.dumps(answer.texts).encode()
    "".join(answer.texts).encode("utf-8")


@given(content=st.lists(PIECES.filter(lambda piece: "\\" not in piece), max_size=30).map("".join))
@pytest.mark.parametrize("n_texts", [None, 1])
def test_nothing_is_invented(n_texts: int | None, content: str) -> None:
    """Every text of an answer without escapes stands in it, up to white space."""
    for text in parsed(content, n_texts).texts:
        assert text in tidy(content)


@pytest.mark.parametrize("depth", [150, 2_000, 100_000])
def test_deep_nesting_is_no_error(depth: int) -> None:
    """Brackets beyond any recursion limit are an answer without texts."""
    assert parsed("[" * depth).texts == ()
    assert parsed('{"a":' * depth).texts == ()


@pytest.mark.parametrize(
    "content",
    [
        "1. one\n2. two two\n3. three",
        "1) one\n2) two two\n3) three",
        "(1) one\n(2) two two\n(3) three",
        "- one\n- two two\n- three",
        "* one\n* two two\n* three",
        '1. "one"\n2. "two two"\n3. "three"',
        "1. 'one'\n2. \u201ctwo two\u201d\n3. **three**",
        "**1.** one\n**2.** two two\n**3.** three",
        '1."one"\n2."two two"\n3."three"',
        "1.\none\n\n2.\ntwo two\n\n3.\nthree",
        "1. \n\none\n\n2. \n\ntwo\ntwo\n\n3. \n\nthree",
        "Here are 3 texts:\n\n1. one\n\n2. two\n   two\n\n3. three\n\nEach of them is short.",
        "Sure!\n```\n1. one\n2. two\ntwo\n3. three\n```\nThese texts are all made up.",
        "1. one\n2. two two\n3. three\nLet me know if you would like more examples!",
        "Mind these:\n- be brief\n- be kind\n\n1. one\n2. two two\n3. three",
        "**Short:**\n\n1. one\n\n**Long:**\n\n2. two two\n\n# Other\n\n3. three",
        "<think>1. draft\n2. draft</think>\n1. one\n2. two two\n3. three",
    ],
)
def test_lists_give_their_items(content: str) -> None:
    """Numbers, bullets, quotation marks, blank lines and the talk around a list are no text."""
    assert parsed(content) == Parsed(("one", "two two", "three"))


@given(st.lists(st.lists(WORDS, min_size=1).map(" ".join), min_size=2, max_size=9))
def test_a_numbered_list_gives_back_its_texts(texts: list[str]) -> None:
    """Plain texts that are numbered line by line come out again."""
    content = "\n".join(f"{i}. {text}" for i, text in enumerate(texts, 1))
    assert parsed(content).texts == tuple(texts)


def test_a_paragraph_between_items_belongs_to_the_one_before() -> None:
    """Items of several paragraphs stay whole, the last one too."""
    content = "1. one\n\nmore\n\n2. two\n\nmore\n\nThese texts are fictional."
    assert parsed(content).texts == ("one more", "two more")


def test_details_below_an_item_stay_with_it() -> None:
    """Bullets that are indented below numbers are no texts of their own."""
    assert parsed("1. one\n   - more\n2. two\n   - more").texts == ("one - more", "two - more")
    assert parsed("1. one\n   - more\n   - more").failure == "unparsable"


def test_quotation_marks_inside_a_text_stay() -> None:
    """Only a pair that wraps the whole text is stripped."""
    assert parsed('1. "Go," she said. "Now"\n2. \'s fine').texts == (
        '"Go," she said. "Now"',
        "'s fine",
    )


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ("1. one\n2. two\n3. thr", ("one", "two")),
        ("1. one\n2. two\n\nEach of th", ("one", "two")),
        ("1. one\n\nmore\n\n2. two\n\nmo", ("one more",)),
        ("1. one\n2. two\n3.", ("one", "two")),
    ],
)
def test_a_list_cut_for_length_loses_its_unfinished_item(
    content: str, texts: tuple[str, ...]
) -> None:
    """What was still being written when the tokens ran out is no text."""
    assert parsed(content, finish_reason="length").texts == texts


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ('["one", "two",]', ("one", "two")),
        ('{"texts": ["one", "two" "three"]}', ("one",)),
        ('["one", "She said "yes" at once", "three"]', ("one",)),
        ('[{"text": "one"}, {"text": "two" "x"}, {"text": "three"}]', ("one", "three")),
        ('{"texts": ["one", "two"], "note": oops}', ("one", "two")),
    ],
)
def test_broken_json_gives_what_is_sure(content: str, texts: tuple[str, ...]) -> None:
    """Of JSON with a mistake the texts stay that surely ended before it."""
    assert parsed(content) == Parsed(texts, truncated=True)


def test_what_llms_get_wrong_in_strings_is_mended() -> None:
    """Line breaks, needless escapes and half characters inside a string lose no text."""
    assert parsed('["I\\\'m\nin", "a \\$5 \\ud83d bet", "\\ud83d\\ude00"]').texts == (
        "I'm in",
        "a $5 bet",
        "\N{GRINNING FACE}",
    )


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Just plain text", "Just plain text"),
        ("Two\nlines", "Two lines"),
        ('"In quotation marks"', "In quotation marks"),
        ("1. Alone in a list", "Alone in a list"),
        ("Here is a tweet:\n\n- Alone in a list", "Alone in a list"),
        ("Sure! Here is one tweet:\n\nGo team", "Go team"),
        ("Here is the headline:\nLocal man naps", "Local man naps"),
        ("Go team\n\nLet me know if you would like other examples.", "Go team"),
        ("Text:\n```\nGo team\n```\nBye", "Go team"),
        ("[WATCH] A dog on a bus", "[WATCH] A dog on a bus"),
        ("Thanks!\n- Tom", "Thanks! - Tom"),
        ("What is left in the fridge: []", "What is left in the fridge: []"),
        ("I can't believe it's Monday", "I can't believe it's Monday"),
        ('{"texts": ["One in JSON"]}', "One in JSON"),
    ],
)
def test_one_plain_text_answers_a_request_for_one(content: str, text: str) -> None:
    """Without a list, the answer to a request for one text is that text."""
    assert parsed(content, n_texts=1) == Parsed((text,))


@pytest.mark.parametrize("n_texts", [None, 2, 25])
@pytest.mark.parametrize("content", ["Just plain text", "1. Alone in a list", "[1] a [2] b", "{x}"])
def test_talk_does_not_answer_a_request_for_several(content: str, n_texts: int | None) -> None:
    """Without at least two items there is no telling a text from talk."""
    assert parsed(content, n_texts) == Parsed((), "unparsable")


@pytest.mark.parametrize("content", ['{"te', '{"texts": ["half', "{", "["])
def test_json_that_breaks_off_is_no_plain_text(content: str) -> None:
    """A request for one text does not take the wreck of an object for it."""
    assert parsed(content, n_texts=1) == Parsed((), "empty", truncated=True)


def test_prose_before_json_that_breaks_off_is_no_text() -> None:
    """A request for one text does not take the announcement of an object for it."""
    assert parsed('The text is {"texts": ["half', n_texts=1) == Parsed((), "unparsable")


def test_plain_text_cut_for_length_is_no_text() -> None:
    """Half a text is none, even where it is the only one."""
    assert parsed("This review will", 1, "length") == Parsed((), "empty", truncated=True)


@pytest.mark.parametrize("content", ["", " \n", "\ufeff", "[]", "{}", '{"texts": []}', "<think>Hm"])
def test_an_answer_with_nothing_in_it_is_empty(content: str) -> None:
    """White space, an empty list and thinking without an end hold no text."""
    assert parsed(content, n_texts=1) == Parsed((), "empty")


@pytest.mark.parametrize(
    "content",
    [
        "I'm sorry, but I can't help with that.",
        "I\u2019m sorry, but I can\u2019t assist with that request.",
        "I cannot create messages that deceive people. Perhaps something else?",
        "As an AI, I am not able to write reviews of films.",
        "Unfortunately, I am unable to do this.",
        "Please provide some examples first. You could share:\n\n* five texts\n* what they mean",
        "I'm sorry, but I can't write these. Better ideas:\n1. a poem\n2. a story",
    ],
)
def test_a_refusal_in_words_is_a_refusal(content: str) -> None:
    """An answer that declines or asks back gives no text, even where a list follows."""
    assert parsed(content, n_texts=25) == Parsed((), "refusal")


def test_a_refusal_of_one_text_is_no_text() -> None:
    """A request for one text does not take an assistant's refusal for it."""
    assert parsed("I'm sorry, but I can't help with that.", 1) == Parsed((), "refusal")


@pytest.mark.parametrize(
    "completion",
    [
        Completion("", "stop", refusal="I can't help with that."),
        Completion('{"texts": ["one"]}', "content_filter"),
        Completion("", "content_filter"),
    ],
)
def test_a_refusal_that_the_server_names_is_a_refusal(completion: Completion) -> None:
    """The API's refusal message and its content filter count, whatever the content."""
    assert parse_completion(completion) == Parsed((), "refusal")


@pytest.mark.parametrize(
    "content",
    [
        '{"error": "overloaded"}',
        '{"texts": [1, 2]}',
        '[{"headline": "one", "lead": "two"}]',
        '[["one"], ["two"]]',
    ],
)
def test_json_that_leaves_open_what_the_text_is_gives_none(content: str) -> None:
    """The parser does not guess which of several strings is the text."""
    assert parsed(content, n_texts=2) == Parsed((), "unparsable")


def test_objects_with_numbered_keys_give_their_strings() -> None:
    """`{"text1": ..., "text2": ...}` is a list by another name."""
    assert parsed('{"text1": "one", "text2": "two"}').texts == ("one", "two")


def test_objects_under_numbered_keys_give_all_their_texts() -> None:
    """One that breaks off loses the text that it may lack, and no other."""
    whole = '{"review_1": {"text": "Good."}, "review_2": {"text": "Bad."}}'

    assert parsed(whole, 25) == Parsed(("Good.", "Bad."))
    assert parsed('{"1": {"review": "Good."}, "2": {"review": "Bad."', 2).texts == ("Good.",)


@pytest.mark.parametrize(
    "content",
    [
        '{"texts": ["1. Slugs ate it.", "2. Prune it."]}',
        r'{"texts": "1. Slugs ate it.\n2. Prune it."}',
        "1\u3001Slugs ate it.\n2\u3001Prune it.",
        "1: Slugs ate it.\n2: Prune it.",
        "Here they are:\n\nReview 4: Slugs ate it.\n\nReview 5: Prune it.",
        "**Review 1:** Slugs ate it.\n\n**Review 2:** Prune it.",
        "### Tweet 1:\nSlugs ate it.\n\n### Tweet 2:\nPrune it.",
    ],
)
def test_the_numbers_of_a_list_are_no_part_of_its_texts(content: str) -> None:
    """Within JSON, as one string, with a colon or a word, as in Chinese."""
    assert parsed(content, 2) == Parsed(("Slugs ate it.", "Prune it."))


@pytest.mark.parametrize(
    ("content", "n_texts", "texts"),
    [
        ('["10. Mai: Regen.", "11. Mai: Sonne."]', 2, ("10. Mai: Regen.", "11. Mai: Sonne.")),
        ('["1. FC siegt", "Zwei Tore"]', 2, ("1. FC siegt", "Zwei Tore")),
        (r'{"texts": ["My day:\n1. tea\n2. sleep"]}', 2, ("My day: 1. tea 2. sleep",)),
        (r'{"texts": ["1. tea\n2. sleep"]}', 1, ("1. tea 2. sleep",)),
        ("Psalm 1: Blessed\nPsalm 1: Planted", 2, ()),
        ("At 1:30 it rained.\nAt 2:30 it stopped.", 2, ()),
        ("- How are you?\n- Well, thanks.", 1, ("- How are you? - Well, thanks.",)),
        ("- How are you?\n- Well, thanks.", 2, ("How are you?", "Well, thanks.")),
    ],
)
def test_numbers_and_dashes_that_are_of_the_texts_stay(
    content: str, n_texts: int, texts: tuple[str, ...]
) -> None:
    """Days of a month, a list within a text, times, what two people say."""
    assert parsed(content, n_texts).texts == texts


def test_an_item_without_characters_stays_for_a_filter_to_name() -> None:
    """An empty string of the list is a text that a filter rejects, not a hole in the count."""
    assert parsed('["one", "", " "]').texts == ("one", "", "")
