"""`understudy build` with a live LLM, in processes of their own: signals, kills, budgets."""

import contextlib
import gzip
import json
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chat_server import Answer, ChatServer, refusal, running_chat_server, written
from live_processes import ended, environment, files_of, names_in, stopped

TASK = """\
name: plants
title: Plants
description: Where does this plant grow?
labels: {in/door: inside a house, out door: in the open}
prompt: {context: You are a gardener., generate: "Write {count} notes on {label}."}
length_words: [3, 20]
"""
KEY = "sk-very-secret-4711"
PORTION = 2
PER_LABEL = 24
LEDGER = (sys.executable, "-m", "understudy", "ledger")
REQUESTS = 24
"""Two labels, 12 requests each."""


@pytest.fixture
def server() -> Iterator[ChatServer]:
    """Run a server that answers with two texts, after a moment."""
    with running_chat_server() as running:
        running.answer = lambda body: Answer(written(body, PORTION), delay_s=0.02)
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a task file."""
    (tmp_path / "plants.yaml").write_text(TASK, encoding="utf-8")
    return tmp_path


def command(server: ChatServer, *more: str, out: str = "corpora/plants") -> list[str]:
    """Return the command of a build."""
    return [
        *(sys.executable, "-m", "understudy", "build", "plants.yaml", "--llm", "openai:gardener"),
        *("--base-url", server.url, "--per-label", str(PER_LABEL), "--turns", "3"),
        *("--texts-per-request", str(PORTION), "--concurrency", "4", "--out", out, *more),
    ]


def built(
    server: ChatServer, folder: Path, *more: str, out: str = "corpora/plants", **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a build to its end."""
    return ended(command(server, *more, out=out), folder, **env)


def stopped_at(
    server: ChatServer, folder: Path, count: int, *signals: signal.Signals
) -> tuple[int, str]:
    """Run a build that gets signals when its n-th request arrives; return exit code and stderr."""
    return stopped(command(server), folder, server, count, *signals)


# ---- The whole way --------------------------------------------------------------------------


def test_a_build_writes_the_corpus_and_says_what_was_asked(
    server: ChatServer, folder: Path
) -> None:
    """Requests, tokens, texts a label; the ledger lies beside the corpora."""
    result = built(server, folder)

    assert (result.returncode, result.stderr) == (0, "")
    assert f"requests: {REQUESTS} answered now, 0 in the ledger before" in result.stdout
    assert f"in/door: {PER_LABEL} kept" in result.stdout
    assert len(names_in(folder / "ledger.sqlite")) == REQUESTS
    card = (folder / "corpora" / "plants" / "README.md").read_text(encoding="utf-8")
    assert "LLM: gardener at 127.0.0.1" in card
    assert f"Requests answered: {REQUESTS}" in card


def test_without_a_schema_the_form_of_an_answer_is_said_in_words(
    server: ChatServer, folder: Path
) -> None:
    """What the server is not asked to see to, the LLM is."""
    assert built(server, folder, "--no-schema").returncode == 0

    assert len(server.bodies) == REQUESTS
    for body in server.bodies:
        assert "response_format" not in body
        assert '{"texts": ["...", "..."]}' in body["messages"][0]["content"]


def test_an_estimate_sends_nothing_and_writes_nothing(server: ChatServer, folder: Path) -> None:
    """Requests, tokens, money and time; no key is needed."""
    before = sorted(folder.rglob("*"))

    result = built(server, folder, "--dry-run", "--price", "1,2")

    assert result.returncode == 0
    assert f"requests: {REQUESTS}, of which 0 are in the ledger already" in result.stdout
    assert " USD" in result.stdout
    assert server.bodies == []
    assert sorted(folder.rglob("*")) == before


def test_an_export_builds_the_same_texts_without_the_server(
    server: ChatServer, folder: Path
) -> None:
    """A ledger becomes a recording; the recording gives the corpus's texts, in their order."""
    built(server, folder)
    understudy = [sys.executable, "-m", "understudy"]
    steps = [
        ["ledger", "export", "ledger.sqlite", "--out", "mine", "--requests"],
        ["build", "plants.yaml", "--llm", "recording:mine", "--out", "again"],
    ]
    for step in steps:
        subprocess.run([*understudy, *step], cwd=folder, env=environment(), check=True, timeout=600)

    import pyarrow.parquet

    tables = [
        pyarrow.parquet.read_table(next((folder / name).glob("zero_shot/*.parquet")))
        for name in ("corpora/plants", "again")
    ]
    assert tables[0].column("text") == tables[1].column("text")
    assert tables[0].column("id") == tables[1].column("id")


def test_the_ledger_is_shown(server: ChatServer, folder: Path) -> None:
    """Requests, tokens, money, and failures by reason."""
    flagged = iter([True])
    server.answer = lambda body: (
        refusal(400, "no", "content_filter") if next(flagged, False) else Answer(written(body, 2))
    )
    built(server, folder)

    shown = subprocess.run(
        [*LEDGER, "show", "ledger.sqlite", "--price", "1,1"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    ).stdout

    assert f"plants zero_shot, gardener at {server.url}: 24 requests answered" in shown
    assert "USD (prices as given)" in shown
    assert "failed and not answered since: content filter 1" in shown


# ---- Signals and kills ----------------------------------------------------------------------


def test_a_killed_build_goes_on_where_it_was(server: ChatServer, folder: Path) -> None:
    """SIGKILL twice: at most those in flight are asked again, and every file is the same."""
    whole = folder / "whole"
    whole.mkdir()
    (whole / "plants.yaml").write_text(TASK, encoding="utf-8")
    built(server, whole)
    server.bodies.clear()

    for count in (5, 14):
        code, _ = stopped_at(server, folder, count, signal.SIGKILL)
        assert code == -signal.SIGKILL
        assert not (folder / "corpora" / "plants" / "README.md").exists()
    result = built(server, folder)

    assert result.returncode == 0
    assert len(server.bodies) <= REQUESTS + 2 * 4
    assert files_of(folder / "corpora/plants") == files_of(whole / "corpora/plants")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_build_keeps_what_is_in_flight_and_a_partial_corpus(
    number: signal.Signals, code: int, server: ChatServer, folder: Path
) -> None:
    """Every request that was sent is in the ledger; the corpus so far loads; it goes on."""
    exit_code, errors = stopped_at(server, folder, 10, number)

    asked = len(server.bodies)
    assert exit_code == code
    assert asked < REQUESTS
    assert errors.count("\n") == 1
    assert f"stopped by {number.name}" in errors
    assert "the same command goes on from there" in errors
    assert len(names_in(folder / "ledger.sqlite")) == asked
    record = json.loads((folder / "corpora/plants/zero_shot/corpus.json").read_text())
    assert sum(record["kept"].values()) == asked * PORTION
    assert record["unfinished"] == f"stopped by {number.name}"

    assert built(server, folder).returncode == 0
    assert len(server.bodies) == REQUESTS


def test_a_second_signal_stops_at_once(server: ChatServer, folder: Path) -> None:
    """What is in flight is not waited for: the server would need a minute."""
    server.answer = lambda body: Answer(
        written(body, PORTION), delay_s=60 if len(server.bodies) >= 6 else 0.0
    )

    code, errors = stopped_at(server, folder, 9, signal.SIGINT, signal.SIGTERM)

    assert code in (130, 143)
    assert "Traceback" not in errors
    assert len(names_in(folder / "ledger.sqlite")) == 5


def test_two_builds_share_one_ledger(server: ChatServer, folder: Path) -> None:
    """Side by side they end with the same corpus, and each answer stands once."""
    builds = [
        subprocess.Popen(
            command(server, "--ledger", "one.sqlite", out=out),
            cwd=folder,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for out in ("a", "b")
    ]
    for build in builds:
        with build:
            assert build.wait(600) == 0

    assert files_of(folder / "a") == files_of(folder / "b")
    assert len(names_in(folder / "one.sqlite")) == REQUESTS
    assert len(server.bodies) <= 2 * REQUESTS


# ---- Bad luck and bad input -----------------------------------------------------------------


def test_a_full_disk_is_one_line_and_what_was_answered_is_kept(
    server: ChatServer, folder: Path
) -> None:
    """The ledger may not grow beyond 96 kB; with room again the same command goes on."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (96_000, 96_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    server.answer = lambda body: Answer([*written(body, 1), " ".join(["root"] * 2000)])
    result = subprocess.run(
        command(server),
        cwd=folder,
        env=environment(PYTHONDONTWRITEBYTECODE="1"),  # it would be cut, and kept
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        preexec_fn=limited,
    )

    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "ledger.sqlite" in result.stderr
    kept = len(names_in(folder / "ledger.sqlite"))
    assert kept > 0
    assert built(server, folder).returncode == 0
    assert len(server.bodies) <= kept + 2 * REQUESTS + 8


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--llm", "openai:"), "--llm openai:: unknown; use recording"),
        (("--llm", "gpt:x"), "--llm gpt:x: unknown"),
        (("--base-url", "localhost:8000"), "--base-url localhost:8000: no address of a server"),
        (("--base-url", "http://[::1/v1"), "--base-url http://[::1/v1: no address of a server"),
        (("--base-url", "http://a:b@[::1/v1"), "--base-url ***: no address of a server"),
        (("--base-url", "http://x:99999/v1"), "http://x:99999/v1: no address of a server"),
        (("--base-url", "http://x y/v1"), "http://x y/v1: no address of a server"),
        (("--base-url", "http://x/v1?key=4711"), "--base-url http://x/v1: no address of a server"),
        (("--per-label", "999999999999"), "--per-label 999999999999: at 2 texts a request and 3"),
        (("--seed", "21474"), "--seed 21474: give one of at most 21473 with"),
        (("--api-key-env", "NO_SUCH_KEY"), "set the environment variable NO_SUCH_KEY"),
        (("--max-usd", "1"), "--max-usd: the price of this LLM is not known"),
        (("--price", "cheap"), "--price cheap: give IN,OUT"),
        (("--prices", "plants.yaml"), "plants.yaml: no table of prices"),
        (("--max-usd", "nan"), "'nan' is not a number"),
        (("--rpm", "0"), "'0' is not a number above 0"),
        (("--concurrency", "0"), "'0' is not a whole number of at least 1"),
        (("--strategy", "few_shot"), "few_shot shows real training texts of plants"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(
    options: tuple[str, ...], words: str, server: ChatServer, folder: Path
) -> None:
    """Exit code 2, before anything is sent."""
    before = sorted(folder.rglob("*"))

    result = built(server, folder, *options)

    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert words in result.stderr
    assert server.bodies == []
    left = {p.name for p in set(folder.rglob("*")) - set(before)}
    assert left <= {"corpora", "ledger.sqlite"}


def test_a_recording_takes_no_budget(server: ChatServer, folder: Path) -> None:
    """It costs nothing."""
    result = built(server, folder, "--llm", "recording", "--max-usd", "1")

    assert result.returncode == 2
    assert "costs nothing; leave --max-... out" in result.stderr


def test_a_budget_that_is_met_leaves_a_partial_corpus_and_says_so(
    server: ChatServer, folder: Path
) -> None:
    """Exit code 3, unlike a whole corpus and unlike a mistake."""
    result = built(server, folder, "--max-requests", "10")

    assert result.returncode == 3
    assert result.stderr == (
        "understudy build: --max-requests 10 is met; 20 texts are kept, and every answer is in the "
        "ledger: the same command with a higher cap goes on from there\n"
    )
    assert len(server.bodies) == 10
    record = json.loads((folder / "corpora/plants/zero_shot/corpus.json").read_text())
    assert record["unfinished"] == "--max-requests 10 is met"


def test_a_server_that_answers_nothing_readable_is_told_of(
    server: ChatServer, folder: Path
) -> None:
    """What used up the cap is said: a page of HTML is no answer, but may have been billed."""
    server.answer = lambda body: Answer(body=b"<html>hello</html>")

    result = built(server, folder, "--max-requests", "5")

    assert result.returncode == 3
    assert "0 answered now" in result.stdout
    assert "5 sent again (unreadable answer 5)" in result.stdout
    assert (
        "the last failure: unreadable answer: no chat completion, see --base-url" in result.stdout
    )
    assert "--max-requests 5 is met; 0 texts are kept" in result.stderr


def test_what_a_server_says_of_wrong_requests_is_shown_and_not_published(
    server: ChatServer, folder: Path
) -> None:
    """Its words, made harmless, stand on the terminal; the card and the ledger have the reason."""
    good = iter([True] * 4)
    wrong = refusal(400, "Your \x1b[2Jprompt is\nwrong")
    server.answer = lambda body: Answer(written(body, PORTION)) if next(good, False) else wrong

    result = built(server, folder)

    assert result.returncode == 3
    assert "the last failure: http 400: Your [2Jprompt is wrong" in result.stdout
    assert "the last 20 requests failed, one after another (http 400)" in result.stderr
    for path in (path for path in folder.rglob("*") if path.is_file()):
        assert b"prompt is wrong" not in path.read_bytes(), path


def test_tokens_that_a_server_does_not_count_are_no_zeros(server: ChatServer, folder: Path) -> None:
    """A server without `usage` is said to have said nothing."""

    def answer(body: dict[str, Any]) -> Answer:
        message = {"content": json.dumps({"texts": written(body, PORTION)})}
        return Answer(body=json.dumps({"choices": [{"message": message}]}).encode())

    server.answer = answer

    assert "tokens: the server did not say" in built(server, folder).stdout


def test_a_wrong_key_is_one_line(server: ChatServer, folder: Path) -> None:
    """It says which server refused it and what to do."""
    server.answer = lambda body: refusal(401, f"Incorrect API key provided: {KEY}")

    result = built(server, folder, OPENAI_API_KEY=KEY)

    assert result.returncode == 2
    assert result.stderr == (
        f"understudy: {server.url}: status 401, Incorrect API key provided: ***: set another key, "
        "see --api-key-env\n"
    )


@pytest.mark.parametrize("key", ["sk-two\nlines", "sk-\u00fc", "sk-\x07"])
@pytest.mark.parametrize("transport", ["aiohttp", "openai"])
def test_a_key_that_no_header_takes_is_one_line(
    key: str, transport: str, server: ChatServer, folder: Path
) -> None:
    """Which variable is wrong is said, and not what it holds; nothing is sent."""
    result = built(server, folder, "--transport", transport, OPENAI_API_KEY=key)

    assert (result.returncode, server.bodies) == (2, [])
    assert result.stderr == (
        "understudy: the key in OPENAI_API_KEY holds a character that no key has; set it anew\n"
    )


def test_white_space_around_a_key_is_not_sent(server: ChatServer, folder: Path) -> None:
    """A line break at the end of a key, as files have one, is no part of it."""
    assert built(server, folder, OPENAI_API_KEY=f" {KEY}\n").returncode == 0
    assert {headers["authorization"] for headers in server.headers} == {f"Bearer {KEY}"}


def test_a_key_is_sent_and_written_nowhere(server: ChatServer, folder: Path) -> None:
    """Not in the ledger, the corpus, the card, an export, or on the terminal; not in an error."""
    answers = iter(range(10**6))

    def answer(body: object) -> Answer:
        n = next(answers)
        if n % 5 == 1:
            return refusal(500, f"your key {KEY} broke it")
        if n % 5 == 2:
            return refusal(400, f"{KEY} is flagged", "content_filter")
        assert isinstance(body, dict)
        return Answer(written(body, PORTION))

    server.answer = answer
    said = built(server, folder, OPENAI_API_KEY=KEY)
    exported = subprocess.run(
        [*LEDGER, "export", "ledger.sqlite", "--out", "mine", "--requests"],
        cwd=folder,
        env=environment(OPENAI_API_KEY=KEY),
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )

    assert {headers["authorization"] for headers in server.headers} == {f"Bearer {KEY}"}
    for text in (said.stdout, said.stderr, exported.stdout, exported.stderr):
        assert KEY not in text
    for path in (path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert KEY.encode() not in content, path
        if path.suffix == ".gz":
            assert KEY.encode() not in gzip.decompress(content), path


def refused_for_its_ledger(server: ChatServer, folder: Path) -> None:
    """Build again; the one line names the ledger, which stays as it is, and nothing is sent."""
    ledger = folder / "ledger.sqlite"
    before, asked = ledger.read_bytes(), len(server.bodies)

    result = built(server, folder)

    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "ledger.sqlite" in result.stderr
    assert ledger.read_bytes() == before
    assert len(server.bodies) == asked


def test_a_damaged_ledger_is_one_line(server: ChatServer, folder: Path) -> None:
    """A ledger cut in half is named, not begun anew."""
    built(server, folder)
    ledger = folder / "ledger.sqlite"
    ledger.write_bytes(ledger.read_bytes()[: ledger.stat().st_size // 2])

    refused_for_its_ledger(server, folder)


@pytest.mark.slow
def test_a_ledger_that_another_program_holds_is_one_line(server: ChatServer, folder: Path) -> None:
    """After half a minute the build says what it waits for."""
    built(server, folder, "--max-requests", "4")
    with contextlib.closing(
        sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        result = built(server, folder)

    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert "another process holds it" in result.stderr
