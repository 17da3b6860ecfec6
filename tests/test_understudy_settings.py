"""What a study is asked to do: every option's forms, and what is refused before any work."""

from pathlib import Path

import pytest

from builders.errors import UserError
from builders.llms import create_llm
from builders.tasks import list_tasks, load_task
from understudy.settings import (
    Grid,
    StudySettings,
    check_llm,
    parse_arms,
    parse_seeds,
    parse_tasks,
)


def test_a_number_of_seeds_means_the_first_ones() -> None:
    """`3` are the seeds 0, 1 and 2."""
    assert parse_seeds("3") == (0, 1, 2)


@pytest.mark.parametrize(
    ("option", "seeds"), [("0,4,7", (0, 4, 7)), (" 5 , 2", (5, 2)), ("7,", (7,)), ("1,1,0", (1, 0))]
)
def test_commas_name_the_seeds(option: str, seeds: tuple[int, ...]) -> None:
    """With a comma the numbers are the seeds themselves, each once, in the order given."""
    assert parse_seeds(option) == seeds


@pytest.mark.parametrize(
    "option",
    [
        "",
        "0",
        "-1",
        "1.5",
        "three",
        ",",
        "1,,2",
        "1,-2",
        "1,x",
        "4294967296,",
        "9" * 5000,
        "²",
        "1_0",
    ],
)
def test_other_forms_of_seeds_are_refused(option: str) -> None:
    """The line shows both forms; a seed has to fit the generators that it is given to."""
    with pytest.raises(UserError, match=r"--seeds .*how many \(3\) or which \(0,4,7\)"):
        parse_seeds(option)


def test_a_slip_of_the_keyboard_does_not_plan_a_million_runs() -> None:
    """A number of seeds that nobody means is refused at once."""
    with pytest.raises(UserError, match="--seeds 4000000000: more than 1000"):
        parse_seeds("4000000000")


def test_arms_stand_in_the_order_of_the_tables() -> None:
    """The order and repetitions of the option do not matter."""
    assert parse_arms("few_shot, real,few_shot") == ("real", "few_shot")


def test_all_arms_may_be_asked_for_at_once() -> None:
    """`all` is every group; what a group stands for is known once the data is."""
    assert parse_arms("all") == ("main", "curve", "mixed", "alternatives")


def test_groups_and_arms_may_be_asked_for_together() -> None:
    """Groups come first, arms follow in the order of the tables, each once."""
    asked = parse_arms("few_shot+real@50, curve, real@5, main, curve")

    assert asked == ("main", "curve", "real@5", "few_shot+real@50")


def test_a_grid_knows_the_corpora_that_it_needs() -> None:
    """A mixture and a sized corpus need the corpus of their strategy; real arms need none."""
    task = load_task("sms_spam")

    assert Grid((task,), ("few_shot+real@50", "real"), (0,)).strategies == ("few_shot",)
    assert Grid((task,), ("real@5", "real_full"), (0,)).strategies == ()
    assert Grid((task,), ("curve",), (0,)).strategies == ("zero_shot", "few_shot")


@pytest.mark.parametrize(
    ("option", "wrong"),
    [
        ("real,zero", "unknown arm 'zero'; .*use .*few_shot"),
        (" ,", "names no arm; use all, or main"),
    ],
)
def test_unknown_arms_are_refused(option: str, wrong: str) -> None:
    """The line names the arm and lists those there are."""
    with pytest.raises(UserError, match=f"--arms: {wrong}"):
        parse_arms(option)


def test_all_tasks_are_the_shipped_ones() -> None:
    """`all` is every task that ships."""
    assert parse_tasks("all") == list_tasks()


def test_tasks_stand_in_the_order_given() -> None:
    """Names with commas between, spaces allowed."""
    assert [task.name for task in parse_tasks("humor, sms_spam,")] == ["humor", "sms_spam"]


def test_a_task_file_works_where_a_name_does(tmp_path: Path) -> None:
    """The path of a task's file may stand among the names."""
    import builders.tasks

    shipped = Path(builders.tasks.__file__).parent / "sms_spam.yaml"
    own = tmp_path / "own.yaml"
    own.write_text(shipped.read_text().replace("name: sms_spam", "name: own_spam"))

    assert [task.name for task in parse_tasks(f"humor,{own}")] == ["humor", "own_spam"]


@pytest.mark.parametrize(
    ("option", "wrong"),
    [
        ("humor,no_such", "unknown task 'no_such'"),
        (",", "--tasks: names no task"),
        ("humor,imdb,humor", "--tasks: 'humor' stands twice"),
    ],
)
def test_unknown_and_doubled_tasks_are_refused(option: str, wrong: str) -> None:
    """The line names the task."""
    with pytest.raises(UserError, match=wrong):
        parse_tasks(option)


def test_the_strategies_of_a_grid_are_its_synthetic_arms() -> None:
    """Real arms are no strategies."""
    grid = Grid((), ("real", "real_full", "few_shot"), (0,))

    assert grid.strategies == ("few_shot",)


def test_more_answers_than_are_recorded_are_refused_before_any_work() -> None:
    """The line says how many the recording has."""
    grid = Grid((load_task("sms_spam"),), ("zero_shot",), (0,))

    with pytest.raises(UserError, match=r"has 200 answers for 'ham'.* --per-label 200 or less"):
        check_llm(create_llm("recording"), grid, StudySettings(per_label=201))


def test_another_portion_than_the_recorded_is_refused() -> None:
    """A recording was made with one `--texts-per-request`; the line says which."""
    grid = Grid((load_task("sms_spam"),), ("zero_shot",), (0,))

    with pytest.raises(UserError, match=r"--texts-per-request 3: .* was made with \d+"):
        check_llm(create_llm("recording"), grid, StudySettings(texts_per_request=3))


def test_a_task_that_a_recording_has_nothing_for_is_no_mistake() -> None:
    """It is skipped by name later; other tasks of the grid are done."""
    llm = create_llm("recording")
    task = load_task("relation")
    assert not llm.can_answer(task, "few_shot")

    check_llm(llm, Grid((task,), ("real", "few_shot"), (0,)), StudySettings())


def test_settings_are_written_as_json_holds_them() -> None:
    """Every setting has a plain value, so that a folder can be compared with a call."""
    values = StudySettings(real="data", per_label=5).as_dict()

    assert values["real"] == "data"
    assert values["per_label"] == 5
    assert all(v is None or isinstance(v, str | int | bool) for v in values.values())
