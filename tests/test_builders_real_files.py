"""Real texts from files: forms, names, labels, what is dropped and what is refused."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from builders.data import LabelledTexts
from builders.errors import NotAtHand, UserError
from builders.real import RealData, load_real
from builders.real.files import read_rows
from builders.tasks import Prompt, RealSource, Scalar, Task, load_task

TASK = Task(
    name="plants",
    title="Plants",
    description="Where does this plant grow?",
    labels={"in/door": "inside a house", "out door": "in the open"},
    prompt=Prompt("You are a gardener.", "Write {count} notes on {label}."),
    length_words=(1, 20),
)
THEIRS = ("note", "place")
ROWS = [("A fern, in shade", "in/door"), ("An oak", "out door"), ("A rose", "out door")]


def with_real(**settings: Any) -> Task:
    """Return the task with a `real:` block: values 0 and 1 in the column `place`."""
    labels: dict[Scalar, str] = {0: "in/door", 1: "out door"}
    source = RealSource("acme/plants", "note", "place", labels, {"train": "train"})
    return replace(TASK, real=replace(source, **settings))


def write(path: Path, content: str | bytes) -> Path:
    """Write a file, gzipped if its name says so; return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def json_lines(rows: list[dict[str, Any]]) -> str:
    """Return rows as JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def loaded(folder: Path, rows: list[dict[str, Any]], task: Task = TASK) -> RealData:
    """Write rows as the test split of `plants`; load it."""
    write(folder / "plants.test.jsonl", json_lines(rows))
    return load_real(task, str(folder))


def rows_of(
    value: Any, others: tuple[Any, ...] = (), *, columns: tuple[str, str] = ("text", "label")
) -> list[dict[str, Any]]:
    """Return a row with this label, and one for each other label."""
    text, label = columns
    return [{text: f"Text {i}", label: each} for i, each in enumerate((value, *others))]


def refused(folder: Path, rows: list[dict[str, Any]], task: Task = TASK) -> str:
    """Return, as one line, what the rows are refused with."""
    with pytest.raises(UserError) as caught:
        loaded(folder, rows, task)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# ---- Formats --------------------------------------------------------------------------------


def as_csv(delimiter: str) -> str:
    """Return the rows with a delimiter, a text that holds it in quotation marks."""
    lines = [f'"{text}"{delimiter}{label}' for text, label in ROWS]
    return "\r\n".join([f"text{delimiter}label", *lines]) + "\r\n"


def as_parquet() -> bytes:
    """Return the rows as Parquet."""
    sink = pyarrow.BufferOutputStream()
    columns = {"text": [r[0] for r in ROWS], "label": [r[1] for r in ROWS]}
    pyarrow.parquet.write_table(pyarrow.table(columns), sink)
    return bytes(sink.getvalue())


FORMATS: dict[str, Callable[[], str | bytes]] = {
    ".csv": lambda: as_csv(","),
    ".tsv": lambda: as_csv("\t"),
    ".jsonl": lambda: json_lines([{"text": t, "label": la} for t, la in ROWS]),
    ".json": lambda: json_lines([{"text": t, "label": la} for t, la in ROWS]),
    ".parquet": as_parquet,
}


@pytest.mark.parametrize(
    "ending", [*FORMATS, ".csv.gz", ".tsv.gz", ".jsonl.gz", ".json.gz", ".CSV"]
)
def test_every_format_gives_the_same_rows(ending: str, tmp_path: Path) -> None:
    """CSV, TSV, JSON lines and Parquet, plain or gzipped, whatever the case of the ending."""
    content = FORMATS[ending.lower().removesuffix(".gz")]()
    path = write(tmp_path / f"data{ending}", content)

    assert [(row["text"], row["label"]) for row in read_rows(path)] == ROWS


def test_a_quotation_mark_in_a_tsv_never_merges_rows(tmp_path: Path) -> None:
    """Files with tabs are often written without quoting; the lines are named."""
    rows = ["A rose\tout door", '"A fern\tin/door', "An oak\tout door", 'A palm"\tin/door']
    path = write(tmp_path / "plants.tsv", "\n".join(["text\tlabel", *rows, ""]))

    with pytest.raises(UserError, match="makes one field of the lines 3 to 5, tabs and all"):
        list(read_rows(path))


def test_a_quoted_field_of_a_tsv_may_hold_a_tab_or_a_line_break(tmp_path: Path) -> None:
    """Which of a text is a row's end is clear there."""
    path = write(tmp_path / "plants.tsv", 'text\tlabel\n"A\tfern"\tin/door\n"An\noak"\tout door\n')

    assert [row["text"] for row in read_rows(path)] == ["A\tfern", "An\noak"]


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".csv.gz", ".jsonl.gz"])
def test_a_byte_order_mark_is_no_part_of_the_first_column(ending: str, tmp_path: Path) -> None:
    """Spreadsheets write one; the first column is still called `text`."""
    content = FORMATS[ending.removesuffix(".gz")]()
    assert isinstance(content, str)
    path = write(tmp_path / f"data{ending}", f"\ufeff{content}")

    assert list(next(iter(read_rows(path)))) == ["text", "label"]


def test_a_quoted_field_may_hold_line_breaks_delimiters_and_quotes(tmp_path: Path) -> None:
    """Line breaks inside a text become spaces when it is loaded."""
    content = 'text,label\n"One, ""two""\nthree",in/door\n"An oak",out door\n\n'
    write(tmp_path / "plants.test.csv", content)

    assert load_real(TASK, str(tmp_path)).test.texts == ('One, "two" three', "An oak")


def test_a_long_field_is_read(tmp_path: Path) -> None:
    """A text of more than the csv module's usual 128 KiB is no error."""
    long = "word " * 40_000
    write(tmp_path / "plants.test.csv", f"text,label\n{long},in/door\nAn oak,out door\n")

    assert len(load_real(TASK, str(tmp_path)).test.texts[0]) == len(long) - 1


def test_columns_may_stand_in_any_order_among_others(tmp_path: Path) -> None:
    """They are found by name; `id` names the texts."""
    write(tmp_path / "plants.test.csv", "x,label,id,text\n1,in/door,a7,Fern\n2,out door,b9,Oak\n")

    test = load_real(TASK, str(tmp_path)).test

    assert (test.texts, test.ids) == (("Fern", "Oak"), ("a7", "b9"))


def test_texts_without_a_usable_name_get_one(tmp_path: Path) -> None:
    """Names are unique in the source even where its ids are missing or repeated; 0 is one."""
    rows = [
        {"text": f"Text {i}", "label": TASK.label_names[i % 2], "id": name}
        for i, name in enumerate(["a", "a", None, "", 0, "test-2"])
    ]

    assert loaded(tmp_path, rows).test.ids == ("a", "test-1", "test-2", "test-3", "0", "test-5")


# ---- Which file is read ---------------------------------------------------------------------

TEST_ROWS = "text,label\nA fern,in/door\nAn oak,out door\n"
TRAIN_ROWS = "text,label\nA cactus,in/door\nA rose,out door\n"


@pytest.mark.parametrize("form", ["plants.{}.csv", "plants/{}.csv", "{}.csv"])
def test_a_folder_has_a_file_for_each_split(form: str, tmp_path: Path) -> None:
    """`TASK.SPLIT`, `TASK/SPLIT` or `SPLIT`: train and test are read as they are."""
    write(tmp_path / form.format("train"), TRAIN_ROWS)
    write(tmp_path / form.format("test"), TEST_ROWS)

    real = load_real(TASK, str(tmp_path))

    assert (real.train.texts, real.test.texts) == (("A cactus", "A rose"), ("A fern", "An oak"))
    assert real.validation is None
    assert real.source == str(tmp_path)


def test_a_tasks_own_files_win_and_other_forms_do_not_mix_in(tmp_path: Path) -> None:
    """With `TASK.test` there, a `train.csv` beside it is some other task's."""
    write(tmp_path / "plants.test.csv", TEST_ROWS)
    write(tmp_path / "train.csv", TRAIN_ROWS)

    assert len(load_real(TASK, str(tmp_path)).train) == 0


@pytest.mark.parametrize("form", ["plants/{}", "{}"])
def test_parquet_in_parts_is_one_split(form: str, tmp_path: Path) -> None:
    """`train-00000-of-00002.parquet` and its like, as the Hub has them, in order."""
    for i, (text, label) in enumerate(ROWS[:2]):
        path = tmp_path / form.format(f"test-0000{i}-of-00002.parquet")
        path.parent.mkdir(exist_ok=True)
        pyarrow.parquet.write_table(pyarrow.table({"text": [text], "label": [label]}), path)

    assert load_real(TASK, str(tmp_path)).test.texts == ("A fern, in shade", "An oak")


@pytest.mark.parametrize(
    "other", ["plants.test.csv.gz", "plants.test.jsonl", "plants.test-0.parquet"]
)
def test_two_files_of_one_split_are_refused(other: str, tmp_path: Path) -> None:
    """Which of them counts is not guessed."""
    write(tmp_path / "plants.test.csv", TEST_ROWS)
    write(tmp_path / other, as_parquet() if "parquet" in other else TEST_ROWS)

    with pytest.raises(UserError, match="is there too; keep one of them"):
        load_real(TASK, str(tmp_path))


def test_one_file_of_the_task_is_divided(tmp_path: Path) -> None:
    """`TASK.csv` has no test split of its own: one is drawn."""
    lines = [f"Text {i},{TASK.label_names[i % 2]}" for i in range(40)]
    write(tmp_path / "plants.csv", "\n".join(["text,label", *lines]))

    real = load_real(TASK, str(tmp_path))

    assert real.validation is not None
    assert [len(part) for part in (real.train, real.validation, real.test)] == [28, 2, 10]


def test_a_single_file_may_be_named(tmp_path: Path) -> None:
    """`--real FILE` takes a file of any name and divides it."""
    lines = [f"Text {i},{TASK.label_names[i % 2]}" for i in range(8)]
    path = write(tmp_path / "my data.csv", "\n".join(["text,label", *lines]))

    assert len(load_real(TASK, str(path)).test) == 2


def test_a_test_split_alone_is_enough(tmp_path: Path) -> None:
    """Synthetic arms can be scored without real training texts."""
    write(tmp_path / "plants.test.csv", TEST_ROWS)

    real = load_real(TASK, str(tmp_path))

    assert (len(real.train), len(real.test)) == (0, 2)


def test_a_validation_split_stays_what_it_is_where_the_test_split_is_drawn(tmp_path: Path) -> None:
    """The 5 % that a drawn split sets aside for validation then stay in the training split."""
    lines = [f"Text {i},{TASK.label_names[i % 2]}" for i in range(40)]
    write(tmp_path / "plants.train.csv", "\n".join(["text,label", *lines]))
    write(tmp_path / "plants.validation.csv", TEST_ROWS)

    real = load_real(TASK, str(tmp_path))

    assert real.validation is not None
    assert real.validation.texts == ("A fern", "An oak")
    assert (len(real.train), len(real.test)) == (30, 10)


def test_the_data_folder_of_the_environment_is_tried_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`$UNDERSTUDY_DATA/real` is read without being named, and the source says so."""
    write(tmp_path / "real" / "plants.test.csv", TEST_ROWS)
    monkeypatch.setenv("UNDERSTUDY_DATA", str(tmp_path))

    assert load_real(TASK).source == "$UNDERSTUDY_DATA/real/plants"


@pytest.mark.parametrize("other", ["test.csv", "stones.test.csv", "plants/readme.txt"])
def test_a_data_folder_without_the_task_is_passed_over(
    other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that do not carry the task's name are not taken for its own."""
    write(tmp_path / "real" / other, TEST_ROWS)
    monkeypatch.setenv("UNDERSTUDY_DATA", str(tmp_path))

    with pytest.raises(NotAtHand, match="no real data for plants at hand: give --real PATH"):
        load_real(TASK, allow_hub=False)


def test_every_shipped_real_set_can_be_read(data_dir: Path) -> None:
    """Of the real sets at hand every label has training and test texts, none in both."""
    for path in sorted((data_dir / "real").glob("*.test.jsonl.gz")):
        real = load_real(load_task(path.name.split(".")[0]), str(data_dir / "real"))
        assert min(real.train.counts().values()) > 0
        assert min(real.test.counts().values()) > 0


# ---- Labels ---------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [1, 1.0, True, "1", " 1 ", "1.0", "true", "True"])
def test_a_value_is_the_same_in_every_format(value: object, tmp_path: Path) -> None:
    """Whether a file spells 1 as a number, a truth value or text is up to its format."""
    rows = rows_of(value, (0, False), columns=THEIRS)

    assert loaded(tmp_path, rows, with_real()).test.labels == (1, 0, 0)


@pytest.mark.parametrize(
    "labels", [{True: "out door", False: "in/door"}, {"1": "out door", "0": "in/door"}]
)
def test_the_real_block_may_spell_its_values_in_any_way(
    labels: dict[Scalar, str], tmp_path: Path
) -> None:
    """YAML's `true` and `"1"` mean the same value of the data."""
    rows = rows_of(1, (0,), columns=THEIRS)

    assert loaded(tmp_path, rows, with_real(labels=labels)).test.labels == (1, 0)


@pytest.mark.parametrize(("yes", "no"), [("true", "false"), (True, False), ("True", "False")])
def test_labels_that_are_called_true_and_false_are_found(
    yes: object, no: object, tmp_path: Path
) -> None:
    """A task on true statements has labels of that name."""
    task = replace(TASK, labels={"false": "it is not so", "true": "it is so"})

    assert loaded(tmp_path, rows_of(yes, (no,)), task).test.labels == (1, 0)


def test_a_file_may_use_the_tasks_own_labels_and_column_names(tmp_path: Path) -> None:
    """With a `real:` block the file may have `text` and `label`, and our labels, all the same."""
    rows = rows_of("out door", ("in/door",))

    assert loaded(tmp_path, rows, with_real()).test.labels == (1, 0)


def test_values_that_the_real_block_does_not_map_are_dropped_and_counted(tmp_path: Path) -> None:
    """Other labels, rows with several labels or none: each is counted under what it is."""
    rows = rows_of(0, (1, 7, 7, [0, 1], [], None, "", [1]), columns=THEIRS)

    real = loaded(tmp_path, rows, with_real())

    assert real.test.labels == (0, 1, 1)
    assert real.dropped == {"7": 2, "several labels": 1, "no label": 3}


def test_a_real_block_that_maps_names_to_themselves_drops_the_others(tmp_path: Path) -> None:
    """`labels: {in/door: in/door, ...}` states the values as any other mapping does."""
    task = with_real(labels={"in/door": "in/door", "out door": "out door"})
    rows = rows_of("in/door", ("out door", "under water"), columns=THEIRS)

    assert loaded(tmp_path, rows, task).dropped == {"under water": 1}


def test_an_unknown_label_in_our_own_form_is_refused(tmp_path: Path) -> None:
    """A file that uses the task's labels has a slip of the pen: it is named, with what fits."""
    message = refused(tmp_path, rows_of("in/door", ("out door", "outdoor")), with_real())

    assert "labels that task plants does not have: 'outdoor' (2 rows fit)" in message
    assert "it has 'in/door', 'out door'" in message


def test_values_of_which_none_is_known_are_refused(tmp_path: Path) -> None:
    """Five of them are shown."""
    message = refused(tmp_path, rows_of("a", tuple("bcdefg"), columns=THEIRS), with_real())

    assert "'a', 'b', 'c', 'd', 'e' ... (0 rows fit)" in message


def test_a_label_without_any_test_text_is_refused(tmp_path: Path) -> None:
    """A score over labels that are not there would mislead."""
    assert "no test text has the label 'out door'" in refused(tmp_path, rows_of("in/door"))


def test_a_label_without_any_training_text_is_refused(tmp_path: Path) -> None:
    """The real arm cannot learn it."""
    write(tmp_path / "plants.train.csv", "text,label\nA cactus,in/door\n")

    assert "no training text has the label 'out door'" in refused(
        tmp_path, rows_of("in/door", ("out door",))
    )


# ---- Texts ----------------------------------------------------------------------------------


def test_blank_texts_are_dropped_and_counted(tmp_path: Path) -> None:
    """Null, empty and white space are no texts."""
    rows = [{"text": t, "label": "in/door"} for t in (None, "", " \n\t", "Fern")]

    real = loaded(tmp_path, [*rows, *rows_of("out door")])

    assert (real.test.texts, real.blank) == (("Fern", "Text 0"), 3)


def test_half_a_character_is_no_character(tmp_path: Path) -> None:
    """An emoji cut in two, as in shortened tweets, can be neither hashed nor written."""
    rows = [{"text": "Fern \ud83d\ude00 \ud83d", "label": "in/door"}, *rows_of("out door")]

    test = loaded(tmp_path, rows).test

    assert test.texts[0] == "Fern \U0001f600"
    assert len(test.content_hash) == 64


@pytest.mark.parametrize(("join", "text"), [(" ", "A fern"), ("", "Afern"), ("|", "A|fern")])
def test_tokens_are_joined_as_the_task_says(join: str, text: str, tmp_path: Path) -> None:
    """An empty joiner joins without a space, as languages without spaces need it."""
    rows = [{"note": ["A", "fern"], "place": 0}, {"note": ["An", "oak"], "place": 1}]

    assert loaded(tmp_path, rows, with_real(join=join)).test.texts[0] == text


@pytest.mark.parametrize("value", [["A", "fern"], {"en": "A fern"}])
def test_what_is_no_text_is_refused(value: object, tmp_path: Path) -> None:
    """A list that nobody said how to join, or an object, does not become a text by chance."""
    message = refused(tmp_path, [{"text": value, "label": "in/door"}])

    assert "column 'text'" in message


# ---- What is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "missing", "rename"),
    [("text,place", "'label'", "'label'"), ("note,label", "'text'", "'text'")],
)
def test_a_missing_column_is_named_with_those_there_are(
    header: str, missing: str, rename: str, tmp_path: Path
) -> None:
    """One line: what is looked for, what is there, what to do."""
    write(tmp_path / "plants.test.csv", f"{header}\nA fern,in/door\n")

    with pytest.raises(UserError) as caught:
        load_real(TASK, str(tmp_path))
    assert f"no column {missing}; it has '{header.replace(',', chr(39) + ', ' + chr(39))}'" in str(
        caught.value
    )
    assert str(caught.value).endswith(f"to {rename}")


def test_either_name_of_a_column_will_do(tmp_path: Path) -> None:
    """With a `real:` block both its column and our own are named as missing."""
    message = refused(tmp_path, [{"body": "A fern", "place": 0}], with_real())

    assert "no column 'note' or 'text'; it has 'body', 'place'" in message


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("data.csv", "", "no rows"),
        ("data.csv", "text,label\n", "no rows"),
        ("data.jsonl", "\n\n", "no rows"),
        ("data.csv", "text,label\nA fern\n", "line 2 has 1 fields, the header 2"),
        ("data.csv", "text,label\na,b\nA fern,in/door,x\n", "after 1 rows: line 3 has 3 fields"),
        ("data.csv", "text,label,text\na,b,c\n", "two columns are called 'text'"),
        ("data.csv", 'text,label\n"A fern"s,in/door\n', "cannot be read after 0 rows"),
        ("data.csv", 'text,label\n"A fern,in/door\n', "cannot be read after 0 rows"),
        ("data.jsonl", '{"text": "a"}\n{"text": \n', "after 1 rows: line 2 is no JSON"),
        ("data.jsonl", "[1]\n", "line 1 is no JSON object"),
        ("data.jsonl", "[" * 100_000, "cannot be read after 0 rows"),
        ("data.jsonl", b'{"text": "\xff"}\n', "cannot be read after 0 rows"),
        ("data.csv", "text,label\n\u00e4,b\n".encode("utf-16"), "cannot be read after 0 rows"),
        ("data.parquet", "text,label\n", "cannot be read after 0 rows"),
        ("data.txt", "A fern", "unknown ending; use one of .csv, .json, .jsonl, .parquet, .tsv"),
        ("data", "A fern", "unknown ending"),
        ("data.gz", "A fern", "unknown ending"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_in_one_line(
    name: str, content: str | bytes, message: str, tmp_path: Path
) -> None:
    """File, place and fault are named."""
    path = write(tmp_path / name, content)

    with pytest.raises(UserError) as caught:
        load_real(TASK, str(path))
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cut", [slice(0, -12), slice(20, None)])
def test_a_damaged_gzip_file_is_refused(cut: slice, tmp_path: Path) -> None:
    """Cut off at its end, or without its head."""
    packed = gzip.compress(TEST_ROWS.encode() * 50, mtime=0)
    (tmp_path / "data.csv.gz").write_bytes(packed[cut])

    with pytest.raises(UserError, match=r"data\.csv\.gz: cannot be read"):
        load_real(TASK, str(tmp_path / "data.csv.gz"))


def test_gzip_with_flipped_bytes_is_refused(tmp_path: Path) -> None:
    """What the packing itself finds wrong is the file's fault too."""
    packed = bytearray(gzip.compress(TEST_ROWS.encode(), mtime=0))
    packed[12:30] = bytes(byte ^ 0xFF for byte in packed[12:30])
    (tmp_path / "data.csv.gz").write_bytes(bytes(packed))

    with pytest.raises(UserError, match=r"data\.csv\.gz: cannot be read"):
        load_real(TASK, str(tmp_path / "data.csv.gz"))


def test_a_path_that_is_not_there_is_refused() -> None:
    """`--real` names what was given."""
    with pytest.raises(UserError, match="--real /no/such/place: no such file or folder"):
        load_real(TASK, "/no/such/place")


def test_an_empty_path_is_refused() -> None:
    """An unset variable in a script does not mean the current folder."""
    with pytest.raises(UserError, match="--real: is empty"):
        load_real(TASK, "")


@pytest.mark.parametrize("there", [None, "plants.validation.csv", "stones.csv"])
def test_a_folder_without_train_or_test_is_not_at_hand(there: str | None, tmp_path: Path) -> None:
    """The message says how to name the files."""
    if there:
        write(tmp_path / there, TEST_ROWS)

    with pytest.raises(NotAtHand, match=r"no data for plants; name the files plants\.train\.csv"):
        load_real(TASK, str(tmp_path))


def test_labelled_texts_refuse_parts_of_different_lengths() -> None:
    """A text without a label is a mistake of the program."""
    with pytest.raises(ValueError, match="2 texts, 1 labels and 2 ids"):
        LabelledTexts(("a", "b"), (0,), TASK.label_names, ("1", "2"))
