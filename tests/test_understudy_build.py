"""`understudy build`: from a task to a corpus that anyone can load, and all that can go wrong."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

from understudy.cli import main

DATA = os.environ.get("UNDERSTUDY_DATA")
TASK = """\
name: plants
title: Plants
description: Where does this plant grow?
labels: {sci/tech: on science, out door: in the open}
prompt: {context: You are a gardener., generate: "Write {count} notes on {label}."}
length_words: [3, 12]
"""
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


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run each test in a folder of its own, without real data at hand."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UNDERSTUDY_DATA", raising=False)
    return tmp_path


def recording(folder: Path, *, strategy: str = "zero_shot", texts: Any = None) -> None:
    """Write a task file and a recording of one answer a label."""
    (folder / "plants.yaml").write_text(TASK, encoding="utf-8")
    path = folder / "mine" / strategy / "plants.responses.jsonl.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for label, own in (texts or TEXTS).items():
        choice = {"message": {"content": json.dumps({"texts": own})}, "finish_reason": "stop"}
        response = {"status_code": 200, "body": {"model": "gardener-2", "choices": [choice]}}
        lines.append({"custom_id": f"plants/{strategy}/{label}/c0/t1", "response": response})
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


OWN = ("build", "plants.yaml", "--llm", "recording:mine")


def texts_of(folder: str, strategy: str = "zero_shot") -> list[str]:
    """Return the texts of a corpus."""
    (path,) = Path(folder, strategy).glob("*.parquet")
    texts: list[str] = pyarrow.parquet.read_table(path).column("text").to_pylist()
    return texts


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the one line that a command is refused with; it exits with 2 and writes nothing."""
    before = sorted(Path().rglob("*"))
    try:
        code = main(arguments)
    except SystemExit as stopped:  # the parser's own way out
        code = int(stopped.code or 0)
    output = capsys.readouterr()
    assert code == 2
    assert output.err.count("\n") == 1
    assert sorted(Path().rglob("*")) == before
    return output.err


# ---- What it builds -------------------------------------------------------------------------


def test_the_defaults_build_a_shipped_task_from_the_embedded_recording(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """All that is recorded, zero-shot, into `corpora/TASK`; the last line loads it."""
    assert main(["build", "reddit_emotion"]) == 0

    out = capsys.readouterr().out
    assert len(texts_of("corpora/reddit_emotion")) > 390
    assert out.endswith(
        "corpora/reddit_emotion: load_dataset('corpora/reddit_emotion', 'zero_shot')\n"
    )


def test_it_says_that_a_recording_ignores_the_words_of_the_prompt(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever edits a prompt and sees no difference is told why."""
    main(["build", "reddit_emotion", "--per-label", "5"])

    out = capsys.readouterr().out
    assert out.startswith(
        "Claude, by Anthropic, November 2026 (recorded answers): it answers by task"
    )
    assert "the words of the prompt and its examples are not used" in out


def test_a_users_task_and_recording_build_a_corpus(
    own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Labels with a slash and a space come through, from the file to the corpus."""
    recording(own_folder)

    assert main([*OWN, "--out", "my corpus"]) == 0

    assert texts_of("my corpus") == [text for own in TEXTS.values() for text in own]
    out = capsys.readouterr().out
    assert "  sci/tech: 3 kept\n  out door: 3 kept\n" in out
    assert "load_dataset('my corpus', 'zero_shot')" in out


def test_rejected_texts_are_a_shortfall_with_reasons_and_no_failure(
    own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 0: the answers were there, the filters kept fewer."""
    recording(own_folder, texts={**TEXTS, "sci/tech": [TEXTS["sci/tech"][0]] * 2 + ["Too short"]})
    (own_folder / "plants.yaml").write_text(TASK.replace("[3, 12]", "[6, 12]"), encoding="utf-8")

    assert main([*OWN, "--out", "out"]) == 0

    assert "  sci/tech: 1 kept; rejected: duplicate 1, length 1; 2 fewer than asked for\n" in (
        capsys.readouterr().out
    )


def test_fewer_may_be_asked_for_and_the_seed_chooses_which(
    own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same seed chooses the same; what is left over is said."""
    recording(own_folder)
    seeds = [0, 0, *range(1, 6)]
    for i, seed in enumerate(seeds):
        main([*OWN, "--per-label", "1", "--seed", str(seed), "--out", f"out{i}"])

    chosen = [tuple(texts_of(f"out{i}")) for i in range(len(seeds))]
    assert chosen[0] == chosen[1]
    assert len(set(chosen)) > 1
    assert {len(texts) for texts in chosen} == {2}
    assert "sci/tech: 1 kept, 2 more accepted\n" in capsys.readouterr().out


def test_an_answer_without_a_usable_text_is_told(
    own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refusal among the recorded answers is counted by reason."""
    recording(own_folder)
    line = {
        "custom_id": "plants/zero_shot/out door/c0/t2",
        "response": {
            "status_code": 200,
            "body": {"choices": [{"message": {"refusal": "I would rather not."}}]},
        },
    }
    with gzip.open("mine/zero_shot/plants.responses.jsonl.gz", "at", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")

    assert main([*OWN, "--out", "out"]) == 0

    out = capsys.readouterr().out
    assert "requests without a usable text: " in out
    assert "refusal 1" in out
    assert "not recorded 1" in out  # the other label's second turn


def test_copies_of_real_test_texts_are_kept_out(
    own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--real` is what the texts are checked against; without it that is said to be unchecked."""
    recording(own_folder)
    rows = "slugs ate EVERY lettuce last night,out door\nA telescope,sci/tech\n"
    Path("real.csv").write_text(
        f"text,label\n{rows}{rows.replace('A', 'Another')}", encoding="utf-8"
    )
    Path("folder").mkdir()
    Path("folder/plants.test.csv").write_text(f"text,label\n{rows}", encoding="utf-8")

    main([*OWN, "--out", "unchecked"])
    unchecked = capsys.readouterr().out
    main([*OWN, "--real", "folder", "--out", "checked"])
    checked = capsys.readouterr().out

    assert "not checked, for want of texts to compare with: real_test_copy\n" in unchecked
    assert "out door: 2 kept; rejected: real_test_copy 1" in checked
    assert "not checked" not in checked


def test_real_texts_may_be_left_out(
    own_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--real none` looks at none, though some are at hand; the help promises no Hub."""
    recording(own_folder)
    monkeypatch.setenv("UNDERSTUDY_DATA", str(own_folder))
    Path("real").mkdir()
    Path("real/plants.test.csv").write_text(
        "text,label\nAn elm,out door\nA lens,sci/tech\n", encoding="utf-8"
    )

    assert main([*OWN, "--out", "checked"]) == 0
    assert "not checked" not in capsys.readouterr().out
    assert main([*OWN, "--real", "none", "--out", "unchecked"]) == 0
    assert "want of texts to compare with: real_test_copy\n" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["build", "--help"])
    assert "(else: $UNDERSTUDY_DATA/real)" in " ".join(capsys.readouterr().out.split())


def test_few_shot_without_the_recorded_requests_is_not_checked_for_copies(
    own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The examples that the LLM was shown are not at hand: neither is a count of 0."""
    recording(own_folder, strategy="few_shot")

    assert main([*OWN, "--strategy", "few_shot", "--out", "out"]) == 0

    assert "with: seed_copy, real_test_copy\n" in capsys.readouterr().out
    assert "| seed\\_copy | not checked | not checked |" in Path("out/README.md").read_text()


def test_both_strategies_share_a_folder_and_a_rebuild_replaces_its_own(own_folder: Path) -> None:
    """The second strategy is added; building the first again leaves it alone."""
    recording(own_folder)
    recording(own_folder, strategy="few_shot")
    main([*OWN, "--out", "out"])
    main([*OWN, "--strategy", "few_shot", "--out", "out"])
    before = Path("out/README.md").read_bytes()

    assert main([*OWN, "--out", "out"]) == 0

    assert Path("out/README.md").read_bytes() == before
    assert len(texts_of("out", "few_shot")) == len(texts_of("out", "zero_shot")) == 6


@pytest.mark.skipif(not DATA, reason="needs UNDERSTUDY_DATA, the folder of real data")
def test_real_data_in_the_data_folder_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `UNDERSTUDY_DATA` set, nothing of a few-shot corpus is left unchecked."""
    monkeypatch.setenv("UNDERSTUDY_DATA", str(DATA))

    main(["build", "reddit_emotion", "--strategy", "few_shot", "--out", "out"])

    record = json.loads(Path("out/few_shot/corpus.json").read_text())
    assert set(record["statuses"].values()) == {"checked"}


# ---- What it refuses ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "humour"], "unknown task 'humour': did you mean humor?"),
        (["build", "no/such.yaml"], "no/such.yaml"),
        (["build", "humor", "--strategy", "one_shot"], "unknown strategy 'one_shot'"),
        (["build", "humor", "--llm", "gpt"], "--llm gpt: unknown; use recording"),
        (["build", "humor", "--llm", "recording:nowhere"], "no recording at nowhere"),
        (["build", "humor", "--per-label", "201"], "has 200 answers for 'serious'"),
        (["build", "humor", "--per-label", "0"], "--per-label: '0' is not a whole number"),
        (["build", "humor", "--per-label", "many"], "'many' is not a whole number"),
        (["build", "humor", "--seed", "-1"], "--seed"),
        (["build", "humor", "--texts-per-request", "10"], "was made with 25"),
        (["build", "relation", "--strategy", "few_shot"], "no answers for task 'relation'"),
        (["build", "humor", "--real", "nowhere"], "--real nowhere: no such file or folder"),
        (["build", "humor", "--out", "a[b]"], "load_dataset cannot read a folder with ["),
        (["build", "humor", "--out", "a::b"], "load_dataset cannot read a folder with ::"),
        (["build"], "TASK"),
    ],
)
def test_what_cannot_be_built_is_one_line_and_leaves_nothing(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, the option or name, and what to do; no folder is made."""
    assert message in refused(capsys, *arguments)


def test_a_task_file_with_a_mistake_is_refused_with_its_key(
    own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says how to see all mistakes."""
    recording(own_folder)
    Path("plants.yaml").write_text(TASK.replace("title:", "titel:"), encoding="utf-8")

    assert "understudy tasks check plants.yaml" in refused(capsys, *OWN)


def test_a_recording_of_another_label_is_refused(
    own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Answers to labels that the task no longer has are not mixed in."""
    recording(own_folder, texts={**TEXTS, "indoor": ["A fern"] * 3})

    assert "has answers for labels that the task does not have: indoor" in refused(capsys, *OWN)


def test_a_damaged_recording_is_refused_with_its_line(
    own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """File and line are named."""
    recording(own_folder)
    path = own_folder / "mine/zero_shot/plants.responses.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-9])

    assert "mine/zero_shot/plants.responses.jsonl.gz" in refused(capsys, *OWN)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("note,label\nA fern,sci/tech\n", "no column 'text'"),
        ("text,label\nA fern,scitech\n", "labels that task plants does not have: 'scitech'"),
        ("", "no rows"),
    ],
)
def test_real_data_that_does_not_fit_is_refused(
    content: str, message: str, own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Data that a user names has to be right, though a build could do without."""
    recording(own_folder)
    Path("real.csv").write_text(content, encoding="utf-8")

    assert message in refused(capsys, *OWN, "--real", "real.csv")


def test_a_folder_without_the_tasks_data_is_refused_when_it_is_named(
    own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--real DIR` has to have something for the task."""
    recording(own_folder)
    Path("empty").mkdir()

    assert "no data for plants; name the files plants.train.csv" in refused(
        capsys, *OWN, "--real", "empty"
    )


def test_the_corpus_of_another_task_is_left_alone(
    own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--out` of a folder that has one is refused before any work."""
    recording(own_folder)
    main([*OWN, "--out", "out"])
    capsys.readouterr()

    assert "--out out: holds the corpus of task 'plants'" in refused(
        capsys, "build", "humor", "--out", "out"
    )


@pytest.mark.parametrize("name", ["study.json", "notes.txt"])
def test_a_folder_of_something_else_is_left_alone(
    name: str, own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A study's folder, or anybody's, is no corpus folder."""
    (own_folder / "out").mkdir()
    (own_folder / "out" / name).write_text("{}", encoding="utf-8")

    assert "--out out: is not empty and not a corpus" in refused(
        capsys, "build", "humor", "--out", "out"
    )


@pytest.mark.parametrize("out", ["file", "file/deeper"])
def test_a_file_in_the_way_of_the_folder_is_refused(
    out: str, own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--out` has to be a folder, and so have all that it is in."""
    (own_folder / "file").write_text("", encoding="utf-8")

    assert "name a folder" in refused(capsys, "build", "humor", "--out", out)


def test_a_corpus_without_any_text_is_refused_with_the_reasons(
    own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reasons were printed before; nothing is written, since nothing could be loaded."""
    recording(own_folder, texts=dict.fromkeys(TEXTS, ["no"] * 2))
    (own_folder / "plants.yaml").write_text(TASK.replace("[3, 12]", "[6, 12]"), encoding="utf-8")

    assert main([*OWN, "--out", "out"]) == 2

    output = capsys.readouterr()
    assert "sci/tech: 0 kept; rejected: length 2; 2 fewer than asked for" in output.out
    assert "plants zero_shot: no text was kept" in output.err
    assert not Path("out").exists()
