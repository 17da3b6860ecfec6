"""The exchange of files: bounded, never asked twice, answered in any order and in parts."""

import asyncio
import gzip
import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from batch_server import Row, answered, failed, reply
from hypothesis import given
from hypothesis import strategies as st

from builders.composition import Composition, Live, Order, compose
from builders.errors import UserError
from builders.generation import Budget
from builders.ledger import Ledger
from builders.llms.base import Exhausted, RequestFailed, TryAgain
from builders.llms.batch_files import Bound, Wave, custom_id, portions
from builders.llms.file_exchange import FileExchange
from builders.requests import Completion, Message, Request, RequestId
from builders.tasks import Prompt, Task

TASK = Task(
    name="plants",
    title="Plants",
    description="Where does this plant grow?",
    labels={"in/door": "inside a house", "im Grünen": "in the open"},
    prompt=Prompt("You are a gardener.", "Write {count} notes on {label} ({meaning})."),
    length_words=(4, 20),
)


def request(number: int, label: str = "in/door", words: str = "Write.", draw: int = 0) -> Request:
    """Return one request."""
    name = RequestId("plants", "zero_shot", label, number, 1)
    message: Message = {"role": "user", "content": words}
    return Request(name, (message,), 1, sampling={"max_tokens": 9}, draw=draw)


REQUESTS = [request(n) for n in range(6)]


def asked(
    llm: FileExchange, requests: list[Request]
) -> tuple[dict[str, Completion | RequestFailed], str]:
    """Ask for one wave; return what came, by the requests' names, and how to go on."""
    found: dict[str, Completion | RequestFailed] = {}

    async def ask() -> None:
        async with aclosing(llm.complete_all(requests)) as answers:
            async for each, outcome in answers:
                found[str(each.id)] = outcome

    try:
        asyncio.run(ask())
    except Exhausted as stopped:
        return found, str(stopped)
    return found, ""


def rows_of(path: Path) -> list[Row]:
    """Return the lines of a request file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def write(path: Path, rows: list[Row]) -> None:
    """Write lines of an answer file."""
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def files(folder: Path) -> list[str]:
    """Return the names of the request files."""
    return sorted(path.name for path in folder.glob("*.requests.jsonl"))


def composed(folder: Path, ledger: Ledger) -> Composition:
    """Build a corpus of six texts a label."""
    llm = FileExchange(folder)
    order = Order("zero_shot", per_label=6, texts_per_request=1)
    return compose(TASK, order, llm, live=Live(ledger, Budget.of(llm)))


def test_a_corpus_is_built_from_files_that_somebody_answers(tmp_path: Path) -> None:
    """Ask; answer one label first, then the other; the second run has half, the third has all."""
    folder = tmp_path / "exchange"
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        none = composed(folder, ledger)
        rows = rows_of(folder / "0001.requests.jsonl")
        first = [row for row in rows if "in/door" in row["custom_id"]]
        write(folder / "b.responses.jsonl", [answered(row) for row in first])
        half = composed(folder, ledger)
        rest = [row for row in rows if row not in first]
        write(folder / "a.responses.jsonl.gz", [answered(row) for row in reversed(rest)])
        whole = composed(folder, ledger)

    assert none.halt is not None and "12 requests are open" in none.halt.why
    assert none.kept == ()
    assert half.halt is not None and "6 requests are open" in half.halt.why
    assert half.record.kept == {"in/door": 6, "im Grünen": 0}
    assert whole.halt is None
    assert whole.record.kept == {"in/door": 6, "im Grünen": 6}
    assert files(folder) == ["0001.requests.jsonl"]


def test_a_request_file_holds_batch_lines(tmp_path: Path) -> None:
    """Each line names the request, the method, the address and the body."""
    asked(FileExchange(tmp_path, model="some/model"), [request(3, words="Hätte?\u2028")])

    (row,) = rows_of(tmp_path / "0001.requests.jsonl")
    assert row.pop("custom_id").startswith("plants/zero_shot/in/door/c3/t1~")
    assert row == {
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {
            "model": "some/model",
            "messages": [{"role": "user", "content": "Hätte?\u2028"}],
            "max_tokens": 9,
            "seed": 3,
        },
    }


def test_request_files_are_bounded(tmp_path: Path) -> None:
    """Six requests of at most four a file are two files, four and two."""
    _, how = asked(FileExchange(tmp_path, bound=Bound(requests=4)), REQUESTS)

    assert [len(rows_of(tmp_path / name)) for name in files(tmp_path)] == [4, 2]
    assert "0001.requests.jsonl (4)" in how and "0002.requests.jsonl (2)" in how


@given(
    st.lists(st.integers(1, 50), max_size=40),
    st.builds(Bound, st.integers(1, 9), st.integers(1, 99)),
)
def test_portions_keep_the_order_and_the_bound(sizes: list[int], bound: Bound) -> None:
    """Every line is in one file; a file passes its size only with a single line."""
    length = {str(i): size for i, size in enumerate(sizes)}
    parts = list(portions(length, length.__getitem__, bound))

    assert [name for part in parts for name in part] == list(length)
    for part in parts:
        assert 1 <= len(part) <= bound.requests
        assert len(part) == 1 or sum(length[name] for name in part) <= bound.size


def test_an_unanswered_request_is_not_written_again(tmp_path: Path) -> None:
    """A second run, and a larger wave, write only what is in no file."""
    llm = FileExchange(tmp_path)
    asked(llm, REQUESTS[:4])
    asked(llm, REQUESTS[:4])
    _, how = asked(llm, REQUESTS)

    assert [len(rows_of(tmp_path / name)) for name in files(tmp_path)] == [4, 2]
    assert "6 requests are open" in how


def test_a_removed_request_file_is_written_anew_without_what_is_answered(tmp_path: Path) -> None:
    """That is how a half answered file shrinks to its rest; its number is not given again."""
    llm = FileExchange(tmp_path)
    asked(llm, REQUESTS)
    path = tmp_path / "0001.requests.jsonl"
    rows = rows_of(path)
    write(tmp_path / "0001.responses.jsonl", [answered(row) for row in rows[:4]])
    path.unlink()
    found, _ = asked(llm, REQUESTS)

    assert len(found) == 4
    assert files(tmp_path) == ["0002.requests.jsonl"]
    assert rows_of(tmp_path / "0002.requests.jsonl") == rows[4:]


def test_what_was_not_processed_is_written_again_once(tmp_path: Path) -> None:
    """An expired batch's lines go into a new file, and stay there until they are answered."""
    llm = FileExchange(tmp_path)
    asked(llm, REQUESTS)
    rows = rows_of(tmp_path / "0001.requests.jsonl")
    expired = [failed(row["custom_id"], "batch_expired", "not in time") for row in rows[4:]]
    write(tmp_path / "1.responses.jsonl", [*expired, *map(answered, rows[:4])])
    _, how = asked(llm, REQUESTS)
    asked(llm, REQUESTS)

    assert "2 of them were refused before (batch expired)" in how
    assert files(tmp_path) == ["0001.requests.jsonl", "0002.requests.jsonl"]
    assert rows_of(tmp_path / "0002.requests.jsonl") == rows[4:]


def test_an_answer_counts_more_than_a_failure(tmp_path: Path) -> None:
    """Whichever file is read first; a request with failures alone has failed."""
    llm = FileExchange(tmp_path)
    asked(llm, REQUESTS[:2])
    one, two = rows_of(tmp_path / "0001.requests.jsonl")
    refusal = {"error": {"message": "no", "code": "content_filter"}}
    refused = [reply(row["custom_id"], 400, refusal) for row in (one, two)]
    write(tmp_path / "a.responses.jsonl", refused)
    write(tmp_path / "b.responses.jsonl", [answered(one)])
    found, how = asked(llm, REQUESTS[:2])

    assert [type(each) for each in found.values()] == [Completion, RequestFailed]
    assert isinstance(failure := found[str(REQUESTS[1].id)], RequestFailed)
    assert (failure.reason, how) == ("content filter", "")


def test_lines_that_answer_nothing_are_counted(tmp_path: Path) -> None:
    """Broken, repeated and unknown lines, and a torn end, cost themselves alone."""
    llm = FileExchange(tmp_path)
    asked(llm, REQUESTS)
    rows = rows_of(tmp_path / "0001.requests.jsonl")
    good = json.dumps(answered(rows[0])).encode() + b"\n"
    plain = str(REQUESTS[1].id)  # without its digest it could be another draw's
    stranger = json.dumps(answered({**rows[1], "custom_id": plain})).encode() + b"\n"
    odd = json.dumps({"custom_id": rows[2]["custom_id"], "response": [1]}).encode() + b"\n"
    content = b"\xff\xfe\n[]\n" + odd + good + good + stranger + good[:-30]
    (tmp_path / "a.responses.jsonl").write_bytes(content)
    torn = gzip.compress(json.dumps(answered(rows[3])).encode() + b"\n" + good * 50)[:-20]
    (tmp_path / "b.responses.jsonl.gz").write_bytes(torn)
    found, how = asked(llm, REQUESTS)

    assert str(REQUESTS[0].id) in found
    assert str(REQUESTS[1].id) not in found
    assert "of unknown requests" in how and "broken" in how and "repeated" in how


def test_answers_to_earlier_requests_are_no_surprise(tmp_path: Path) -> None:
    """What another wave asked for in the same folder is not reported as unknown."""
    llm = FileExchange(tmp_path)
    asked(llm, REQUESTS[:3])
    rows = rows_of(tmp_path / "0001.requests.jsonl")
    write(tmp_path / "0001.responses.jsonl", [answered(row) for row in rows])
    _, how = asked(llm, REQUESTS[3:])

    assert "3 requests are open" in how
    assert "ignored" not in how


def vllm_line(name: str, response: Row | None, error: Any) -> Row:
    """Return a line as `vllm run-batch` writes it."""
    return {"id": "vllm-0f", "custom_id": name, "response": response, "error": error}


def test_the_output_of_vllm_is_understood(tmp_path: Path) -> None:
    """Its answers of today and of its first versions, and three forms of its errors."""
    llm = FileExchange(tmp_path)
    asked(llm, REQUESTS)
    rows = rows_of(tmp_path / "0001.requests.jsonl")
    bodies = [answered(row)["response"]["body"] for row in rows]
    names = [row["custom_id"] for row in rows]
    unknown = {"message": "The model `any` does not exist.", "type": "NotFoundError", "code": 404}
    long = {"object": "error", "message": "maximum context length", "code": 400}
    frame = {"request_id": "vllm-batch-0f", "body": None}
    lines = [
        vllm_line(names[0], {"status_code": 200, "request_id": "x", "body": bodies[0]}, None),
        vllm_line(names[1], bodies[1], None),
        vllm_line(names[2], {**frame, "status_code": 404}, {"error": unknown}),
        vllm_line(names[3], {**frame, "status_code": 400}, long),
        vllm_line(names[4], {**frame, "status_code": 400}, "bad request"),
    ]
    write(tmp_path / "0001.responses.jsonl", lines)
    found, how = asked(llm, REQUESTS)

    kinds = {name: type(outcome) for name, outcome in found.items()}
    assert kinds == {
        str(REQUESTS[0].id): Completion,
        str(REQUESTS[1].id): Completion,
        str(REQUESTS[3].id): RequestFailed,
        str(REQUESTS[4].id): RequestFailed,
    }
    assert "2 requests are open" in how
    assert "The model `any` does not exist." in how  # it can be mended, and is asked again


labels = st.text(st.characters(exclude_categories=()), min_size=1, max_size=80)


@given(label=labels, other=labels, draw=st.integers(0, 3))
def test_ids_fit_and_differ(label: str, other: str, draw: int) -> None:
    """64 bytes hold any label; another label's prompt, draw, model or endpoint has another id."""
    one = request(0, label, f"Write on {label}.", draw)
    ids = {custom_id(one, "file", "m"), custom_id(one, "file", "n"), custom_id(one, "http", "m")}
    ids.add(custom_id(request(0, label, f"Write on {label}.", draw + 1), "file", "m"))
    if other != label:
        ids.add(custom_id(request(0, other, f"Write on {other}.", draw), "file", "m"))

    assert len(ids) == 4 + (other != label)
    assert all(len(each.encode()) <= 64 for each in ids)


def test_long_names_that_begin_alike_have_their_own_answers(tmp_path: Path) -> None:
    """Labels with slashes, spaces and umlauts that differ after the cut are told apart."""
    start = "Größe/Maß und " * 6
    requests = [request(0, f"{start}{end}", f"On {start}{end}.") for end in ("eins", "zwei")]
    llm = FileExchange(tmp_path)
    asked(llm, requests)
    rows = rows_of(tmp_path / "0001.requests.jsonl")
    write(tmp_path / "1.responses.jsonl", [answered(row) for row in reversed(rows)])
    found, _ = asked(llm, requests)

    assert {len(row["custom_id"].encode()) for row in rows} <= {63, 64}
    for row, each in zip(rows, requests, strict=True):
        expected = answered(row)["response"]["body"]["choices"][0]["message"]["content"]
        outcome = found[str(each.id)]
        assert isinstance(outcome, Completion) and outcome.content == expected


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "code", "error", "body", "usage"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(
    response=json_values | st.fixed_dictionaries({"status_code": json_values, "body": json_values}),
    error=json_values,
)
def test_no_line_breaks_the_reading(response: Any, error: Any) -> None:
    """Whatever a line of a waiting request holds, it is an outcome or it is ignored."""
    wave = Wave(REQUESTS[:1], "file", "any")
    (name,) = wave.waiting
    row = {"custom_id": name, "response": response, "error": error}
    found = wave.read(json.dumps(row).encode())

    assert (found is None) == (wave.ignored["broken"] == 1)
    if found is not None:
        assert isinstance(found.outcome, Completion | RequestFailed | UserError)


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reading(line: bytes) -> None:
    """A line that is no JSON is ignored."""
    wave = Wave(REQUESTS[:1], "file", "any")

    assert wave.read(line) is None
    assert wave.ignored["broken"] == 1


def test_a_failure_that_may_pass_is_not_given_out(tmp_path: Path) -> None:
    """A server that was busy is asked again by a new file, not three times at once."""
    llm = FileExchange(tmp_path)
    asked(llm, REQUESTS[:1])
    (row,) = rows_of(tmp_path / "0001.requests.jsonl")
    busy = {"error": {"message": "overloaded"}}
    write(tmp_path / "a.responses.jsonl", [reply(row["custom_id"], 503, busy)])
    found, how = asked(llm, REQUESTS[:1])

    assert not any(isinstance(each, TryAgain) for each in found.values())
    assert "0002.requests.jsonl (1)" in how


def test_a_folder_that_is_a_file_is_a_users_error(tmp_path: Path) -> None:
    """The message names it."""
    path = tmp_path / "file"
    path.touch()

    with pytest.raises(UserError, match="is no folder"):
        FileExchange(path)
