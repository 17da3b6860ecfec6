"""How the report writes names, numbers and columns, whatever they hold."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.report.columns import TextColumn, set_columns, text_width
from evaluation.report.escaping import escape_markdown
from evaluation.report.wording import between, counted, hundredths, listed, one_line


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("zero_shot", "zero_shot"),
        ("_emphasis_", r"\_emphasis\_"),
        ("a|b\nc", r"a\|b c"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("[x](y) `z` *w*", r"\[x\](y) \`z\` \*w\*"),
        ("back\\slash $5", r"back\\slash \$5"),
    ],
)
def test_markdown_escapes_marks_and_leaves_words(text: str, escaped: str) -> None:
    """Marks get a backslash or an entity; an underscore inside a word is none."""
    assert escape_markdown(text) == escaped


@given(st.text())
def test_markdown_never_leaves_a_bare_mark(text: str) -> None:
    """No text breaks the line or leaves a mark that ends a cell or opens a tag, code or link."""
    escaped = escape_markdown(text)
    assert len(escaped.splitlines()) <= 1
    assert "<" not in escaped
    bare = re.sub(r"\\[\\`*_\[\]|#~$!{}]", "", escaped)
    assert not re.search(r"[\\`*\[\]|$]", bare)


@given(st.text())
def test_markdown_escaping_loses_no_letter(text: str) -> None:
    """Taking the backslashes and entities off gives the line back."""
    plain = re.sub(r"\\(.)", r"\1", escape_markdown(text))
    for entity, mark in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        plain = plain.replace(entity, mark)
    assert plain == one_line(text)


def test_one_line_drops_what_would_rewrite_the_line() -> None:
    """Line breaks become spaces; escape sequences and marks of direction go."""
    assert one_line("a\r\nb\x1b[31mc\u202ed\x00") == "a b[31mcd"


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.8314, "83.1"), (-0.0004, "0.0"), (-0.0106, "-1.1"), (0.0, "0.0"), (1.0, "100.0")],
)
def test_shares_are_written_in_percent_without_a_negative_zero(value: float, written: str) -> None:
    """One decimal; what rounds to nothing has no sign."""
    assert hundredths(value) == written


def test_whole_numbers_are_one_or_a_range() -> None:
    """Equal numbers are written once, others from least to most."""
    assert (between([1200, 1200]), between([200, 187, 190]), between([])) == (
        "1,200",
        "187 to 200",
        "none",
    )


def test_names_are_listed_as_in_a_sentence() -> None:
    """Commas, and before the last name an and."""
    assert [listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_counts_of_nothing_are_left_out() -> None:
    """Reasons that nothing was rejected for do not stand beside those that are."""
    assert counted({"empty": 0, "near duplicate": 1200}) == "near duplicate 1,200"


def test_columns_stand_to_the_right_of_their_names() -> None:
    """Heads break after an underscore, numbers end under one another."""
    table = set_columns(
        TextColumn("task", ("films", "sms_spam")),
        [TextColumn("zero_shot", ("75.0", "9.1")), TextColumn("real", ("80.0", "-"))],
        width=100,
    )
    assert table.splitlines() == [
        "task      zero_  real",
        "           shot",
        "--------  -----  ----",
        "films      75.0  80.0",
        "sms_spam    9.1     -",
    ]


def test_columns_without_room_go_into_another_block() -> None:
    """The names are repeated before the columns that did not fit."""
    names = TextColumn("task", ("films",))
    columns = [TextColumn(name, ("1",)) for name in ("first", "second", "third")]
    blocks = set_columns(names, columns, width=22).split("\n\n")
    assert [block.splitlines()[0].split() for block in blocks] == [
        ["task", "first", "second"],
        ["task", "third"],
    ]


@given(
    st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60)), min_size=1, max_size=8),
    st.text(max_size=60),
)
def test_no_line_is_wider_than_the_terminal(columns: list[tuple[str, str]], name: str) -> None:
    """Whatever names and cells hold, wide letters included, every line fits."""
    table = set_columns(
        TextColumn("task", (name,)), [TextColumn(head, (cell,)) for head, cell in columns], width=80
    )
    assert max(map(text_width, table.splitlines())) <= 80


def test_wide_letters_count_twice() -> None:
    """A terminal gives letters of East Asian scripts two cells, a combining accent none."""
    assert (text_width("ab"), text_width("\u65e5\u672c"), text_width("e\u0301")) == (2, 4, 1)
