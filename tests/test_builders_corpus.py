"""A corpus on disk: what `load_dataset` makes of it, what replaces it, what the card says."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
import yaml
from datasets import ClassLabel, Value
from huggingface_hub import DatasetCard

from builders.card import corpus_card
from builders.composition import Composition, Order, compose
from builders.corpus import check_folder, read_corpus, read_records, write_corpus
from builders.errors import UserError
from builders.facts import CorpusRecord
from builders.llms.recording import Recording
from builders.synthetic_corpus import SyntheticCorpus
from builders.tasks import Prompt, Task, load_task

LABELS = {"sci/tech": "on science", "out door": "on gardens"}
TASK = Task(
    name="plants",
    title="Plants",
    description="Where does this plant grow?",
    labels=LABELS,
    prompt=Prompt("You are a gardener.", "Write {count} notes on {label}."),
    length_words=(3, 12),
)
TEXTS = {
    "sci/tech": [
        "A microscope shows the cells of an onion.",
        "The probe sent pictures from beyond Mars.",
        "New batteries charge within three minutes.",
    ],
    "out door": [
        "Slugs ate every lettuce last night.",
        "Prune the apple trees before spring.",
        "Roses along the fence need more sun.",
    ],
}


def recording(folder: Path, strategy: str, texts: dict[str, list[str]]) -> Recording:
    """Write a recording of one answer a label; return it."""
    path = folder / strategy / "plants.responses.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for label, own in texts.items():
        message = {"content": json.dumps({"texts": own}, ensure_ascii=False)}
        body = {"model": "gardener-2", "choices": [{"message": message}]}
        name = f"plants/{strategy}/{label}/c0/t1"
        lines.append({"custom_id": name, "response": {"status_code": 200, "body": body}})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return Recording(folder)


def composed(
    tmp_path: Path, strategy: str = "zero_shot", *, word: str = "", task: Task = TASK
) -> Composition:
    """Compose a corpus of six texts; `word` is put before each, to have other texts."""
    texts = {label: [f"{word} {t}".strip() for t in own] for label, own in TEXTS.items()}
    return compose(task, Order(strategy), recording(tmp_path / "recording", strategy, texts))


def files(folder: Path) -> dict[str, bytes]:
    """Return the content of every file of a corpus but the lock."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != ".lock"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


# ---- What a consumer loads ------------------------------------------------------------------

LOAD = """
import json, sys
from datasets import disable_progress_bars, load_dataset
disable_progress_bars()
for line in sys.stdin:
    try:
        data = load_dataset(*json.loads(line))
        rows = data["train"]
        answer = {"splits": list(data), "rows": rows.to_list(), "version": str(rows.info.version),
                  "names": rows.features["label"].names}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
"""


class Consumer:
    """A person who has `datasets` and none of this project, in a process with an empty cache."""

    def __init__(self, home: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", LOAD],
            cwd=home,
            env={"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "PATH": "/usr/bin"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def load(self, *arguments: str) -> dict[str, Any]:
        """Return what `load_dataset` gives for these arguments."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@pytest.fixture(scope="module")
def consumer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consumer]:
    """Start a consumer whose cache is empty; it stays for the module, and its cache with it."""
    person = Consumer(tmp_path_factory.mktemp("home"))
    yield person
    person.close()


def test_load_dataset_gives_the_texts_with_their_labels_and_provenance(
    consumer: Consumer, tmp_path: Path
) -> None:
    """Rows, ClassLabel names with a slash and a space, and the version arrive."""
    write_corpus(composed(tmp_path, "few_shot"), tmp_path / "out", "1.2.3")

    data = consumer.load(str(tmp_path / "out"), "few_shot")

    assert data["splits"] == ["train"]
    assert data["version"] == "1.2.3"
    assert data["names"] == ["sci/tech", "out door"]
    assert [row["text"] for row in data["rows"]] == TEXTS["sci/tech"] + TEXTS["out door"]
    assert data["rows"][4] == {
        "id": "plants/few_shot/out door/c0/t1/1",
        "text": "Prune the apple trees before spring.",
        "label": 1,
        "strategy": "few_shot",
        "llm": "a recording (recording)",
        "conversation": 0,
        "turn": 1,
        "index": 1,
    }


def test_each_strategy_is_a_configuration_and_the_first_is_the_default(
    consumer: Consumer, tmp_path: Path
) -> None:
    """Both stand in one folder; without a name the zero-shot one is loaded, built later or not."""
    write_corpus(composed(tmp_path, "few_shot", word="Look:"), tmp_path / "out")
    write_corpus(composed(tmp_path, "zero_shot"), tmp_path / "out")

    few, zero, default = (
        consumer.load(str(tmp_path / "out"), *name) for name in (["few_shot"], ["zero_shot"], [])
    )

    assert few["rows"][0]["text"] == "Look: A microscope shows the cells of an onion."
    assert zero["rows"] == default["rows"]
    assert {row["strategy"] for row in zero["rows"]} == {"zero_shot"}


def test_a_changed_corpus_is_never_answered_from_the_cache(
    consumer: Consumer, tmp_path: Path
) -> None:
    """Same folder, same version, and files set back to the same time: the new texts are loaded."""
    seen = []
    for word in ("One:", "Two:", "One:"):
        write_corpus(composed(tmp_path, word=word), tmp_path / "out")
        for path in (tmp_path / "out").rglob("*"):
            os.utime(path, (1_000_000_000, 1_000_000_000))
        seen.append(consumer.load(str(tmp_path / "out"), "zero_shot")["rows"][0]["text"][:4])

    assert seen == ["One:", "Two:", "One:"]


def test_a_corpus_folder_may_be_moved(consumer: Consumer, tmp_path: Path) -> None:
    """Nothing in it names where it was built."""
    write_corpus(composed(tmp_path), tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / "else where")

    assert len(consumer.load(str(tmp_path / "else where"), "zero_shot")["rows"]) == 6


def test_a_corpus_of_which_a_label_has_no_text_still_has_the_label(
    consumer: Consumer, tmp_path: Path
) -> None:
    """A shortfall of a whole label changes no index."""
    texts = {"sci/tech": ["word " * 30], "out door": TEXTS["out door"]}
    composition = compose(TASK, Order("zero_shot"), recording(tmp_path / "r", "zero_shot", texts))
    write_corpus(composition, tmp_path / "out")

    data = consumer.load(str(tmp_path / "out"), "zero_shot")

    assert data["names"] == list(LABELS)
    assert [row["label"] for row in data["rows"]] == [1, 1, 1]


# ---- What is written ------------------------------------------------------------------------


def test_the_same_inputs_make_the_same_bytes(tmp_path: Path) -> None:
    """Parquet, record and card hold no time, no path and no chance."""
    for name in ("one", "two/deeper"):
        for strategy in ("zero_shot", "few_shot"):
            write_corpus(composed(tmp_path, strategy), tmp_path / name)

    assert files(tmp_path / "one") == files(tmp_path / "two/deeper")
    assert len(files(tmp_path / "one")) == 5  # two Parquet files, two records, the card
    assert str(tmp_path).encode() not in b"".join(files(tmp_path / "one").values())


def test_the_order_in_which_strategies_are_built_does_not_matter(tmp_path: Path) -> None:
    """The card lists the configurations in the order of the strategies."""
    for name, strategies in (("a", ("zero_shot", "few_shot")), ("b", ("few_shot", "zero_shot"))):
        for strategy in strategies:
            write_corpus(composed(tmp_path, strategy), tmp_path / name)

    assert files(tmp_path / "a") == files(tmp_path / "b")


def test_the_parquet_says_its_own_features(tmp_path: Path) -> None:
    """ClassLabel and the provenance columns are in the file, whoever reads it."""
    write_corpus(composed(tmp_path), tmp_path / "out")
    (path,) = (tmp_path / "out" / "zero_shot").glob("*.parquet")

    schema = pyarrow.parquet.read_schema(path)

    assert json.loads(schema.metadata[b"huggingface"])["info"]["features"]["label"] == {
        "names": ["sci/tech", "out door"],
        "_type": "ClassLabel",
    }
    assert {name: str(schema.field(name).type) for name in schema.names} == {
        **dict.fromkeys(("id", "text", "strategy", "llm"), "string"),
        **dict.fromkeys(("conversation", "turn", "index"), "int32"),
        "label": "int64",
    }


def test_a_rebuild_replaces_the_configuration_and_leaves_the_other(tmp_path: Path) -> None:
    """One Parquet file a configuration, the new one; the other one is untouched."""
    write_corpus(composed(tmp_path, "zero_shot", word="Old:"), tmp_path / "out")
    write_corpus(composed(tmp_path, "few_shot"), tmp_path / "out")
    before = files(tmp_path / "out")

    write_corpus(composed(tmp_path, "zero_shot", word="New:"), tmp_path / "out")

    after = files(tmp_path / "out")
    assert len(after) == len(before) == 5
    assert {n: b for n, b in after.items() if n.startswith("few_shot")} == {
        n: b for n, b in before.items() if n.startswith("few_shot")
    }
    texts = read_corpus(tmp_path / "out", "zero_shot", TASK.label_names).texts
    assert texts[0] == "New: A microscope shows the cells of an onion."


def recipe(folder: Path) -> dict[str, str]:
    """Return the digests of the prompts in the card of a folder."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    prompts: dict[str, str] = yaml.safe_load(text.split("---")[1])["understudy"]["prompts"]
    return prompts


OTHER = replace(
    TASK,
    labels={**LABELS, "out door": "under the sky"},
    prompt=Prompt("You are a poet.", "Sing {count} songs on {label}."),
)


def test_a_card_says_of_each_configuration_how_the_llm_was_asked(tmp_path: Path) -> None:
    """After a rebuild with other words the other configuration keeps those it was asked with."""
    folder = tmp_path / "corpus"
    write_corpus(composed(tmp_path), folder)
    write_corpus(composed(tmp_path, "few_shot"), folder)
    before = recipe(folder)

    write_corpus(composed(tmp_path, "few_shot", task=OTHER), folder)

    assert recipe(folder)["zero_shot"] == before["zero_shot"] != before["few_shot"]
    assert recipe(folder)["few_shot"] != before["few_shot"]
    card = (folder / "README.md").read_text(encoding="utf-8")
    asked = card.split("## How the LLM was asked\n")[1].split("\n\nwith these meanings")

    assert asked[0].strip().splitlines()[::2] == [
        "For `zero_shot`:",
        "> You are a gardener.",
        "> Write {count} notes on {label}.",
    ]
    assert "- `out door`: on gardens\n\nFor `few_shot`:\n\n> You are a poet.\n" in asked[1]


def test_a_record_of_before_takes_the_words_of_the_task(tmp_path: Path) -> None:
    """It does not say how the LLM was asked; one card more is no other way of asking."""
    record = replace(composed(tmp_path).record, files="train-0")
    bare = replace(record, prompts="", context="", generate="", meanings={})

    assert corpus_card(TASK, [bare], "1.0.0") == corpus_card(TASK, [record], "1.0.0")


def test_a_rebuild_keeps_what_stands_below_the_line_of_the_card(tmp_path: Path) -> None:
    """It is somebody's own text; all above it is written anew."""
    folder, own = tmp_path / "corpus", "\n## About\n\nÄpfel of my own.\n"
    write_corpus(composed(tmp_path), folder)
    card = (folder / "README.md").read_text(encoding="utf-8")
    (folder / "README.md").write_text(f"{card}{own}", encoding="utf-8")

    write_corpus(composed(tmp_path), folder)

    assert (folder / "README.md").read_text(encoding="utf-8") == card + own


def test_a_card_that_is_no_text_is_refused_before_a_build(tmp_path: Path) -> None:
    """Somebody's own words may stand in it."""
    write_corpus(composed(tmp_path), tmp_path / "corpus")
    (tmp_path / "corpus/README.md").write_bytes(b"\xff\xfe")

    with pytest.raises(UserError, match=r"README\.md: is no UTF-8 text; save it as that"):
        check_folder(tmp_path / "corpus", TASK, "zero_shot")


def test_a_corpus_is_read_back_as_it_was_composed(tmp_path: Path) -> None:
    """Texts, labels and ids are those of the composition, and so is the record."""
    composition = composed(tmp_path)
    record = write_corpus(composition, tmp_path / "out")

    assert read_corpus(tmp_path / "out", "zero_shot", TASK.label_names) == composition.texts
    assert read_records(tmp_path / "out") == [replace(record, path="")]
    assert record.path == str(tmp_path / "out")


def test_what_is_not_there_is_not_read(tmp_path: Path) -> None:
    """The message names the folder and the configuration."""
    with pytest.raises(UserError, match="no configuration 'few_shot'"):
        read_corpus(tmp_path, "few_shot", TASK.label_names)


def test_a_corpus_with_other_labels_is_not_read(tmp_path: Path) -> None:
    """Indices of other labels would mean something else."""
    write_corpus(composed(tmp_path), tmp_path / "out")

    with pytest.raises(UserError, match="its labels are sci/tech, out door, the task's are a, b"):
        read_corpus(tmp_path / "out", "zero_shot", ("a", "b"))


def test_a_damaged_parquet_file_is_named(tmp_path: Path) -> None:
    """A file that was cut off is no corpus."""
    write_corpus(composed(tmp_path), tmp_path / "out")
    (path,) = (tmp_path / "out" / "zero_shot").glob("*.parquet")
    path.write_bytes(path.read_bytes()[:-30])

    with pytest.raises(UserError, match=f"{path.name}: cannot be read"):
        read_corpus(tmp_path / "out", "zero_shot", TASK.label_names)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("label", 5, "row 2 has the label 5, and there are 2 from 0"),
        ("label", -1, "row 2 has the label -1, "),
        ("label", None, "row 2 has the label None, "),
        ("text", None, "row 2 has no text or no id"),
    ],
)
def test_a_file_that_was_changed_by_hand_is_named_with_its_row(
    tmp_path: Path, column: str, value: object, said: str
) -> None:
    """A value that is no label, or no text."""
    write_corpus(composed(tmp_path), tmp_path / "out")
    (path,) = (tmp_path / "out" / "zero_shot").glob("*.parquet")
    table = pyarrow.parquet.read_table(path)
    values = table.column(column).to_pylist()
    values[1] = value
    place, field = table.schema.get_field_index(column), table.schema.field(column)
    changed = table.set_column(place, field, pyarrow.array(values, field.type))
    pyarrow.parquet.write_table(changed.replace_schema_metadata(table.schema.metadata), path)

    with pytest.raises(UserError, match=f"{path.name}: {said}.*; build it again"):
        read_corpus(tmp_path / "out", "zero_shot", TASK.label_names)


def test_a_corpus_without_any_text_is_not_written(tmp_path: Path) -> None:
    """`load_dataset` reads no empty split; what was there before stays."""
    write_corpus(composed(tmp_path), tmp_path / "out")
    before = files(tmp_path / "out")

    with pytest.raises(UserError, match="plants zero_shot: no text was kept"):
        write_corpus(composed(tmp_path, word="word " * 30), tmp_path / "out")
    assert files(tmp_path / "out") == before


def test_two_builds_at_once_both_arrive(tmp_path: Path) -> None:
    """Two strategies written to one folder at the same time: the card knows both."""
    compositions = [composed(tmp_path, strategy) for strategy in ("zero_shot", "few_shot")]
    for i in range(5):
        folder = tmp_path / f"out{i}"
        with ThreadPoolExecutor(2) as pool:
            written = [pool.submit(write_corpus, each, folder) for each in compositions]
        assert [each.result().strategy for each in written] == ["zero_shot", "few_shot"]

        card = (folder / "README.md").read_text(encoding="utf-8")
        assert [line for line in card.splitlines() if line.startswith("- config_name")] == [
            "- config_name: zero_shot",
            "- config_name: few_shot",
        ]
        assert len(files(folder)) == 5


# ---- Where it may be written ----------------------------------------------------------------


def test_the_folder_of_another_task_is_refused(tmp_path: Path) -> None:
    """Its corpus stays as it is."""
    write_corpus(composed(tmp_path), tmp_path / "out")
    before = files(tmp_path / "out")

    with pytest.raises(UserError, match="holds the corpus of task 'plants'"):
        check_folder(tmp_path / "out", replace(TASK, name="stones"), "zero_shot")
    assert files(tmp_path / "out") == before


def test_a_folder_whose_other_configuration_has_other_labels_is_refused(tmp_path: Path) -> None:
    """One card cannot describe two sets of labels; replacing the only one is no such case."""
    write_corpus(composed(tmp_path), tmp_path / "out")
    changed = replace(TASK, labels={"indoor": "x", "outdoor": "y"})

    with pytest.raises(UserError, match="its zero_shot has the labels sci/tech, out door"):
        check_folder(tmp_path / "out", changed, "few_shot")
    check_folder(tmp_path / "out", changed, "zero_shot")


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    """Nobody's files end up among a corpus's."""
    (tmp_path / "thesis.txt").write_text("Chapter one.", encoding="utf-8")

    with pytest.raises(UserError, match="is not empty and not a corpus"):
        write_corpus(composed(tmp_path), tmp_path)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """`--out` of an existing file is refused."""
    (tmp_path / "out").write_text("", encoding="utf-8")

    with pytest.raises(UserError, match="is a file; name a folder"):
        check_folder(tmp_path / "out", TASK, "zero_shot")


@pytest.mark.parametrize("there", [[], [".git"], [".lock", ".building"]])
def test_an_empty_folder_is_taken(there: list[str], tmp_path: Path) -> None:
    """Hidden files, such as a fresh clone's or a killed build's, do not count."""
    for name in there:
        (tmp_path / "out" / name).mkdir(parents=True)

    check_folder(tmp_path / "out", TASK, "zero_shot")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"kept": 3}'])
def test_a_damaged_record_is_named_with_what_to_remove(text: str, tmp_path: Path) -> None:
    """Building again needs the damaged configuration out of the way first."""
    write_corpus(composed(tmp_path), tmp_path / "out")
    (tmp_path / "out" / "zero_shot" / "corpus.json").write_text(text, encoding="utf-8")

    with pytest.raises(
        UserError, match=r"corpus\.json: cannot be read .*; remove the folder .*shot"
    ):
        check_folder(tmp_path / "out", TASK, "few_shot")


# ---- The builder itself ---------------------------------------------------------------------


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of the Parquet file in a folder."""
    (path,) = folder.glob("*.parquet")
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
    return rows


def test_the_builder_composes_from_the_embedded_recording(tmp_path: Path) -> None:
    """As documented: a strategy, a task, a folder."""
    builder = SyntheticCorpus("few_shot", task="humor", cache_dir=str(tmp_path / "cache"))

    builder.download_and_prepare(str(tmp_path / "out"), file_format="parquet")

    rows = rows_of(tmp_path / "out")
    assert {row["strategy"] for row in rows} == {"few_shot"}
    assert {row["llm"] for row in rows} == {
        "Claude, by Anthropic, November 2026 (recorded answers)"
    }
    assert builder.info.features["label"] == ClassLabel(names=["serious", "humorous"])
    assert builder.info.features["text"] == Value("string")


def built(tmp_path: Path, composition: Composition, place: str | None = None) -> list[str]:
    """Build with one cache for all; return the texts, from `place` or from the cache."""
    strategy = composition.record.strategy
    builder = SyntheticCorpus(strategy, composition=composition, cache_dir=str(tmp_path / "cache"))
    if place is None:
        builder.download_and_prepare()
        return list(builder.as_dataset(split="train")["text"])
    builder.download_and_prepare(str(tmp_path / place), file_format="parquet")
    return [row["text"] for row in rows_of(tmp_path / place)]


@pytest.mark.parametrize("place", [None, "out"])
def test_changed_answers_are_never_served_from_an_older_build(
    place: str | None, tmp_path: Path
) -> None:
    """Same task, strategy, version, cache and folder: what is recorded now counts."""
    old, new = (composed(tmp_path, word=word) for word in ("Old:", "New:"))

    assert built(tmp_path, old, place)[0][:4] == "Old:"
    assert built(tmp_path, new, place)[0][:4] == "New:"
    assert built(tmp_path, old, place)[0][:4] == "Old:"


def test_a_changed_task_is_never_served_from_an_older_build(tmp_path: Path) -> None:
    """Labels in another order are other data: index 0 is the other label's then."""
    seen = []
    for labels in (LABELS, dict(reversed(LABELS.items()))):
        built(tmp_path, composed(tmp_path, task=replace(TASK, labels=labels)))
        data = built(tmp_path, composed(tmp_path, task=replace(TASK, labels=labels)), "out")
        seen.append((data[0][:5], rows_of(tmp_path / "out")[0]["label"]))

    assert seen == [("A mic", 0), ("Slugs", 0)]


def test_the_builder_does_not_empty_a_folder_of_something_else(tmp_path: Path) -> None:
    """`datasets` would remove the whole folder before it moves its own there."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("Chapter one.", encoding="utf-8")

    with pytest.raises(UserError, match=r"holds something else \(thesis\.txt\)"):
        built(tmp_path, composed(tmp_path), "out")
    assert (tmp_path / "out" / "thesis.txt").read_text(encoding="utf-8") == "Chapter one."


def test_the_builder_fills_a_folder_that_was_made_for_it(tmp_path: Path) -> None:
    """An empty folder is as good as none."""
    (tmp_path / "out").mkdir()

    assert len(built(tmp_path, composed(tmp_path), "out")) == 6


def test_the_builder_needs_a_task() -> None:
    """Without one nothing is built, least of all some other task."""
    with pytest.raises(UserError, match="give a task"):
        SyntheticCorpus("few_shot")


def test_the_builder_refuses_a_strategy_that_is_not_the_texts() -> None:
    """A configuration called few_shot holds few-shot texts."""
    composition = compose(load_task("humor"), Order("zero_shot", 5), Recording())

    with pytest.raises(ValueError, match="the texts are zero_shot's"):
        SyntheticCorpus("few_shot", composition=composition)


# ---- The card -------------------------------------------------------------------------------


def card_of(tmp_path: Path, task: Task = TASK, **changes: Any) -> str:
    """Return the card of a corpus of one configuration, its record changed."""
    record = replace(composed(tmp_path, task=task).record, files="train-0123", **changes)
    return corpus_card(task, [record], "1.0.0")


def test_the_cards_metadata_is_what_the_hub_reads(tmp_path: Path) -> None:
    """Configurations with version, split and files; no licence or language that nobody stated."""
    card: Any = DatasetCard(card_of(tmp_path))
    data = card.data.to_dict()

    assert data["configs"] == [
        {
            "config_name": "zero_shot",
            "version": "1.0.0",
            "data_files": [{"split": "train", "path": "zero_shot/train-0123-*"}],
            "default": True,
        }
    ]
    assert data["size_categories"] == ["n<1K"]
    assert data["task_categories"] == ["text-classification"]
    assert not {"license", "language"} & set(data)


@pytest.mark.parametrize(
    ("texts", "category"),
    [(999, "n<1K"), (1000, "1K<n<10K"), (99_999, "10K<n<100K"), (2_000_000, "1M<n<10M")],
)
def test_the_size_category_is_the_hubs(texts: int, category: str, tmp_path: Path) -> None:
    """Powers of ten, the lower bound included."""
    kept = {"sci/tech": texts, "out door": 0}

    assert DatasetCard(card_of(tmp_path, kept=kept)).data["size_categories"] == [category]


def test_a_hostile_title_stays_in_its_field(tmp_path: Path) -> None:
    """Colons, quotes, dashes and what YAML takes for something else are text."""
    title = "yes: [no] \"--- # 'x' \u00e4 | > & * " + "very long " * 30

    data = DatasetCard(card_of(tmp_path, replace(TASK, title=title))).data

    assert data["pretty_name"] == f"{title}: synthetic texts"
    assert data["configs"][0]["config_name"] == "zero_shot"


def test_hostile_labels_and_meanings_are_text_and_not_markup(tmp_path: Path) -> None:
    """Pipes, links, images, HTML, backticks and list marks are escaped."""
    labels = {"a|b": "![x](http://e.example) <b>&lt;", "`c``d": "- 1. *x* _y_ ~z~ $w$"}
    record = CorpusRecord(
        **{
            **composed(tmp_path).record.as_dict(),
            "files": "train-0",
            "kept": {"a|b": 3, "`c``d": 4},
            "surplus": {"a|b": 0, "`c``d": 0},
            "rejected": {"a|b": {}, "`c``d": {}},
        }
    )

    card = corpus_card(replace(TASK, labels=labels), [record], "1.0.0")

    assert "- `a|b`: \\!\\[x\\](http://e.example) \\<b\\>\\&lt;\n" in card
    assert "- ``` `c``d ```: \\- 1. \\*x\\* \\_y\\_ \\~z\\~ \\$w\\$\n" in card
    assert "|  | a\\|b | \\`c\\`\\`d |\n| --- | ---: | ---: |\n| kept | 3 | 4 |\n" in card


@pytest.mark.parametrize("start", ["1. one", "23) two", "- three", "+ four", "= five", "# six"])
def test_a_prompt_that_begins_like_a_list_or_a_heading_is_text(start: str, tmp_path: Path) -> None:
    """At the start of a line these marks are escaped as well."""
    card = card_of(tmp_path, replace(TASK, prompt=Prompt(start, "Write {count} {label}.")))

    mark = start.split(maxsplit=1)[0]
    escaped = f"{mark[:-1]}\\{mark[-1]}" if mark[0].isdigit() else f"\\{mark}"
    assert f"> {escaped} {start.split()[1]}\n" in card


def test_what_was_not_checked_is_never_a_count_of_zero(tmp_path: Path) -> None:
    """A row of a filter without anything to compare with says so for every label."""
    card = card_of(tmp_path)

    assert "| real\\_test\\_copy | not checked | not checked |\n" in card
    assert "| seed\\_copy | not applicable | not applicable |\n" in card
    assert "| duplicate | 0 | 0 |\n" in card


def test_the_card_gives_counts_reasons_and_shortfalls(tmp_path: Path) -> None:
    """What was asked for and not had, what failed, what was odd: all of it is there."""
    card = card_of(
        tmp_path,
        kept={"sci/tech": 1, "out door": 3},
        rejected={"sci/tech": {"duplicate": 2}, "out door": {}},
        failed_requests={"http 500": 2, "refusal": 1},
        warnings={"length": 4},
        recorded=False,
    )

    assert "| kept | 1 | 3 |\n" in card
    assert "| duplicate | 2 | 0 |\n" in card
    assert "Requests without a usable text: http 500 2, refusal 1.\n" in card
    assert "Kept, though not quite as asked for: length 4.\n" in card
    assert "Fewer than asked for: sci/tech 2.\n" in card
    assert "recording" not in card.split("## How the LLM was asked")[1]


def test_the_card_says_that_the_answers_are_recorded_and_what_to_know_of_them() -> None:
    """All caveats of the embedded recording are among the limits."""
    composition = compose(load_task("humor"), Order("few_shot", 5), Recording())
    card = corpus_card(composition.task, [replace(composition.record, files="train-0")], "1.0.0")

    assert "The answers come from a recording." in card
    assert "Claude, by Anthropic, November 2026 (recorded answers)" in card
    limits = card.split("## Limits")[1]
    for caveat in Recording().caveats:
        assert f"\n- {caveat.replace('_', chr(92) + '_')}" in limits


def test_a_corpus_of_an_llm_that_is_called_recorder_is_not_a_recording(tmp_path: Path) -> None:
    """Whether answers are recorded is a fact of the build, not a word in a name."""
    card = card_of(tmp_path, llm="recorder-7b (recorded live)", recorded=False)

    assert "The answers come from a recording." not in card


def test_the_record_beside_the_parquet_is_json_of_the_same_counts(tmp_path: Path) -> None:
    """A program finds what the card tells people."""
    write_corpus(composed(tmp_path), tmp_path / "out")

    record = json.loads((tmp_path / "out/zero_shot/corpus.json").read_text(encoding="utf-8"))

    assert record["kept"] == {"sci/tech": 3, "out door": 3}
    assert record["recorded"] is True
    assert record["models"] == ["gardener-2"]
    assert record["path"] == ""
    assert (tmp_path / "out/zero_shot" / f"{record['files']}-00000-of-00001.parquet").is_file()


def test_the_cards_metadata_is_plain_yaml(tmp_path: Path) -> None:
    """The block between the dashes parses on its own, and the text follows."""
    write_corpus(composed(tmp_path), tmp_path / "out")

    _, block, text = (tmp_path / "out" / "README.md").read_text(encoding="utf-8").split("---\n", 2)

    assert list(yaml.safe_load(block))[-1] == "configs"
    assert text.startswith("# Plants: synthetic texts\n")
