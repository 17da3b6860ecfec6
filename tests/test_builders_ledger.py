"""What a ledger keeps, under which key, and what it says where it cannot."""

import math
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import threading
import tracemalloc
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from builders.errors import UserError
from builders.ledger import Answered, Ledger, LedgerEntry, Sent, request_key
from builders.ledger.database import Database
from builders.requests import Completion, Message, Request, RequestId

ENDPOINT = "https://llm.example/v1"
MODEL = "some-model"
ROOT = Path(__file__).parent.parent
ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates too


def request(turn: int = 1, label: str = "good", *, text: str = "Write 5 notes.") -> Request:
    """Return one turn of a conversation that repeats the turns before it."""
    messages: list[Message] = [{"role": "system", "content": "You write notes."}]
    for k in range(1, turn + 1):
        messages.append({"role": "user", "content": f"{text} ({label}, {k})"})
        if k < turn:
            messages.append({"role": "assistant", "content": f"answer {k}"})
    return Request(
        id=RequestId("notes", "zero_shot", label, 0, turn),
        messages=tuple(messages),
        n_texts=5,
        schema={"type": "object", "required": ["texts"]},
        sampling={"temperature": 0.7, "stop": "END"},
        examples=("an example",),
        ids=("text-1", "text 2"),
    )


def key_of(asked: Request, **changes: Any) -> str:
    """Return the key of a request, with some of what makes it changed."""
    parts: dict[str, Any] = {
        "endpoint": ENDPOINT,
        "model": MODEL,
        "messages": asked.messages,
        "sampling": asked.sampling,
        "schema": asked.schema,
        "replicate": asked.replicate,
    }
    return request_key(**(parts | changes))


def record(ledger: Ledger, asked: Request, content: str, **known: Any) -> Completion:
    """Record an answer and return the one that stands."""
    return ledger.record(key_of(asked), asked, ENDPOINT, MODEL, Completion(content, **known))


# ---- the key -----------------------------------------------------------------------------------

SCALARS = (
    st.text(max_size=5)
    | st.integers()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
)
"""Any JSON scalar."""
PARTS = {
    "endpoint": st.sampled_from(["https://a.example/v1", "https://b.example/v1", "local"]),
    "model": st.text(max_size=5),
    "messages": st.lists(
        st.fixed_dictionaries({"role": st.sampled_from(["user", "system"]), "content": ANY_TEXT}),
        max_size=3,
    ),
    "sampling": st.dictionaries(st.text(max_size=3), SCALARS, max_size=3),
    "schema": st.none() | st.dictionaries(st.text(max_size=3), SCALARS, max_size=3),
    "replicate": st.integers(0, 5),
}


def same(one: Any, other: Any) -> bool:
    """Say whether two values are the same JSON: 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


@pytest.mark.parametrize("part", PARTS)
@given(data=st.data(), parts=st.fixed_dictionaries(PARTS))
def test_a_key_changes_with_every_part_and_with_nothing_else(
    part: str, data: st.DataObject, parts: dict[str, Any]
) -> None:
    """Two requests have one key exactly when they are the same in all that decides an answer."""
    other = parts | {part: data.draw(PARTS[part])}
    equal = request_key(**parts) == request_key(**other)
    assert equal is same(parts[part], other[part])


@given(st.dictionaries(st.text(max_size=4), SCALARS, min_size=2, max_size=5), st.randoms())
def test_the_order_of_parameters_does_not_change_the_key(
    sampling: dict[str, Any], random: Any
) -> None:
    """Sampling parameters and schemas are the same in any order, and in any kind of mapping."""
    items = list(sampling.items())
    random.shuffle(items)
    shuffled: Mapping[str, Any] = dict(items)
    assert key_of(request(), sampling=shuffled) == key_of(request(), sampling=sampling)
    assert key_of(request(), schema=shuffled) == key_of(request(), schema=sampling)


def test_a_key_is_the_same_in_every_version() -> None:
    """A ledger of yesterday answers today: the key of a fixed request is fixed.

    It is the SHA-256 of this line:
    {"endpoint":"e","messages":[],"model":"m","replicate":0,"sampling":{"t":1},"schema":null}
    """
    key = request_key(
        endpoint="e", model="m", messages=(), sampling={"t": 1.0}, schema=None, replicate=0
    )
    assert key == "3d3361525ab861980782c406c3aa8bc436e0d3250458c9876e23dacd6488f07a"


def test_conversations_that_start_alike_have_their_own_keys() -> None:
    """First turns are word for word the same; the replicate tells them apart."""
    assert key_of(request(), replicate=0) != key_of(request(), replicate=1)


def test_a_secret_in_the_address_does_not_count() -> None:
    """A new password or query does not ask everything again; another path does."""
    plain = key_of(request(), endpoint="https://llm.example/v1")
    assert key_of(request(), endpoint="https://me:secret@llm.example/v1/?key=s#x") == plain
    assert key_of(request(), endpoint="https://llm.example/v2") != plain
    assert key_of(request(), endpoint="https://llm.example:8000/v1") != plain


@pytest.mark.parametrize("value", [math.nan, math.inf, {1, 2}])
def test_a_parameter_that_json_has_not_is_refused(value: Any) -> None:
    """NaN would make a key that no other program can repeat."""
    with pytest.raises(UserError, match="finite numbers"):
        key_of(request(), sampling={"temperature": value})


# ---- what is kept ------------------------------------------------------------------------------

COMPLETIONS = st.builds(
    Completion,
    content=ANY_TEXT,
    finish_reason=st.none() | st.text(max_size=8),
    model=st.none() | st.text(max_size=8),
    refusal=st.none() | ANY_TEXT,
    prompt_tokens=st.none() | st.integers(0, 10**9),
    completion_tokens=st.none() | st.integers(0, 10**9),
    latency_s=st.none() | st.floats(0, 1e6),
    attempts=st.integers(1, 9),
)


class LedgerMachine(RuleBasedStateMachine):
    """Any order of recording, asking, failing and reopening, beside a dictionary that is right."""

    @initialize()
    def start(self) -> None:
        """Open a new ledger."""
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "ledger.db"
        self.ledger = Ledger(self.path)
        self.known: dict[str, tuple[Request, Completion]] = {}

    @rule(turn=st.integers(1, 3), text=st.sampled_from(["", "\x00", "é"]), answer=COMPLETIONS)
    def record(self, turn: int, text: str, answer: Completion) -> None:
        """The first answer to a request stands, and `record` says which that is."""
        asked = request(turn, text=text)
        key = key_of(asked)
        self.known.setdefault(key, (asked, answer))
        assert self.ledger.record(key, asked, ENDPOINT, MODEL, answer) == self.known[key][1]

    @rule(
        asked=st.lists(
            st.tuples(st.integers(1, 3), st.sampled_from(["", "\x00", "é"]), COMPLETIONS),
            max_size=4,
        )
    )
    def record_all(self, asked: list[tuple[int, str, Completion]]) -> None:
        """Of answers that come together the first to a request stands too."""
        answers, standing = [], []
        for turn, text, answer in asked:
            each = request(turn, text=text)
            key = key_of(each)
            answers.append(Answered(key, each, answer))
            standing.append(self.known.setdefault(key, (each, answer))[1])
        assert self.ledger.record_all(answers, ENDPOINT, MODEL) == standing

    @rule(turn=st.integers(1, 3))
    def fail(self, turn: int) -> None:
        """A failure answers nothing."""
        asked = request(turn)
        self.ledger.record_failure(key_of(asked), asked, ENDPOINT, MODEL, "timeout")

    @rule()
    def reopen(self) -> None:
        """What was recorded does not depend on how the ledger was closed."""
        self.ledger.close()
        self.ledger = Ledger(self.path)

    @invariant()
    def holds_what_was_recorded(self) -> None:
        """Every answer is there, whole, and nothing else is."""
        assert len(self.ledger) == len(self.known)
        for key, (_, answer) in self.known.items():
            assert self.ledger.completion(key) == answer
        entries = {entry.key: entry for entry in self.ledger.entries()}
        assert entries == {
            key: LedgerEntry(key, ENDPOINT, MODEL, asked, answer)
            for key, (asked, answer) in self.known.items()
        }

    def teardown(self) -> None:
        """Close and remove the ledger."""
        if hasattr(self, "ledger"):
            self.ledger.close()
            self.folder.cleanup()


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=25, stateful_step_count=12)


def test_an_unknown_key_has_no_completion(tmp_path: Path) -> None:
    """A request that was never answered has to be asked."""
    with Ledger(tmp_path / "ledger.db") as ledger:
        assert ledger.completion(key_of(request())) is None
        assert len(ledger) == 0


def test_entries_come_in_the_order_of_their_ids(tmp_path: Path) -> None:
    """Turn 10 after turn 9, whatever the order of arrival, with all of the request."""
    asked = [request(turn, label) for label in ("a b", "a/b") for turn in (1, 2, 9, 10)]
    with Ledger(tmp_path / "ledger.db") as ledger:
        for each in asked[::-1]:
            record(ledger, each, f"to {each.custom_id}")
        assert [entry.request for entry in ledger.entries()] == asked
        assert [entry.completion.content for entry in ledger.entries()] == [
            f"to {each.custom_id}" for each in asked
        ]


def test_answers_that_come_together_are_kept_all_or_none(tmp_path: Path) -> None:
    """The second has a number that no ledger holds: neither is kept, the first not by halves.

    The messages of both are the same, so the first is whole afterwards only if the ledger did not
    take them for kept.
    """
    good = request()
    beyond = replace(good, id=replace(good.id, conversation=2**63))
    with Ledger(tmp_path / "ledger.db") as ledger:
        both = [
            Answered(name, each, Completion(name)) for name, each in (("1", good), ("2", beyond))
        ]
        with pytest.raises(OverflowError):
            ledger.record_all(both, ENDPOINT, MODEL)
        assert len(ledger) == 0

        assert ledger.record_all(both[:1], ENDPOINT, MODEL) == [Completion("1")]
        assert [entry.request for entry in ledger.entries()] == [good]


def test_an_answer_takes_back_one_attempt(tmp_path: Path) -> None:
    """Sent three times and refused once: beside the answer one attempt may have been billed."""
    asked = request()
    with Ledger(tmp_path / "ledger.db") as ledger:
        for _ in range(3):
            ledger.sending("1", 40, 60)
        ledger.unsent("1")
        assert (ledger.sent("1"), ledger.unanswered()) == (Sent(40, 60, 2), 2)

        ledger.record_all([Answered("1", asked, Completion("yes"))], ENDPOINT, MODEL, noted=True)
        assert (ledger.sent("1"), ledger.unanswered()) == (Sent(40, 60, 1), 0)

        # Asked by a run without a cap, which notes nothing and so takes nothing back.
        ledger.record_all([Answered("1", asked, Completion("yes"))], ENDPOINT, MODEL)
        assert ledger.sent("1") == Sent(40, 60, 1)


def test_messages_that_turns_repeat_are_kept_once(tmp_path: Path) -> None:
    """Ten turns with a 100 kB prompt, repeated in each, take one of it and not ten."""
    path = tmp_path / "ledger.db"
    with Ledger(path) as ledger:
        for turn in range(1, 11):
            asked = request(turn)
            long = Request(
                asked.id, ({"role": "system", "content": "x" * 100_000}, *asked.messages), 5
            )
            record(ledger, long, "ok")
        assert len(next(ledger.entries()).request.messages[0]["content"]) == 100_000
    assert path.stat().st_size < 300_000


def test_long_messages_are_not_kept_in_memory(tmp_path: Path) -> None:
    """Of 100 messages of 100 kB, 10 MB together, less than 1 MB stays."""
    with Ledger(tmp_path / "ledger.db") as ledger:
        record(ledger, request(), "ok")
        tracemalloc.start()
        try:
            for n in range(100):
                record(ledger, request(text=f"{n} " + "x" * 100_000), "ok")
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert kept < 1_000_000


def test_statistics_add_up_what_servers_said(tmp_path: Path) -> None:
    """Tokens that a server did not report count as none; failures count until answered."""
    with Ledger(tmp_path / "ledger.db") as ledger:
        record(ledger, request(1), "a", prompt_tokens=10, completion_tokens=5, attempts=2)
        record(ledger, request(2), "b", prompt_tokens=7)
        for turn, reason in ((2, "timeout"), (3, "timeout"), (3, "timeout"), (4, "http 500")):
            asked = request(turn)
            ledger.record_failure(key_of(asked), asked, ENDPOINT, MODEL, reason)
        (found,) = ledger.statistics()
        failures = ledger.failures()
    assert (found.completions, found.attempts) == (2, 3)
    assert (found.prompt_tokens, found.completion_tokens) == (17, 5)
    # Turn 2 was answered, so its failure is history; turn 3 failed twice and is one request.
    assert failures == {"http 500": 1, "timeout": 1}


def test_secrets_are_not_written(tmp_path: Path) -> None:
    """No password, query or header reaches the file; a server's message as reason is refused."""
    asked = request()
    with Ledger(tmp_path / "ledger.db") as ledger:
        for address in ("https://me:hunter2@llm.example/v1?key=hunter2#hunter2",):
            ledger.record("k1", asked, address, MODEL, Completion("ok"))
            ledger.record_failure("k2", asked, address, MODEL, "timeout")
        with pytest.raises(ValueError, match="few words"):
            ledger.record_failure("k3", asked, ENDPOINT, MODEL, "401: Bearer hunter2 is not valid")
        assert next(ledger.entries()).endpoint == "https://llm.example/v1"
        files = list(tmp_path.iterdir())
        assert len(files) == 3  # the database, its write-ahead log, its shared index
        assert not any(b"hunter2" in file.read_bytes() for file in files)


def test_threads_may_share_a_ledger(tmp_path: Path) -> None:
    """Eight threads record and ask at once; nothing is lost and the first answer stands."""
    standing: list[Completion] = []

    def work(number: int) -> None:
        for turn in range(1, 11):
            record(ledger, request(turn, f"thread {number}"), f"{number}/{turn}")
            standing.append(record(ledger, request(turn, "shared"), f"{number}/{turn}"))

    with Ledger(tmp_path / "ledger.db") as ledger:
        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(ledger) == 8 * 10 + 10
    assert len(standing) == 80
    assert len(set(standing)) == 10


# ---- files that cannot be used -----------------------------------------------------------------


def one_line(refused: pytest.ExceptionInfo[UserError], path: Path) -> str:
    """Return the message of an error that has to be one line and to name the file."""
    message = str(refused.value)
    assert str(path) in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    "content", [b"custom_id,content\n" * 100, b"\x00" * 5000, b"SQLite format 3"]
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(
    tmp_path: Path, content: bytes
) -> None:
    """Another program's file is neither read as a ledger nor written to."""
    path = tmp_path / "answers.csv"
    path.write_bytes(content)
    with pytest.raises(UserError) as refused:
        Ledger(path)
    assert "choose another path" in one_line(refused, path)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    """An SQLite file with tables of its own is no ledger."""
    path = tmp_path / "places.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE completions (key TEXT)")
    other.close()
    content = path.read_bytes()
    with pytest.raises(UserError, match="no ledger: choose another path"):
        Ledger(path)
    assert path.read_bytes() == content


def test_a_ledger_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    """What this program does not know it does not touch."""
    path = tmp_path / "ledger.db"
    Ledger(path).close()
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 7")
    newer.close()
    with pytest.raises(UserError, match="version is 7, this program knows 1") as refused:
        Ledger(path)
    assert "update the program" in one_line(refused, path)


def test_a_damaged_ledger_is_named(tmp_path: Path) -> None:
    """A file whose pages were overwritten is refused or, where it was read, reported."""
    path = tmp_path / "ledger.db"
    with Ledger(path) as ledger:
        for turn in range(1, 40):
            record(ledger, request(turn), "x" * 2000)
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with pytest.raises(UserError) as refused, Ledger(path) as ledger:
        list(ledger.entries())
    assert "damaged" in one_line(refused, path)


def test_an_empty_file_becomes_a_ledger(tmp_path: Path) -> None:
    """A file made by `touch` or `mktemp` holds nothing that could be lost."""
    path = tmp_path / "ledger.db"
    path.touch()
    with Ledger(path) as ledger:
        assert record(ledger, request(), "ok").content == "ok"


def test_a_new_file_that_another_process_is_writing_is_waited_for(tmp_path: Path) -> None:
    """A process that is about to make the same ledger is no error."""
    path = tmp_path / "ledger.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, other.execute, ["ROLLBACK"])
    release.start()
    with Ledger(path) as ledger:
        assert len(ledger) == 0
    release.join()
    other.close()


def test_after_a_long_wait_for_another_process_waits_are_short_until_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answers in flight need not wait as long; once it has ended all is as before."""
    monkeypatch.setattr("builders.ledger.database._WAIT_S", 0.6)
    database = Database(tmp_path / "ledger.db")
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UserError, match="another process holds it"), database.transaction():
        pass
    assert database.rows("PRAGMA busy_timeout") == [(500,)]

    other.close()
    with database.transaction():
        pass

    assert database.rows("PRAGMA busy_timeout") == [(600,)]
    database.close()


def test_a_ledger_stays_the_same_file_when_the_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative path is meant from where the ledger was opened."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with Ledger(Path("ledger.db")) as ledger:
        record(ledger, request(), "ok")
        monkeypatch.chdir("elsewhere")
        ledger.sync()

    assert list(Path().iterdir()) == []


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    """The ledger of a new study needs no preparation."""
    with Ledger(tmp_path / "new" / "study" / "ledger.db") as ledger:
        assert record(ledger, request(), "ok").content == "ok"


def test_a_path_that_cannot_be_a_file_is_refused(tmp_path: Path) -> None:
    """A folder, and a file in place of a folder, are named with what to do."""
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "ledger.db"):
        with pytest.raises(UserError, match="folder that you may write to") as refused:
            Ledger(path)
        one_line(refused, path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to any folder")
def test_a_folder_without_permission_is_refused(tmp_path: Path) -> None:
    """An unwritable folder is a user's mistake, told in one line."""
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    with pytest.raises(UserError, match="folder that you may write to") as refused:
        Ledger(folder / "ledger.db")
    one_line(refused, folder)


FILL = """
import sys
from pathlib import Path
from builders.errors import UserError
from builders.ledger import Ledger
from builders.requests import Completion, Request, RequestId

ledger = Ledger(Path(sys.argv[1]))
for turn in range(1000):
    request = Request(RequestId("notes", "zero_shot", "good", 0, turn), (), 1)
    try:
        ledger.record(str(turn), request, "local", "m", Completion("x" * 2000))
    except UserError as error:
        print(turn)
        print(error)
        break
"""


def fill(path: Path, limit: int) -> tuple[int, str]:
    """Record until a file may not grow any more; return how many were kept, and the error."""
    child = subprocess.run(
        [sys.executable, "-c", FILL, str(path)],
        # Byte code that is written now would be cut, and kept.
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=True,
    )
    kept, _, error = child.stdout.partition("\n")
    return int(kept), error.strip()


def test_where_no_more_can_be_written_the_error_names_file_and_remedy(tmp_path: Path) -> None:
    """A write that the system refuses ends the run in one line; what was recorded is there."""
    path = tmp_path / "ledger.db"
    kept, error = fill(path, 500_000)
    assert 5 < kept < 250
    assert str(path) in error
    assert "check the disk's space" in error
    assert "\n" not in error
    with Ledger(path) as ledger:
        assert len(ledger) == kept
        assert all(len(entry.completion.content) == 2000 for entry in ledger.entries())
