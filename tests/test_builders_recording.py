"""Recordings: the embedded one, a user's own folder or file, and what is wrong with either."""

import gzip
import json
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from builders.errors import UserError
from builders.llms import create_llm
from builders.llms.base import LLM, LONGEST, Quota
from builders.llms.batch_lines import completion_of
from builders.llms.recording import EMBEDDED, Recording
from builders.parsing import parse_completion
from builders.requests import Completion, Message, Request, RequestId
from builders.tasks import Prompt, Task, load_task, task_names

TASK = Task(
    name="plants",
    title="Plants",
    description="Where does this plant grow?",
    labels={"in/door": "inside a house", "out door": "in the open"},
    prompt=Prompt("You are a gardener.", "Write {count} notes on {label}."),
    length_words=(1, 20),
)


def name_of(label: str, conversation: int = 0, turn: int = 1) -> str:
    """Name a request for zero-shot texts of a label."""
    return f"plants/zero_shot/{label}/c{conversation}/t{turn}"


def row(custom_id: str, texts: Iterable[str] | None, **fields: Any) -> dict[str, Any]:
    """Return a line of a Batch output file; None for texts is an answer without content."""
    content = None if texts is None else json.dumps({"texts": list(texts)})
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    body = {"model": "gardener-2", "choices": [choice], "usage": {"prompt_tokens": 7}}
    return {"custom_id": custom_id, "response": {"status_code": 200, "body": body}, **fields}


def whole(texts: int = 3) -> list[dict[str, Any]]:
    """Return two turns of so many texts for each label."""
    return [
        row(name_of(label, 0, turn), [f"{label} {turn} {i}" for i in range(texts)])
        for label in TASK.label_names
        for turn in (1, 2)
    ]


def written(path: Path, rows: Iterable[Any]) -> Path:
    """Write JSON lines, gzipped if the name says so; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(each) + "\n" for each in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def in_folder(tmp_path: Path, rows: Iterable[Any]) -> Recording:
    """Return a recording of a folder with these lines."""
    written(tmp_path / "zero_shot" / "plants.responses.jsonl.gz", rows)
    return Recording(tmp_path)


def answer_of(recording: Recording, custom_id: str) -> Completion | str:
    """Ask for the answer to the request of that name, with words nobody recorded."""
    message: Message = {"role": "user", "content": "Anything else?"}
    return recording.answer(Request(RequestId.parse(custom_id), (message,), 3))


def asked(recording: Recording, custom_id: str) -> Completion:
    """Return the answer to the request of that name."""
    answer = answer_of(recording, custom_id)
    assert isinstance(answer, Completion)
    return answer


# ---- The embedded recording -----------------------------------------------------------------

EMBEDDED_PAIRS = [
    (task, strategy)
    for strategy in ("zero_shot", "few_shot")
    for task in task_names()
    if (task, strategy) != ("relation", "few_shot")
]


@pytest.mark.parametrize(("task", "strategy"), EMBEDDED_PAIRS)
def test_the_embedded_recording_has_200_answers_of_each_label(task: str, strategy: str) -> None:
    """Eight turns of 25 texts a label: all of them, by default, 25 a request."""
    quota = Recording().quota(load_task(task), strategy, None, None)

    assert quota == Quota(200, 25, 8, 1)
    assert set(Recording().holdings(task, strategy).texts.values()) == {200}


def test_the_embedded_recording_has_no_few_shot_answers_of_relation() -> None:
    """It says so, and names the task and the strategy."""
    recording = Recording()

    assert not recording.can_answer(load_task("relation"), "few_shot")
    with pytest.raises(UserError, match=r"no answers for task 'relation' with strategy 'few_shot'"):
        recording.quota(load_task("relation"), "few_shot", None, None)


def test_the_embedded_recording_names_its_llm_and_its_caveats() -> None:
    """Cards name who answered and what to know before trusting a figure."""
    recording = Recording()

    assert recording.description == "Claude, by Anthropic, November 2026 (recorded answers)"
    assert recording.model == recording.description
    assert len(recording.caveats) == 5
    assert all(" ".join(caveat.split()) == caveat for caveat in recording.caveats)


def test_a_label_with_a_slash_has_its_recorded_answer() -> None:
    """`sci/tech` is one label, and its fifth turn holds 25 texts."""
    completion = asked(Recording(), "ag_news/zero_shot/sci/tech/c0/t5")

    assert len(parse_completion(completion).texts) == 25
    assert completion.finish_reason == "stop"


def test_a_label_with_a_space_has_its_recorded_answer() -> None:
    """`competition class` is taken out of the name whole."""
    completion = asked(Recording(), "relation_wiki/few_shot/competition class/c0/t1")

    assert len(parse_completion(completion).texts) == 25


def test_the_embedded_answers_are_those_that_were_recorded(data_dir: Path) -> None:
    """No file of the package differs from the answers it was taken from."""
    for path in EMBEDDED.glob("*/*.responses.jsonl.gz"):
        assert (
            path.read_bytes() == (data_dir / "recorded" / path.parent.name / path.name).read_bytes()
        )


def test_the_embedded_recording_holds_no_request() -> None:
    """Requests quote real texts and stay out of the package."""
    assert {path.suffix for path in EMBEDDED.rglob("*") if path.is_file()} == {".gz", ".yaml"}
    assert not list(EMBEDDED.rglob("*requests*"))


# ---- What is asked of a recording -----------------------------------------------------------


def test_another_portion_than_the_recorded_one_is_refused_with_the_recorded_one() -> None:
    """The texts of an answer cannot be split up again."""
    with pytest.raises(UserError, match=r"--texts-per-request 10: .* was made with 25"):
        Recording().quota(load_task("humor"), "zero_shot", None, 10)


def test_the_recorded_portion_may_be_named() -> None:
    """Saying what is true anyway changes nothing."""
    recording, task = Recording(), load_task("humor")

    assert recording.quota(task, "zero_shot", None, 25) == recording.quota(
        task, "zero_shot", None, None
    )


def test_more_than_recorded_is_refused_with_how_many_there_are() -> None:
    """200 answers cannot give 201 texts."""
    with pytest.raises(UserError, match=r"--per-label 201: .* has 200 answers for 'serious'"):
        Recording().quota(load_task("humor"), "few_shot", 201, None)


def test_fewer_than_recorded_may_be_asked_for() -> None:
    """All conversations are read; how many texts are wanted is for the choice after the filters."""
    assert Recording().quota(load_task("humor"), "few_shot", 10, None) == Quota(10, 25, 8, 1)


def test_the_words_of_a_request_do_not_matter(tmp_path: Path) -> None:
    """A recording answers by name, and says that it ignores the messages."""
    recording = in_folder(tmp_path, whole())

    assert recording.ignores_messages
    assert "in/door 2 0" in asked(recording, name_of("in/door", 0, 2)).content


def test_a_request_that_was_not_recorded_fails_for_that_reason(tmp_path: Path) -> None:
    """What a recording lacks is a failed request, counted under `not recorded`."""
    recording = in_folder(tmp_path, whole())

    assert answer_of(recording, name_of("in/door", 0, 3)) == "not recorded"


# ---- A user's own recording -----------------------------------------------------------------


@pytest.mark.parametrize("file", ["plants.responses.jsonl", "plants.responses.jsonl.gz"])
def test_a_folder_is_a_recording(file: str, tmp_path: Path) -> None:
    """A folder with `STRATEGY/TASK.responses.jsonl[.gz]` answers like the embedded one."""
    written(tmp_path / "mine" / "zero_shot" / file, whole())
    llm = create_llm(f"recording:{tmp_path / 'mine'}")

    assert llm.can_answer(TASK, "zero_shot")
    assert not llm.can_answer(TASK, "few_shot")
    assert llm.quota(TASK, "zero_shot", None, None) == Quota(6, 3, 2, 1)
    assert llm.description == "a recording (mine)"


@pytest.mark.parametrize("file", ["answers.jsonl", "answers.jsonl.gz"])
def test_a_single_file_is_a_recording(file: str, tmp_path: Path) -> None:
    """A file may hold several tasks and strategies; what is asked for is picked out."""
    others = [row("other/zero_shot/x/c0/t1", ["a"]), row("plants/few_shot/in/door/c0/t1", ["b"])]
    llm = create_llm(f"recording:{written(tmp_path / file, [*others, *whole()])}")

    assert llm.can_answer(TASK, "zero_shot")
    assert not llm.can_answer(TASK, "third")
    assert llm.quota(TASK, "zero_shot", 6, 3) == Quota(6, 3, 2, 1)
    assert llm.caveats == ()


def test_the_current_folder_has_a_name_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`recording:.` is described by the folder's own name."""
    (tmp_path / "garden").mkdir()
    monkeypatch.chdir(tmp_path / "garden")

    assert create_llm("recording:.").description == "a recording (garden)"


def test_an_answer_that_holds_fewer_texts_does_not_change_the_portion(tmp_path: Path) -> None:
    """The portion is what most answers hold: 3, though one holds 2 and another one 4."""
    rows = [row(name_of("in/door", c), "abc") for c in range(3)]
    rows += [row(name_of("out door", 0), "ab"), row(name_of("out door", 1), "abcd")]

    held = in_folder(tmp_path, rows).holdings("plants", "zero_shot")

    assert held.texts_per_request == 3
    assert held.texts == {"in/door": 9, "out door": 6}
    assert (held.conversations, held.turns) == (3, 1)


def test_answers_of_one_plain_text_each_count_as_one(tmp_path: Path) -> None:
    """A recording made with one text a request may hold bare prose, which is that text."""
    rows = [row(name_of(label), "x") for label in TASK.label_names]
    for each in rows:
        each["response"]["body"]["choices"][0]["message"]["content"] = "A fern likes shade."

    assert in_folder(tmp_path, rows).quota(TASK, "zero_shot", None, None) == Quota(1, 1, 1, 1)


def test_a_line_with_an_error_is_a_failed_request(tmp_path: Path) -> None:
    """Its HTTP status is the reason, and it counts no texts."""
    failed = {"custom_id": name_of("in/door", 0, 2), "response": {"status_code": 429}}
    rows = [each for each in whole() if each["custom_id"] != name_of("in/door", 0, 2)]
    recording = in_folder(tmp_path, [*rows, failed])

    assert answer_of(recording, name_of("in/door", 0, 2)) == "http 429"
    assert recording.holdings("plants", "zero_shot").texts == {"in/door": 3, "out door": 6}


def test_an_answer_replaces_the_error_of_an_earlier_try(tmp_path: Path) -> None:
    """A file joined of two runs has an error and an answer for one request, in either order."""
    error = {"custom_id": name_of("in/door"), "response": {"status_code": 500}}

    for rows in ([error, *whole()], [*whole(), error]):
        assert "in/door 1 0" in asked(in_folder(tmp_path, rows), name_of("in/door")).content


def test_two_different_answers_to_one_request_are_refused(tmp_path: Path) -> None:
    """Which of them counts is not for the order of lines to say."""
    rows = [*whole(), row(name_of("in/door"), ["something else"])]

    with pytest.raises(UserError, match=r"two different answers to plants/zero_shot/in/door/c0/t1"):
        in_folder(tmp_path, rows).quota(TASK, "zero_shot", None, None)


def test_a_recording_that_is_there_plain_and_gzipped_is_refused(tmp_path: Path) -> None:
    """Neither is silently preferred."""
    written(tmp_path / "zero_shot" / "plants.responses.jsonl", whole())

    with pytest.raises(UserError, match=r"plants\.responses\.jsonl: is there plain and gzipped"):
        in_folder(tmp_path, whole()).quota(TASK, "zero_shot", None, None)


def test_answers_for_labels_that_the_task_does_not_have_are_refused(tmp_path: Path) -> None:
    """A recording of an older form of the task is not half used."""
    with pytest.raises(UserError, match=r"labels that the task does not have: water"):
        in_folder(tmp_path, [*whole(), row(name_of("water"), ["a"])]).quota(
            TASK, "zero_shot", None, None
        )


def test_a_label_without_any_answer_is_refused_by_name(tmp_path: Path) -> None:
    """No corpus is built that lacks a label."""
    with pytest.raises(UserError, match=r"has no answers for 'out door'"):
        in_folder(tmp_path, [row(name_of("in/door"), ["a"])]).quota(TASK, "zero_shot", None, None)


@pytest.mark.parametrize("custom_id", [name_of("in/door", 10**9), name_of("in/door", 0, 0)])
def test_numbers_that_nothing_would_ask_for_are_refused(custom_id: str, tmp_path: Path) -> None:
    """A conversation number in the billions, or a turn before the first, is a mistake."""
    with pytest.raises(UserError, match="number conversations from c0 and turns from t1"):
        in_folder(tmp_path, [*whole(), row(custom_id, ["a"])]).quota(TASK, "zero_shot", None, None)


# ---- Damaged files --------------------------------------------------------------------------


def damaged(tmp_path: Path, content: bytes, name: str = "plants.responses.jsonl.gz") -> str:
    """Return, as one line, what a recording of this content is refused with."""
    path = tmp_path / "zero_shot" / name
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(UserError) as refused:
        Recording(tmp_path).quota(TASK, "zero_shot", None, None)
    message = str(refused.value)
    assert str(path) in message
    assert "\n" not in message
    return message


PACKED = gzip.compress("".join(json.dumps(each) + "\n" for each in whole(30)).encode(), mtime=0)


def test_a_gzip_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    """An upload that broke off is not taken for a short recording."""
    assert "end-of-stream" in damaged(tmp_path, PACKED[:-20])


def test_a_gzip_file_with_flipped_bytes_is_refused(tmp_path: Path) -> None:
    """Bytes that no longer unpack are the file's fault, not a crash."""
    broken = PACKED[:40] + bytes(byte ^ 0xFF for byte in PACKED[40:80]) + PACKED[80:]
    with pytest.raises(zlib.error):
        gzip.decompress(broken)

    assert "cannot read" in damaged(tmp_path, broken)


def test_a_file_that_is_not_gzipped_though_its_name_says_so_is_refused(tmp_path: Path) -> None:
    """The message says what the file has to be."""
    assert "plain or gzipped" in damaged(tmp_path, b"{}\n")


def test_a_line_that_is_no_json_is_refused_with_its_number(tmp_path: Path) -> None:
    """The line is counted from 1, blank lines included."""
    content = json.dumps(whole()[0]).encode() + b'\n\n{"custom_id": \n'

    assert "line 3: no JSON" in damaged(tmp_path, content, "plants.responses.jsonl")


def test_json_that_nests_without_end_is_refused(tmp_path: Path) -> None:
    """A line of opening brackets is no JSON, not a crash."""
    assert "line 1: no JSON" in damaged(tmp_path, b"[" * 100_000, "plants.responses.jsonl")


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    """Batch files are UTF-8, whatever the machine's own encoding is."""
    content = json.dumps(whole()[0], ensure_ascii=False).replace("door", "t\u00fcr")

    assert "UTF-8" in damaged(tmp_path, content.encode("latin-1"), "plants.responses.jsonl")


@pytest.mark.parametrize("line", ["[]", "3", "null", '{"response": {}}', '{"custom_id": 7}'])
def test_a_line_without_a_name_is_refused(line: str, tmp_path: Path) -> None:
    """What has no custom_id is no line of a Batch file."""
    assert "line 1: not a line of a Batch file" in damaged(
        tmp_path, line.encode(), "plants.responses.jsonl"
    )


@pytest.mark.parametrize(
    "name", ["plants", "plants/zero_shot/x/c0", "a/b/c/c0/tx", "plants//x/c0/t1"]
)
def test_a_name_that_cannot_be_taken_apart_is_refused_with_its_place(
    name: str, tmp_path: Path
) -> None:
    """File, line and name are in the message."""
    message = damaged(tmp_path, json.dumps(row(name, ["a"])).encode(), "plants.responses.jsonl")

    assert f"line 1: custom_id '{name}' is not TASK/STRATEGY/LABEL/cN/tN" in message


@pytest.mark.parametrize(
    "response",
    [
        "text",
        {"status_code": 200, "body": "text"},
        {"status_code": 200, "body": {"choices": {"0": {}}}},
        {"status_code": 200, "body": {"choices": [None]}},
        {"status_code": 200, "body": {"choices": [{"message": "text"}]}},
        {"status_code": 200, "body": {"choices": [{"message": {"content": [1]}}]}},
    ],
)
def test_a_response_of_another_form_is_refused(response: object, tmp_path: Path) -> None:
    """JSON that is no chat completion is named by its line."""
    line = json.dumps({"custom_id": name_of("in/door"), "response": response}).encode()

    assert "line 1: its response is not that" in damaged(tmp_path, line, "plants.responses.jsonl")


def test_an_empty_file_has_no_answers(tmp_path: Path) -> None:
    """It is refused like a task that was never recorded."""
    with pytest.raises(UserError, match="has no answers for task 'plants'"):
        in_folder(tmp_path, []).quota(TASK, "zero_shot", None, None)


@pytest.mark.parametrize("name", ["recording:", "record", "openai", "recording:/no/such/folder"])
def test_a_name_that_means_no_llm_is_refused(name: str) -> None:
    """The message repeats what was given."""
    with pytest.raises(UserError, match=r"no recording at|unknown; use recording"):
        create_llm(name)


def test_a_completion_keeps_what_the_line_says() -> None:
    """Model, finish reason, refusal and tokens are those of the answer."""
    line = row("a/b/c/c0/t1", None)
    line["response"]["body"]["choices"][0]["message"]["refusal"] = "I would rather not."

    assert completion_of(line) == Completion(
        "", "stop", "gardener-2", "I would rather not.", prompt_tokens=7
    )


# ---- The examples that a recording's requests showed ----------------------------------------


def shown(recording: Recording, strategy: str = "few_shot") -> tuple[str, ...] | None:
    """Return the examples that a build with this recording has to compare its texts with."""
    request = Request(RequestId("plants", strategy, "in/door", 0, 1), (), 3)
    return recording.shown_examples([request])


def request_row(example: str, task: str = "plants") -> dict[str, Any]:
    """Return a line of a Batch input file that shows one example."""
    content = f"Write notes.\n\nExamples:\n- {example}\n\nDo not copy."
    messages = [{"role": "system", "content": "x"}, {"role": "user", "content": content}]
    return {"custom_id": f"{task}/few_shot/in/door/c0/t1", "body": {"messages": messages}}


@pytest.mark.parametrize("file", ["plants.requests.jsonl", "plants.requests.jsonl.gz"])
def test_examples_are_read_from_the_requests_beside_the_answers(file: str, tmp_path: Path) -> None:
    """Of a folder, `STRATEGY/TASK.requests.jsonl[.gz]` says what was shown."""
    written(tmp_path / "few_shot" / file, [request_row("A fern."), request_row("A fern.")])

    assert shown(Recording(tmp_path)) == ("A fern.",)


def test_examples_of_a_single_file_are_those_of_its_task(tmp_path: Path) -> None:
    """`X.responses.jsonl` goes with `X.requests.jsonl`; other tasks in it do not count."""
    written(tmp_path / "x.requests.jsonl", [request_row("A fern."), request_row("No", "other")])
    path = written(tmp_path / "x.responses.jsonl.gz", whole())

    assert shown(Recording(path)) == ("A fern.",)


def test_examples_that_are_not_at_hand_are_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user's recording is not checked against requests that were never its own."""
    data = tmp_path / "data"
    written(data / "recorded" / "few_shot" / "plants.requests.jsonl.gz", [request_row("A fern.")])
    monkeypatch.setenv("UNDERSTUDY_DATA", str(data))
    (tmp_path / "mine").mkdir()

    assert shown(Recording(tmp_path / "mine")) is None


def test_examples_of_the_embedded_recording_are_found_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`$UNDERSTUDY_DATA/recorded` holds the requests that stay out of the package."""
    written(
        tmp_path / "recorded" / "few_shot" / "plants.requests.jsonl.gz", [request_row("A fern.")]
    )
    monkeypatch.setenv("UNDERSTUDY_DATA", str(tmp_path))

    assert shown(Recording()) == ("A fern.",)
    monkeypatch.delenv("UNDERSTUDY_DATA")
    assert shown(Recording()) is None


@pytest.mark.parametrize("body", [None, {}, {"messages": [{"role": "user", "content": 3}]}])
def test_a_request_file_of_another_form_is_refused(body: object, tmp_path: Path) -> None:
    """A damaged file is not taken for one that shows no example."""
    line = {"custom_id": "plants/few_shot/in/door/c0/t1", "body": body}
    written(tmp_path / "few_shot" / "plants.requests.jsonl", [line])

    with pytest.raises(UserError, match=r"line 1: not a line of a Batch input file"):
        shown(Recording(tmp_path))


# ---- What other LLMs are asked for by default -----------------------------------------------


class Silent(LLM):
    """An LLM that answers nothing; only what it would be asked for counts here."""

    model = endpoint = description = "silent"


@pytest.mark.parametrize(
    ("per_label", "portion", "quota"),
    [
        (None, None, Quota(200, 25, 8, 1)),
        (10, None, Quota(10, 10, 1, 1)),  # one request, for no more than is wanted
        (201, None, Quota(201, 25, 5, 2)),  # 9 requests: 5 + 5 turns are the fewest in 2
        (300, 25, Quota(300, 25, 6, 2)),  # 12 requests in 2 conversations
        (17, 1, Quota(17, 1, 6, 3)),  # 17 requests: 3 conversations of 6
    ],
)
def test_an_llm_is_asked_for_no_more_turns_than_the_texts_need(
    per_label: int | None, portion: int | None, quota: Quota
) -> None:
    """Every turn is paid for: as few requests as the portion allows, evenly over conversations."""
    assert Silent().quota(TASK, "zero_shot", per_label, portion) == quota
    assert quota.turns <= LONGEST
