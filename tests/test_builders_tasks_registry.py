"""Shipped tasks by name, and a user's own by the path of its file."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from builders.errors import UserError
from builders.tasks import RealSource, Task, list_tasks, load_task, task_names
from builders.tasks.base import Prompt
from builders.tasks.fields import PROMPT_FIELDS, REAL_FIELDS, TASK_FIELDS, Field

_OWN = """\
name: own_task
title: Own task
description: Is the door open?
labels: {open: it stands open, "no": it is shut}
prompt:
  context: You write about doors.
  generate: Write {count} texts about a door that is {label} ({meaning}).
length_words: [3, 9]
forbid_label: true
"""


def _write(folder: Path, text: str, name: str = "own.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_eleven_tasks_ship_from_the_least_to_the_most_subjective() -> None:
    """The shipped tasks come by remembered rank, and by name where two share one."""
    assert [task.name for task in list_tasks()] == [
        "ag_news",  # 1
        "relation",  # 2
        "relation_wiki",  # 2
        "imdb",  # 3
        "sms_spam",  # 4
        "reddit_emotion",  # 5
        "tweet_irony",  # 6
        "tweet_emotion",  # 7
        "sarcasm_news",  # 8
        "financial_phrasebank",  # 9
        "humor",  # 10
    ]


@pytest.mark.parametrize("name", task_names())
def test_a_shipped_task_loads_by_the_name_in_its_file(name: str) -> None:
    """A shipped task's name is its file's, and its prompt can be filled."""
    task = load_task(name)

    filled = task.prompt.generate.format(
        count=25, label="LABEL", meaning="MEANING", min_words=3, max_words=9
    )
    assert task.name == name
    assert "25" in filled and "LABEL" in filled


def test_values_of_a_task_arrive_as_the_file_states_them() -> None:
    """Labels keep their order, null splits stay null, and values keep their YAML types."""
    task = load_task("humor")

    assert task.label_names == ("serious", "humorous")
    assert task.length_words == (6, 25)
    assert task.forbid_label is False
    assert task.real == RealSource(
        path="CreativeLang/ColBERT_Humor_Detection",
        text="text",
        label="humor",
        labels={False: "serious", True: "humorous"},
        splits={"train": "train", "test": None},
    )


def test_a_users_file_works_where_a_name_does(tmp_path: Path) -> None:
    """A path, as text or as a Path, loads the user's task; `real` may be left out."""
    path = _write(tmp_path, _OWN)

    task = load_task(str(path))

    assert task == load_task(path)
    assert task.label_names == ("open", "no")
    assert task.forbid_label is True
    assert task.real is None


def test_a_users_file_needs_no_suffix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the current folder is found by its bare name."""
    _write(tmp_path, _OWN, "doors")
    monkeypatch.chdir(tmp_path)

    assert load_task("doors").name == "own_task"


def test_a_shipped_name_wins_over_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file called like a shipped task does not hide it, and is reached as `./NAME`."""
    _write(tmp_path, _OWN, "imdb")
    monkeypatch.chdir(tmp_path)

    assert load_task("imdb").title == "IMDB reviews"
    assert load_task("./imdb").title == "Own task"


def test_an_optional_key_may_be_null(tmp_path: Path) -> None:
    """`real: null` is as good as no `real`."""
    text = _OWN.replace("forbid_label: true", "forbid_label: null\nreal: null")

    task = load_task(_write(tmp_path, text))

    assert task.real is None
    assert task.forbid_label is False


def test_an_unknown_name_is_met_with_the_nearest_and_all_others() -> None:
    """The error names what was asked for, the closest task, and every task."""
    with pytest.raises(UserError) as caught:
        load_task("sms_spma")

    message = str(caught.value)
    assert "'sms_spma': did you mean sms_spam?" in message
    assert all(name in message for name in task_names())
    assert "\n" not in message


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 5000, "all"])
def test_a_name_that_no_file_can_have_is_an_unknown_task(name: str) -> None:
    """Odd names get the same error as any other unknown one."""
    with pytest.raises(UserError, match="unknown task"):
        load_task(name)


def test_a_bad_file_is_one_line_with_the_first_mistake_and_the_way_to_the_rest(
    tmp_path: Path,
) -> None:
    """The error names file, number of mistakes, first key, fix, and the command that shows all."""
    text = _OWN.replace("[3, 9]", "[9, 3]").replace("forbid_label: true", "forbid_label: maybe")
    path = _write(tmp_path, text, "my own.yaml")

    with pytest.raises(UserError) as caught:
        load_task(path)

    assert str(caught.value) == (
        f"{path} has 2 mistakes: line 8: length_words: is [9, 3]: the least is more than the most; "
        f"write [3, 9] (`understudy tasks check '{path}'` shows all)"
    )


@pytest.mark.parametrize("name", ["missing.yaml", "missing/own.yml"])
def test_a_path_without_a_file_says_so(tmp_path: Path, name: str) -> None:
    """A path that leads nowhere is named, not taken for a task name."""
    with pytest.raises(UserError, match=r"missing.* is not there; give the path"):
        load_task(str(tmp_path / name))


@pytest.mark.parametrize(
    ("fields", "dataclass"),
    [(TASK_FIELDS, Task), (PROMPT_FIELDS, Prompt), (REAL_FIELDS, RealSource)],
)
def test_the_keys_of_a_file_are_the_fields_of_the_dataclass(
    fields: dict[str, Field], dataclass: type[Task | Prompt | RealSource]
) -> None:
    """A file has exactly the keys that the dataclass has, and needs those without a default."""
    needed = {f.name for f in dataclasses.fields(dataclass) if f.default is dataclasses.MISSING}

    assert set(fields) == {f.name for f in dataclasses.fields(dataclass)}
    assert {key for key, field in fields.items() if field.required} == needed


def test_reading_tasks_loads_no_heavy_library() -> None:
    """Listing the tasks needs neither torch nor datasets nor pydantic."""
    code = (
        "import sys; from builders.tasks import list_tasks; list_tasks(); "
        "print([m for m in ('torch', 'datasets', 'transformers', 'pydantic') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
