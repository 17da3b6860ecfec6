"""A YAML file as data: what does not parse, and where each key stands."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.errors import UserError
from builders.tasks.reading import parse_document, read_document


@pytest.mark.parametrize(
    ("text", "line", "wrong", "right"),
    [
        # The second colon of line 2 stands in column 9.
        ("a: 1\nb: is it: so\n", 2, "does not parse at column 9: mapping values", "quote a value"),
        ("a:\n\tb: 1\n", 2, "does not parse at column 1", "indent with spaces"),
        ("a: @b\n", 1, "does not parse at column 4", "quote a value that begins"),
        ("a: [1, 2\nb: 3\n", 2, "does not parse at column 2", "mend the YAML there"),
        ("a: 1\n---\nb: 2\n", 2, "does not parse at column 1", "keep one task a file"),
        ("a: 1\nb: x\x07y\n", 2, "does not parse at column 5: the character 0x0007", "remove"),
        ("a: 2020-13-01\n", 1, "value that does not fit its type (month must be", "mend"),
        ("a: !!python/object:os.system x\n", 1, "could not determine a constructor", "mend"),
        ("a: !!bool perhaps\n", 1, "value that does not fit its type", "mend"),
        ("", None, "is empty", "start with `name: ...`"),
        ("# nothing\n", None, "is empty", "start with `name: ...`"),
        ("\n- a\n- b\n", 2, "holds a list, not keys", "start with `name: ...`"),
        ("just words\n", 1, "holds a single value, not keys", "start with `name: ...`"),
        ("[" * 600, None, "is nested too deep", "nest values no deeper"),
    ],
)
def test_what_is_no_mapping_has_one_mistake_with_its_place(
    text: str, line: int | None, wrong: str, right: str
) -> None:
    """Each way of not being a mapping is named with line, column, cause and fix."""
    document = parse_document(text)

    assert document.data is None
    (mistake,) = document.mistakes
    assert (mistake.key, mistake.line) == ("", line)
    assert wrong in mistake.wrong
    assert mistake.right.startswith(right)
    assert "\n" not in str(mistake)


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "a", 3),
        ("a:\n  b: 1\n  b: 2\n", "a.b", 3),
        ("a: {0: x,\n  false: y}\n", "a.false", 2),  # in Python 0 == False
        ('a: {yes: x,\n  "yes": y,\n  on: z}\n', "a.on", 3),  # `yes` and `on` are both true
    ],
)
def test_a_key_that_stands_twice_is_a_mistake(text: str, key: str, line: int) -> None:
    """Keys that YAML would silently make one are named on the line of the second."""
    (mistake,) = parse_document(text).mistakes

    assert (mistake.key, mistake.line) == (key, line)
    assert mistake.wrong.startswith("stands twice: the first is on line")


def test_the_same_key_in_two_mappings_is_no_mistake() -> None:
    """Only keys of one mapping have to differ; merged ones may be overridden."""
    document = parse_document("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n")

    assert document.mistakes == ()
    assert document.data == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}}


def test_a_place_is_the_line_of_the_key_and_what_was_written() -> None:
    """A place tells the key's line and what stood there before YAML read it."""
    places = parse_document("a:\n  b: 1\n  yes: off\n").places

    assert places["a", "b"].line == 2
    assert (places["a", True].line, places["a", True].key) == (3, "yes")
    assert places["a", True].value == "off"


def test_a_mistake_at_an_absent_key_has_the_line_above_it() -> None:
    """A key that is missing is placed at the key that should hold it, or nowhere."""
    document = parse_document("x: 1\na:\n  b: 1\n")

    assert document.mistake(("a", "c"), "is missing", "add it").line == 2
    assert document.mistake(("c",), "is missing", "add it").line is None


def test_nested_aliases_cost_nothing() -> None:
    """Forty levels of doubled aliases, 2**40 values if written out, are read at once."""
    levels = [f"a{n}: &a{n} {{x: *a{n - 1}, y: *a{n - 1}}}" for n in range(1, 41)]

    document = parse_document("\n".join(["a0: &a0 {x: 1}", *levels]))

    assert document.mistakes == ()
    assert len(document.places) == 41 + 1 + 40 * 2


@pytest.mark.parametrize(("encoding", "offset"), [("utf-16", 0), ("latin-1", 9)])
def test_a_file_that_is_not_utf8_says_where(tmp_path: Path, encoding: str, offset: int) -> None:
    """Other encodings are named with the first byte that is not UTF-8, and its line."""
    path = tmp_path / "task.yaml"
    path.write_bytes("a: 1\nb: \u00e9t\u00e9\n".encode(encoding))
    if encoding == "latin-1":
        offset = 8  # "a: 1", a line break and "b: " are eight bytes

    (mistake,) = read_document(path).mistakes

    assert f"at offset {offset}" in mistake.wrong
    assert mistake.right == "save it as UTF-8"


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    """UTF-8 with a byte order mark, as some editors save it, is read."""
    path = tmp_path / "task.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: x\n")

    assert read_document(path).data == {"name": "x"}


def test_a_folder_is_refused(tmp_path: Path) -> None:
    """A folder's path is named, with what to give instead."""
    with pytest.raises(UserError, match="is a folder; give the path of a task's YAML file"):
        read_document(tmp_path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A path that leads nowhere is named."""
    with pytest.raises(UserError, match=r"none\.yaml is not there"):
        read_document(tmp_path / "none.yaml")


def test_a_path_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    """The system's reason is given in one line."""
    with pytest.raises(UserError, match=r"cannot be read \(File name too long\)"):
        read_document(tmp_path / ("x" * 300))


@given(st.text(st.sampled_from("ab:{}[]&*!|>-?,#%@'\"\\~ \n\t01<=.\x00\ud800é"), max_size=40))
def test_no_text_is_more_than_a_mistake(text: str) -> None:
    """Whatever the text, it is read or has a mistake; nothing is raised."""
    document = parse_document(text)

    assert document.data is not None or len(document.mistakes) == 1
    assert all("\n" not in str(mistake) for mistake in document.mistakes)
