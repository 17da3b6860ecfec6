"""`understudy annotate`: texts of a user or of a task, over real HTTP, stopped, killed, resumed."""

import csv
import gzip
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from chat_server import Answer, ChatServer, refusal, running_chat_server
from label_answers import labels, right, said, shown, texts
from live_processes import ended, files_of, names_in, stopped

from builders.annotation import LabellingRecord
from builders.corpus import read_corpus, read_records

TASK = """\
name: plants
title: Plants
description: Where does this plant grow?
labels: {in/door: inside a house, out door: in the open}
prompt: {context: You are a gardener., generate: "Write {count} notes on {label}."}
length_words: [3, 20]
"""
NAMES = ("in/door", "out door")
POOL = texts(60)
REQUESTS = 12
"""60 texts, five a request."""


@pytest.fixture
def server() -> Iterator[ChatServer]:
    """Run a server whose LLM labels every text right, after a moment."""
    with running_chat_server() as running:
        running.answer = answer
        yield running


def answer(body: dict[str, object]) -> Answer:
    """Label every text right, after a moment; one request in twelve is a label short."""
    right_one = labels(body)
    short = len(shown(body)) > 1 and POOL.texts[3] in shown(body)
    return Answer(
        body=said(body, '{"labels": ["in/door"]}').body if short else right_one.body, delay_s=0.02
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a task file and a file of texts without labels."""
    (tmp_path / "plants.yaml").write_text(TASK, encoding="utf-8")
    with (tmp_path / "mine.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "note"])
        rows.writerows(zip(POOL.ids, POOL.texts, strict=True))
    return tmp_path


def command(server: ChatServer, *more: str, out: str = "labelled/plants") -> list[str]:
    """Return the command that labels the file."""
    return [
        *(
            sys.executable,
            "-m",
            "understudy",
            "annotate",
            "plants.yaml",
            "--llm",
            "openai:gardener",
        ),
        *("--texts", "mine.csv", "--text-column", "note", "--base-url", server.url),
        *("--texts-per-request", "5", "--concurrency", "4", "--out", out, *more),
    ]


def annotated(
    server: ChatServer, folder: Path, *more: str, out: str = "labelled/plants"
) -> subprocess.CompletedProcess[str]:
    """Label the file, or what the further options say."""
    return ended(command(server, *more, out=out), folder)


def bare(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command of understudy."""
    return ended([sys.executable, "-m", "understudy", *arguments], folder, **env)


def record_in(folder: Path) -> LabellingRecord:
    """Return the record of a labelled corpus."""
    (record,) = read_records(folder)
    assert isinstance(record, LabellingRecord)
    return record


# ---- The whole way --------------------------------------------------------------------------


def test_a_file_of_texts_becomes_a_data_set(server: ChatServer, folder: Path) -> None:
    """Every text has its label, in a folder of its own; the ledger lies beside it."""
    result = annotated(server, folder)

    assert (result.returncode, result.stderr) == (0, "")
    assert "in/door: 20 texts\n  out door: 40 texts\n" in result.stdout
    assert "requests without anything usable: wrong count 1; texts of 1 asked about again" in (
        result.stdout
    )
    corpus = read_corpus(folder / "labelled/plants", "llm_labelled", NAMES)
    assert {name: right(t) for name, t in zip(corpus.ids, corpus.texts, strict=True)} == {
        name: NAMES[label] for name, label in zip(corpus.ids, corpus.labels, strict=True)
    }
    assert set(corpus.ids) == set(POOL.ids)
    assert len(names_in(folder / "ledger.sqlite")) == REQUESTS + 5


def test_the_data_set_loads_with_its_labels_and_provenance(
    server: ChatServer, folder: Path
) -> None:
    """`load_dataset(DIR, "llm_labelled")`, in a process that knows nothing of this project."""
    annotated(server, folder)
    code = (
        "import datasets, json, sys; datasets.disable_progress_bars();"
        "d = datasets.load_dataset(sys.argv[1], 'llm_labelled', split='train');"
        "print(json.dumps([d.column_names, d.features['label'].names, d.num_rows, d[0]]))"
    )

    loaded = ended([sys.executable, "-c", code, "labelled/plants"], folder)

    columns, names, rows, first = json.loads(loaded.stdout)
    assert (columns, names, rows) == (["id", "text", "label", "llm", "request"], [*NAMES], 60)
    assert first["llm"] == "gardener at 127.0.0.1"
    assert first["request"].startswith("plants/annotate/texts/")


def test_real_training_texts_are_labelled_and_compared(server: ChatServer, folder: Path) -> None:
    """Their own labels are not shown; how many agree is said, and stands in the record."""
    real = folder / "real"
    real.mkdir()
    for split, own in (("train", POOL), ("test", texts(9))):
        rows = [
            json.dumps(
                {"id": i, "text": t if split == "train" else f"{t} Truly.", "label": NAMES[la]}
            )
            for i, t, la in zip(own.ids, own.texts, own.labels, strict=True)
        ]
        (real / f"plants.{split}.jsonl").write_text("\n".join(rows), encoding="utf-8")
    options = command(server)
    at = options.index("--texts")
    options[at : at + 4] = ["--real", str(real), "--n", "20"]

    result = ended(options, folder)

    assert "agreement with the true labels: 20 of 20 (100.0 %)" in result.stdout
    record = record_in(folder / "labelled/plants")
    assert (record.split, record.at_hand, record.asked) == ("train", 60, 20)
    assert record.agreement is not None and record.agreement.share == 1
    assert record.source == "real"
    assert str(real) not in (folder / "labelled/plants/README.md").read_text(encoding="utf-8")


def test_an_estimate_sends_nothing_and_writes_nothing(server: ChatServer, folder: Path) -> None:
    """Requests, tokens, money and time; answers of ten bytes a label and some around them."""
    before = sorted(folder.rglob("*"))

    result = annotated(server, folder, "--dry-run", "--price", "1,2")

    assert result.returncode == 0
    assert "plants: labels of 60 texts by gardener at 127.0.0.1, nothing is sent:" in result.stdout
    assert f"requests: {REQUESTS}, of which 0 are in the ledger already" in result.stdout
    # 12 answers of 16 + 5 x (4 + 8) = 76 bytes, four a token
    assert "and 228 of answers (estimates)" in result.stdout
    assert server.bodies == []
    assert sorted(folder.rglob("*")) == before


def test_an_export_labels_the_same_texts_without_the_server(
    server: ChatServer, folder: Path
) -> None:
    """The ledger becomes a recording that knows the texts by their names."""
    annotated(server, folder)
    asked = len(server.bodies)
    bare(folder, "ledger", "export", "ledger.sqlite", "--out", "rec")

    again = ended(command(server, "--llm", "recording:rec", out="again"), folder)

    assert again.returncode == 0, again.stderr
    assert len(server.bodies) == asked
    first = read_corpus(folder / "labelled/plants", "llm_labelled", NAMES)
    second = read_corpus(folder / "again", "llm_labelled", NAMES)
    pairs = [dict(zip(each.ids, each.labels, strict=True)) for each in (first, second)]
    assert pairs[0] == pairs[1]
    assert b"number" not in gzip.decompress(
        (folder / "rec/annotate/plants.responses.jsonl.gz").read_bytes()
    )


# ---- Signals, kills, budgets ----------------------------------------------------------------


def test_a_killed_labelling_goes_on_where_it_was(server: ChatServer, folder: Path) -> None:
    """SIGKILL twice: at most those in flight are asked again, and every file is the same."""
    annotated(server, folder, out="whole")
    server.bodies.clear()

    for count in (4, 16):
        code, _ = stopped(
            command(server, "--ledger", "own.sqlite"), folder, server, count, signal.SIGKILL
        )
        assert code == -signal.SIGKILL
        assert not (folder / "labelled/plants/README.md").exists()
    result = annotated(server, folder, "--ledger", "own.sqlite")

    assert result.returncode == 0
    assert len(server.bodies) <= REQUESTS + 5 + 2 * 4
    assert files_of(folder / "labelled/plants") == files_of(folder / "whole")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_labelling_keeps_what_is_in_flight_and_a_partial_data_set(
    number: signal.Signals, code: int, server: ChatServer, folder: Path
) -> None:
    """Every request that was sent is in the ledger; the data set so far loads; it goes on."""
    exit_code, errors = stopped(command(server), folder, server, 6, number)

    asked = len(server.bodies)
    assert exit_code == code
    assert asked < REQUESTS
    assert errors.count("\n") == 1
    assert f"understudy annotate: stopped by {number.name}; " in errors
    assert "the same command goes on from there" in errors
    assert len(names_in(folder / "ledger.sqlite")) == asked
    record = record_in(folder / "labelled/plants")
    assert record.unfinished == f"stopped by {number.name}"
    assert record.unlabelled["not asked"] == 60 - 5 * asked

    assert annotated(server, folder).returncode == 0
    assert len(server.bodies) == REQUESTS + 5


def test_a_budget_that_is_met_leaves_a_partial_data_set_and_says_so(
    server: ChatServer, folder: Path
) -> None:
    """Exit code 3, unlike a whole one and unlike a mistake."""
    server.answer = labels

    result = annotated(server, folder, "--max-requests", "5")

    assert result.returncode == 3
    assert result.stderr == (
        "understudy annotate: --max-requests 5 is met; 25 texts are kept, and every answer is in "
        "the ledger: the same command goes on from there\n"
    )
    assert len(server.bodies) == 5


def test_texts_that_get_no_label_at_all_are_no_data_set(server: ChatServer, folder: Path) -> None:
    """The reasons are said, and nothing is written."""
    server.answer = lambda body: said(body, "?\n?")

    result = annotated(server, folder, "--n", "5")

    assert result.returncode == 2
    assert "without a label: unparsable 5" in result.stdout
    assert "no text was kept, so nothing is written" in result.stderr
    assert not (folder / "labelled/plants").exists()


def test_a_price_gives_the_cost_of_a_thousand_texts(server: ChatServer, folder: Path) -> None:
    """What the server counted, a token a character, times the price."""
    server.answer = labels

    result = annotated(server, folder, "--price", "1,0", "--n", "5")

    prompt = sum(len(message["content"]) for message in server.bodies[0]["messages"])
    usd = 1000 * prompt / 5 / 1e6
    assert f"tokens a text: {prompt / 5:.1f} of prompts" in result.stdout
    assert f"1,000 texts: {usd:.4f} USD" in result.stdout


# ---- Files and mistakes ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mine.tsv", "mine.jsonl", "mine.jsonl.gz", "mine.parquet"])
def test_texts_come_from_files_of_any_format(name: str, server: ChatServer, folder: Path) -> None:
    """Rows without a text are counted, rows without a name get one of their own."""
    notes = ["A fern in the hall.", None, "An oak on the hill.", "   "]
    path = folder / name
    if name.endswith(".parquet"):
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.table({"note": notes}), path)
    elif name.endswith(".tsv"):
        path.write_text("note\tother\n" + "".join(f"{n or ''}\tx\n" for n in notes))
    else:
        lines = "".join(json.dumps({"note": n}) + "\n" for n in notes).encode()
        path.write_bytes(gzip.compress(lines) if name.endswith(".gz") else lines)
    server.answer = labels

    result = annotated(server, folder, "--texts", name)

    assert result.returncode == 0, result.stderr
    assert "rows without a text: 2" in result.stdout
    corpus = read_corpus(folder / "labelled/plants", "llm_labelled", NAMES)
    assert dict(zip(corpus.ids, corpus.texts, strict=True)) == {
        "texts-0": "A fern in the hall.",
        "texts-2": "An oak on the hill.",
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--texts", "none.csv"), "--texts none.csv: no such file"),
        (("--text-column", "words"), "--texts mine.csv: no column 'words'; it has 'id', 'note'"),
        (("--real", "real"), "--texts and --real exclude each other"),
        (("--n", "0"), "'0' is not a whole number of at least 1"),
        (("--max-words", "x"), "'x' is not a whole number of at least 1"),
        (("--llm", "gpt:x"), "--llm gpt:x: unknown"),
        (("--max-usd", "1"), "--max-usd: the price of this LLM is not known"),
        (("--llm", "recording"), "the embedded recording has no labels of plants texts"),
        (("--llm", "recording", "--dry-run"), "--dry-run: recording sends nothing"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(
    options: tuple[str, ...], words: str, server: ChatServer, folder: Path
) -> None:
    """Exit code 2, before anything is sent."""
    result = annotated(server, folder, *options)

    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert words in result.stderr
    assert server.bodies == []
    assert not (folder / "labelled/plants").exists()


def test_without_texts_it_says_where_they_may_come_from(folder: Path) -> None:
    """No file, no real data at hand."""
    result = bare(folder, "annotate", "plants.yaml")

    assert result.returncode == 2
    assert "no real data for plants at hand" in result.stderr
    assert "or give texts of your own with --texts FILE" in result.stderr


def test_written_and_real_texts_do_not_share_a_folder(server: ChatServer, folder: Path) -> None:
    """What may be published of the one may not of the other: neither is put beside the other."""
    server.answer = labels
    annotated(server, folder, "--n", "5", out="one")

    build = bare(folder, "build", "plants.yaml", "--llm", "file:x", "--out", "one")

    assert build.returncode == 2
    assert "holds real texts; real and written texts are kept apart" in build.stderr


def test_a_wrong_key_is_one_line(server: ChatServer, folder: Path) -> None:
    """It says which server refused it, and nothing is written."""
    server.answer = lambda body: refusal(401, "Incorrect API key provided: sk-4711")

    result = ended(command(server), folder, OPENAI_API_KEY="sk-4711")

    assert result.returncode == 2
    assert result.stderr == (
        f"understudy: {server.url}: status 401, Incorrect API key provided: ***: set another key, "
        "see --api-key-env\n"
    )


def test_the_recorded_labels_of_a_task_need_no_key(folder: Path, data_dir: Path) -> None:
    """400 real tweets with their recorded labels; another seed is refused."""
    arguments = ("annotate", "tweet_irony", "--out", "irony")

    result = bare(folder, *arguments, UNDERSTUDY_DATA=str(data_dir))
    other = bare(folder, *arguments, "--seed", "1", UNDERSTUDY_DATA=str(data_dir))

    assert result.returncode == 0, result.stderr
    assert "agreement with the true labels: 337 of 400 (84.2 %)" in result.stdout
    assert other.returncode == 2
    assert "was drawn once; leave the option out" in other.stderr


def test_every_text_of_the_file_is_shown_once(server: ChatServer, folder: Path) -> None:
    """Five a request, and their names are not sent."""
    server.answer = labels
    annotated(server, folder)

    assert {len(shown(body)) for body in server.bodies} == {5}
    assert sorted(text for body in server.bodies for text in shown(body)) == sorted(POOL.texts)
    assert not any("plants-train-" in json.dumps(body) for body in server.bodies)
