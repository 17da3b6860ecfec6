"""The check of a task file: every mistake at once, with key, line and fix."""

import copy
import tempfile
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from builders.errors import UserError
from builders.tasks import check_task_file, load_task, task_names
from builders.tasks.fields import PROMPT_FIELDS, REAL_FIELDS, TASK_FIELDS, Field
from builders.tasks.reading import parse_document
from builders.tasks.validation import document_mistakes

_GOOD = """\
name: doors
title: Doors
description: Is the door open?
labels:
  open: it stands open
  shut: it is shut
prompt:
  context: You write about doors.
  generate: Write {count} texts about a door that is {label}.
length_words: [3, 9]
real:
  path: someone/doors
  text: text
  label: state
  labels: {0: open, 1: shut}
  splits: {train: train, test: null}
"""
_SHIPPED = Path(str(resources.files("builders.tasks")))


def _mistakes(text: str) -> list[tuple[str, int | None, str, str]]:
    found = document_mistakes(parse_document(text))
    return [(each.key, each.line, each.wrong, each.right) for each in found]


def test_the_good_file_has_no_mistakes() -> None:
    """The file that the other tests break is right as it stands."""
    assert _mistakes(_GOOD) == []


@pytest.mark.parametrize("name", task_names())
def test_a_shipped_file_has_no_mistakes(name: str) -> None:
    """Every shipped task passes its own check."""
    assert check_task_file(_SHIPPED / f"{name}.yaml") == []


@pytest.mark.parametrize(
    ("old", "new", "key", "line", "wrong", "right"),
    [
        ("name: doors", "name: my doors", "name", 1, "no safe file name", "use letters, digits"),
        ("name: doors", "name: -doors", "name", 1, "no safe file name", "begin with a letter"),
        ("name: doors", "name: ../doors", "name", 1, "no safe file name", "use letters"),
        ("name: doors", "name: all", "name", 1, "stands for every shipped task", "another name"),
        ("name: doors", f"name: {'x' * 97}", "name", 1, "has 97 characters", "at most 96"),
        ("name: doors", "name: 12", "name", 1, "YAML reads 12 as a number", 'quote it: "12"'),
        ("title: Doors", "titel: Doors", "titel", 2, "is not a key", "did you mean `title`?"),
        ("title: Doors", 'title: "a\\nb"', "title", 2, "holds a line break", "on one line"),
        ("title: Doors", "title:", "title", 2, "has no value", "give a title"),
        ("title: Doors\n", "", "title", None, "is missing", "give a title"),
        ("  open: it", "  yes: it", "labels.yes", 5, "YAML reads yes as true", 'quote it: "yes"'),
        ("  open: it", "  5: it", "labels.5", 5, "YAML reads 5 as a number", 'quote it: "5"'),
        ("  open: it", "  2020-02-02: it", "labels.2020-02-02", 5, "as a date", "quote it"),
        ("  open: it", "  ~: it", "labels.~", 5, "no text before the colon", "as text"),
        ("  open: it", '  "": it', "labels.''", 5, "is an empty label", "give the label"),
        ("  open: it", '  " open": it', "labels. open", 5, "ends with white space", "'open'"),
        ("  open: it", '  "o\\npen": it', "labels.'o\\npen'", 5, "line break or", "remove it"),
        ("  open: it", '  "o\\0pen": it', "labels.'o\\x00pen'", 5, "control", "remove it"),
        ("  open: it", '  "o\\u2028": it', "labels.'o\\u2028'", 5, "line break or", "remove it"),
        ("  open: it", "  Shut: it", "labels.shut", 6, "the label 'Shut' by case", "another name"),
        ("shut: it is shut", 'shut: " "', "labels.shut", 6, "has an empty meaning", "say what"),
        ("shut: it is shut", "shut:", "labels.shut", 6, "has no value", "give the label's meaning"),
        ("shut: it is shut", "shut: no", "labels.shut", 6, "reads no as false", 'quote it: "no"'),
        ("shut: it is shut", "shut: [a]", "labels.shut", 6, "is a list, not text", "meaning"),
        ("  shut: it is shut\n", "", "labels", 4, "has only one label", "at least two labels"),
        ("prompt:", "forbid_label: {}\nprompt:", "forbid_label", 7, "is {}, not true or", "give"),
        ("{0: open, 1: shut}", "{}", "real.labels", 15, "is empty", "each value in the data"),
        ("prompt:", "pormpt:", "pormpt", 7, "is not a key", "did you mean `prompt`?"),
        ("  context: You", "  contxt: You", "prompt.contxt", 8, "is not a key", "`context`"),
        ("  context: You", "  context: '{label}?' #", "prompt.context", 8, "{label}", "move it"),
        ("  context: You", '  context: "\\x07" #', "prompt.context", 8, "U+0007", "remove it"),
        ("  context: You", '  context: "\\ud800" #', "prompt.context", 8, "U+D800", "remove it"),
        ("{count} texts", "texts", "prompt.generate", 9, "has no {count}", "how many texts"),
        ("is {label}", "is {labl}", "prompt.generate", 9, "{labl} at character", "{label}?"),
        ("is {label}", "is {label}}", "prompt.generate", 9, "has a stray }", "write }}"),
        ("[3, 9]", "[9, 3]", "length_words", 10, "the least is more", "write [3, 9]"),
        ("[3, 9]", "[0, 9]", "length_words", 10, "is [0, 9]", "numbers of 1 or more"),
        ("[3, 9]", "[3]", "length_words", 10, "is [3], not two whole numbers", "as `[5, 30]`"),
        ("[3, 9]", "[3, true]", "length_words", 10, "not two whole numbers", "as `[5, 30]`"),
        ("[3, 9]", "3-9", "length_words", 10, "is '3-9', not a list", "as `[5, 30]`"),
        ("real:", "forbid_label: 1\nreal:", "forbid_label", 11, "is 1, not true", "true or false"),
        ("real:", "context: x\nreal:", "context", 11, "not a key", "write it as prompt.context"),
        ("real:", "name: b\nreal:", "name", 11, "stands twice: the first is on line 1", "keep"),
        (
            "real:",
            "subjectivity_rank_remembered: true\nreal:",
            "subjectivity_rank_remembered",
            11,
            "is true, not a whole number",
            "from 1 to 10",
        ),
        (
            "real:",
            "subjectivity_rank_remembered: 11\nreal:",
            "subjectivity_rank_remembered",
            11,
            "is 11",
            "from 1 to 10",
        ),
        ("  path: someone/doors\n", "", "real.path", 11, "is missing", "`owner/name`"),
        ("  text: text", "  text: ''", "real.text", 13, "is empty", "the name of the column"),
        ("1: shut", "1: shutt", "real.labels.1", 15, "'shutt' is not a label", "mean 'shut'?"),
        ("1: shut", "1: blue", "real.labels.1", 15, "not a label", "one of 'open', 'shut'"),
        ("1: shut", "1: no", "real.labels.1", 15, "YAML reads no as false", 'quote it: "no"'),
        ("1: shut", "1: open", "real.labels", 15, "no value maps to the label 'shut'", "`value: "),
        ("1: shut", "~: shut", "real.labels.~", 15, "no text before the colon", "in the data"),
        ("1: shut", "0: shut", "real.labels.0", 15, "stands twice", "keep one of the two"),
        ("train: train", "train: null", "real.splits.train", 16, "is null", "training split"),
        ("train: train, ", "", "real.splits.train", 16, "is missing", "training split"),
        ("test: null", "tset: x", "real.splits.tset", 16, "not one of our splits", "`test`?"),
        ("test: null", "test: train", "real.splits.test", 16, "as does real.splits.train", "null"),
        ("test: null", "test: 3", "real.splits.test", 16, "YAML reads 3 as a number", '"3"'),
        ("test: null", "test: ''", "real.splits.test", 16, "is empty", "their split, or null"),
        (
            "  text: text",
            "  text: text\n  data_files: {a: a/*.csv}",
            "real.splits.train",
            17,
            "'train' is not in real.data_files",
            "use one of 'a'",
        ),
        (
            "  text: text",
            "  text: text\n  data_files: {train: 3}",
            "real.data_files.train",
            14,
            "YAML reads 3 as a number",
            'quote it: "3"',
        ),
    ],
)
def test_a_mistake_is_told_with_key_line_and_fix(
    old: str, new: str, key: str, line: int | None, wrong: str, right: str
) -> None:
    """One change to a good file gives that mistake: its key, its line, what is wrong, the fix."""
    assert old in _GOOD

    found = [each for each in _mistakes(_GOOD.replace(old, new, 1)) if each[0] == key]

    assert any(each[1] == line and wrong in each[2] and right in each[3] for each in found), found


def test_a_misspelt_key_is_not_missing_as_well() -> None:
    """A key that the unknown one was meant to be is not reported a second time."""
    assert [key for key, *_ in _mistakes(_GOOD.replace("title:", "titel:"))] == ["titel"]


def test_all_mistakes_come_at_once_in_the_order_of_lines() -> None:
    """A file with mistakes in every part reports each of them; what is absent comes last."""
    text = _GOOD.replace("title: Doors\n", "").replace("[3, 9]", "[9, 3]")
    text = text.replace("name: doors", "name: my doors").replace("1: shut", "1: shutt")

    assert [(key, line) for key, line, *_ in _mistakes(text)] == [
        ("name", 1),
        ("length_words", 9),
        ("real.labels.1", 14),
        ("real.labels", 14),
        ("title", None),
    ]


def test_slices_of_splits_need_no_file_of_their_own() -> None:
    """`train[:80%]` is a part of a split, so it is not looked up among the files."""
    text = _GOOD.replace("  text: text", "  text: text\n  data_files: {train: a.csv}")
    text = text.replace("{train: train, test: null}", "{train: 'train[:80%]', test: 'train[80%:]'}")

    assert _mistakes(text) == []


def test_a_mistake_reads_as_one_line(tmp_path: Path) -> None:
    """A mistake is printed as line, key, what is wrong, and the fix."""
    path = tmp_path / "doors.yaml"
    path.write_text(_GOOD.replace("[3, 9]", "[9, 3]"), encoding="utf-8")

    (mistake,) = check_task_file(path)

    assert str(mistake) == (
        "line 10: length_words: is [9, 3]: the least is more than the most; write [3, 9]"
    )


_TABLES: tuple[tuple[tuple[str, ...], dict[str, Field]], ...] = (
    ((), dict(TASK_FIELDS)),
    (("prompt",), dict(PROMPT_FIELDS)),
    (("real",), dict(REAL_FIELDS)),
)
# For each kind of value, values of other kinds or without content.
_WRONG: dict[str, list[Any]] = {
    "text": [3, True, 1.5, ["a"], {"a": "b"}, "", "  "],
    "blank text": [3, True, ["a"], {"a": "b"}],
    "whole number": ["3", True, 1.5, [3], 0, 11],
    "true or false": ["true", 0, 1, []],
    "list": ["a", 3, {"a": 1}, [], [1], [1, "2"], [2, 1], [0, 1], [1, 2, 3], [1.0, 2.0]],
    "mapping": ["a", 3, ["a"], {}, {"zzz": 3}],
}


@st.composite
def _broken(draw: st.DrawFn) -> tuple[dict[str, Any], str]:
    """Draw a shipped task with one fault, and the key at which it has to be reported."""
    name = draw(st.sampled_from(task_names()))
    data = copy.deepcopy(yaml.safe_load((_SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")))
    above, fields = draw(st.sampled_from(_TABLES))
    mapping = data
    for key in above:
        mapping = mapping[key]
    key = draw(st.sampled_from(sorted(fields)))
    fault = draw(st.sampled_from(["wrong value", "absent", "null", "unknown key"]))
    if fault in ("absent", "null") and not fields[key].required:
        fault = "wrong value"
    if fault == "unknown key":
        names = st.text("abcz_", min_size=1, max_size=12)
        key = draw(names.filter(lambda name: name not in fields))
        mapping[key] = draw(st.sampled_from(["a", 1, None]))
    elif fault == "absent":
        del mapping[key]
    elif fault == "null":
        mapping[key] = None
    else:
        mapping[key] = draw(st.sampled_from(_WRONG[fields[key].kind]))
    return data, ".".join((*above, key))


@given(_broken())
def test_any_fault_in_a_shipped_file_is_found_at_its_key(case: tuple[dict[str, Any], str]) -> None:
    """A value of another kind, an absent or an unknown key has a mistake at or below that key."""
    data, key = case
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)

    keys = [found for found, *_ in _mistakes(text)]

    assert any(found == key or found.startswith(f"{key}.") for found in keys), keys


@given(st.sampled_from(task_names()), st.data())
def test_any_damage_to_the_text_is_told_or_harmless(name: str, data: st.DataObject) -> None:
    """A shipped file with a piece cut out or put in loads, or has mistakes of one line each."""
    text = (_SHIPPED / f"{name}.yaml").read_text(encoding="utf-8")
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 30, len(text))))
    piece = data.draw(st.text(max_size=5))

    found = document_mistakes(parse_document(text[:start] + piece + text[end:]))

    assert all("\n" not in str(mistake) and mistake.wrong and mistake.right for mistake in found)


_INNER_KEYS = sorted({*PROMPT_FIELDS, *REAL_FIELDS})
_TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=3) | st.integers() | st.booleans(), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from(sorted({*TASK_FIELDS, "x"})),
        _TREES
        | st.dictionaries(
            st.sampled_from(sorted({*PROMPT_FIELDS, *REAL_FIELDS})), _TREES, max_size=6
        ),
        min_size=1,
    )
)
def test_no_tree_is_more_than_a_list_of_mistakes(tree: dict[str, Any]) -> None:
    """Whatever values stand at a task's keys, the check ends with mistakes, never an exception."""
    assert document_mistakes(parse_document(yaml.safe_dump(tree, allow_unicode=True)))


@given(_broken())
def test_loading_a_broken_file_is_a_user_error(case: tuple[dict[str, Any], str]) -> None:
    """A file with a fault is refused in one line, with the number of mistakes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "task.yaml"
        path.write_text(yaml.safe_dump(case[0], sort_keys=False), encoding="utf-8")
        with pytest.raises(UserError, match=r"has \d+ mistakes?: ") as caught:
            load_task(path)
    assert "\n" not in str(caught.value)
