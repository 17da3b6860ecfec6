"""The durable record of requests and completions: nothing in it is asked, or paid for, twice.

An SQLite file in write-ahead mode. A completion is recorded in one transaction and is safe from the
end of the process, however that comes, when `record` returns. What keeps it through a power cut is
`sync`, which a build calls every second (`synchronous=NORMAL`: waiting for the disk at each answer
would cost several times the work of asking for it). Several processes may use one ledger at once.
"""

import hashlib
import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Self

from builders.errors import UserError
from builders.request_key import plain, public_address, request_key
from builders.requests import Completion, Request, RequestId

__all__ = ["Ledger", "LedgerEntry", "LedgerStatistics", "request_key"]

_APPLICATION_ID = 0x556E6453  # "UndS": tells a ledger from any other SQLite file
_SCHEMA_VERSION = 1
_WAIT_S = 30.0  # for another process's transaction, which takes milliseconds

_SCHEMA = (
    "CREATE TABLE messages (hash TEXT PRIMARY KEY, message TEXT NOT NULL) STRICT, WITHOUT ROWID",
    "CREATE TABLE completions (key TEXT PRIMARY KEY, task TEXT NOT NULL, strategy TEXT NOT NULL,"
    " label TEXT NOT NULL, conversation INTEGER NOT NULL, turn INTEGER NOT NULL,"
    " endpoint TEXT NOT NULL, model TEXT NOT NULL, request TEXT NOT NULL,"
    " completion TEXT NOT NULL) STRICT",
    "CREATE TABLE failures (key TEXT NOT NULL, custom_id TEXT NOT NULL, endpoint TEXT NOT NULL,"
    " model TEXT NOT NULL, reason TEXT NOT NULL, times INTEGER NOT NULL,"
    " PRIMARY KEY (key, reason)) STRICT",
    "CREATE TABLE sent (key TEXT PRIMARY KEY, prompt_tokens INTEGER NOT NULL,"
    " answer_tokens INTEGER NOT NULL, times INTEGER NOT NULL) STRICT",
    "CREATE TABLE dialects (endpoint TEXT NOT NULL, model TEXT NOT NULL, dialect TEXT NOT NULL,"
    " PRIMARY KEY (endpoint, model)) STRICT",
    "CREATE TABLE notes (name TEXT PRIMARY KEY, note TEXT NOT NULL) STRICT",
    f"PRAGMA application_id = {_APPLICATION_ID}",
    f"PRAGMA user_version = {_SCHEMA_VERSION}",
)

_REMEDIES = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space and run again",
    sqlite3.SQLITE_IOERR: "it cannot be read or written: check the disk's space and state",
    sqlite3.SQLITE_READONLY: "it cannot be written: choose a path that you may write to",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: choose a file in a folder that you may write to",
    sqlite3.SQLITE_BUSY: f"another process holds it for over {_WAIT_S:.0f} s: wait for its end",
    sqlite3.SQLITE_NOTADB: "it is no ledger: choose another path",
    sqlite3.SQLITE_CORRUPT: "it is damaged: put back a copy or choose another path",
}


@dataclass(frozen=True)
class LedgerEntry:
    """One answered request.

    Attributes:
        key: Its name in the ledger, see `request_key`.
        endpoint: Where it was answered, without user, password and query.
        model: The model as the request named it.
        request: The request.
        completion: The answer.
    """

    key: str
    endpoint: str
    model: str
    request: Request
    completion: Completion


class Sent(NamedTuple):
    """Times that a request was sent and no answer is known, and what each may have used at most."""

    prompt_tokens: int
    answer_tokens: int
    times: int


@dataclass(frozen=True)
class LedgerStatistics:
    """What a ledger holds of one task and strategy, endpoint and model.

    Attributes:
        task: The task.
        strategy: The strategy.
        endpoint: Where the requests were answered.
        model: The model as the requests named it.
        completions: Answered requests.
        prompt_tokens: Tokens of their prompts, as far as servers said.
        completion_tokens: Tokens of their answers, as far as servers said.
        attempts: How many times they were sent.
    """

    task: str
    strategy: str
    endpoint: str
    model: str
    completions: int
    prompt_tokens: int
    completion_tokens: int
    attempts: int


class Ledger:
    """An open ledger; a context manager that closes it.

    Its methods may be called from any thread and, as each takes a millisecond, from an event loop.
    All of them, and the constructor, raise a `UserError` that names the file and the remedy where
    it cannot be opened, read or written.

    Args:
        path: The file; it and its folder are made where they do not exist.

    Raises:
        UserError: Also where the file is no ledger, or one of a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        with self._reporting():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path.absolute(), timeout=_WAIT_S, isolation_level=None, check_same_thread=False
            )
        try:
            with self._reporting():
                self._open()
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __len__(self) -> int:
        return int(self._rows("SELECT count(*) FROM completions")[0][0])

    def close(self) -> None:
        """Close the file; what was recorded does not depend on it."""
        with self._lock, self._reporting():
            self._connection.close()  # the last connection writes all of the log to the file

    def completion(self, key: str) -> Completion | None:
        """Return the answer under `key`, or None if the request has to be asked."""
        rows = self._rows("SELECT completion FROM completions WHERE key = ?", key)
        return Completion(**json.loads(rows[0][0])) if rows else None

    def record(
        self, key: str, request: Request, endpoint: str, model: str, completion: Completion
    ) -> Completion:
        """Keep `completion` for good and return the answer that stands under `key`.

        The first answer wins: the later turns of a conversation quote it, and a corpus may have
        been built from it. A second one, from a process that asked at the same time, is dropped.
        """
        # The turns of a conversation repeat all messages before: each message is kept once.
        rows = [_message_row(each["role"], each["content"]) for each in request.messages]
        body = {
            "messages": [name for name, _ in rows],
            "n_texts": request.n_texts,
            "schema": plain(request.schema),
            "sampling": plain(request.sampling),
            "examples": request.examples,
            "draw": request.draw,
        }
        name = request.id
        row = (key, name.task, name.strategy, name.label, name.conversation, name.turn)
        with self._transaction() as connection:
            connection.executemany("INSERT OR IGNORE INTO messages VALUES (?, ?)", rows)
            new = connection.execute(
                "INSERT OR IGNORE INTO completions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(*row, public_address(endpoint), model),
                    *(json.dumps(body), json.dumps(vars(completion))),
                ),
            ).rowcount
            connection.execute("DELETE FROM sent WHERE key = ?", (key,))
        return completion if new else self.completion(key) or completion

    def sending(self, key: str, prompt_tokens: int, answer_tokens: int) -> None:
        """Note that a request goes out that may use so many tokens, whatever becomes of it."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO sent VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET times = times + 1,"
                " prompt_tokens = excluded.prompt_tokens, answer_tokens = excluded.answer_tokens",
                (key, prompt_tokens, answer_tokens),
            )

    def unsent(self, key: str) -> None:
        """Note that a request which went out was refused: it used nothing."""
        with self._transaction() as connection:
            connection.execute("UPDATE sent SET times = times - 1 WHERE key = ?", (key,))

    def sent(self, key: str) -> Sent | None:
        """Return what a request without an answer may have used before, None for nothing."""
        rows = self._rows(
            "SELECT prompt_tokens, answer_tokens, times FROM sent WHERE key = ? AND times > 0", key
        )
        return Sent(*rows[0]) if rows else None

    def dialect(self, endpoint: str, model: str) -> str | None:
        """Return what an earlier run learned of how the server takes requests, as it noted it."""
        rows = self._rows(
            "SELECT dialect FROM dialects WHERE endpoint = ? AND model = ?",
            *(public_address(endpoint), model),
        )
        return str(rows[0][0]) if rows else None

    def learn_dialect(self, endpoint: str, model: str, dialect: str) -> None:
        """Note how the server takes requests, for later runs: their keys have to be the same."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO dialects VALUES (?, ?, ?)",
                (public_address(endpoint), model, dialect),
            )

    def note(self, name: str) -> str | None:
        """Return the note of that name, None if there is none."""
        rows = self._rows("SELECT note FROM notes WHERE name = ?", name)
        return str(rows[0][0]) if rows else None

    def keep_note(self, name: str, text: str) -> None:
        """Keep a note for later runs, such as the name of a batch; an empty one is forgotten."""
        with self._transaction() as connection:
            if text:
                connection.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, text))
            else:
                connection.execute("DELETE FROM notes WHERE name = ?", (name,))

    def sync(self) -> None:
        """Wait until all that was recorded is on the disk; others may record meanwhile."""
        with self._reporting(), closing(sqlite3.connect(self.path, timeout=_WAIT_S)) as own:
            own.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def record_failure(
        self, key: str, request: Request, endpoint: str, model: str, reason: str
    ) -> None:
        """Note that a request got no answer; the next run asks it again.

        Args:
            key: The request's key.
            request: The request.
            endpoint: Where it was sent.
            model: The model as the request named it.
            reason: What such failures are counted under: a few words, never a server's message,
                which may quote a key.

        Raises:
            ValueError: `reason` is not a few words.
        """
        if not re.fullmatch(r"[\w -]{1,60}", reason):
            raise ValueError(f"reason {reason!r} is not a few words")
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO failures VALUES (?, ?, ?, ?, ?, 1)"
                " ON CONFLICT DO UPDATE SET times = times + 1",
                (key, request.custom_id, public_address(endpoint), model, reason),
            )

    def statistics(self) -> list[LedgerStatistics]:
        """Count what is there, for each task, strategy, endpoint and model."""
        counted = self._rows(
            "SELECT task, strategy, endpoint, model, count(*),"
            " total(json_extract(completion, '$.prompt_tokens')),"
            " total(json_extract(completion, '$.completion_tokens')),"
            " total(json_extract(completion, '$.attempts'))"
            " FROM completions GROUP BY task, strategy, endpoint, model"
            " ORDER BY task, strategy, endpoint, model"
        )
        return [LedgerStatistics(*row[:5], *map(int, row[5:])) for row in counted]

    def failures(self) -> dict[str, int]:
        """Count, by reason, the requests that failed and have no answer yet."""
        rows = self._rows(
            "SELECT reason, count(*) FROM failures"
            " WHERE key NOT IN (SELECT key FROM completions) GROUP BY reason ORDER BY reason"
        )
        return dict(rows)

    def unanswered(self) -> int:
        """Count the requests that were sent within a budget and whose answer never came."""
        rows = self._rows("SELECT total(times) FROM sent WHERE times > 0")
        return int(rows[0][0])

    def entries(self) -> Iterator[LedgerEntry]:
        """Yield the requests answered so far, in the order of their ids."""
        keys = self._rows(
            "SELECT key FROM completions"
            " ORDER BY task, strategy, label, conversation, turn, endpoint, model, rowid"
        )
        for (key,) in keys:
            yield self._entry(key)

    def _entry(self, key: str) -> LedgerEntry:
        row = self._rows("SELECT * FROM completions WHERE key = ?", key)[0]
        *name, endpoint, model, request, completion = row[1:]
        body = json.loads(request)
        find = "SELECT message FROM messages WHERE hash = ?"
        body["messages"] = tuple(json.loads(self._rows(find, h)[0][0]) for h in body["messages"])
        body["examples"] = tuple(body["examples"])
        return LedgerEntry(
            key=key,
            endpoint=endpoint,
            model=model,
            request=Request(id=RequestId(*name), **body),
            completion=Completion(**json.loads(completion)),
        )

    def _open(self) -> None:
        if self._is_new():
            self._use_write_ahead()
            with self._transaction() as connection:
                if self._is_new():  # no other process was faster
                    for statement in _SCHEMA:
                        connection.execute(statement)
        self._connection.execute("PRAGMA synchronous = NORMAL")
        version = self._rows("PRAGMA user_version")[0][0]
        if self._rows("PRAGMA application_id")[0][0] != _APPLICATION_ID:
            raise UserError(f"ledger {self.path}: {_REMEDIES[sqlite3.SQLITE_NOTADB]}")
        if version > _SCHEMA_VERSION:
            raise UserError(
                f"ledger {self.path}: its version is {version}, this program knows "
                f"{_SCHEMA_VERSION}: update the program or choose another path"
            )

    def _is_new(self) -> bool:
        tables = self._rows("SELECT count(*) FROM sqlite_master")[0][0]
        return not tables and self._rows("PRAGMA application_id")[0][0] == 0

    def _use_write_ahead(self) -> None:
        # SQLite does not wait by itself for another process that does the same.
        deadline = time.monotonic() + _WAIT_S
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _rows(self, query: str, *values: str) -> list[Any]:
        with self._lock, self._reporting():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._reporting():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # SQLite may have rolled back already
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            remedy = "choose a file in a folder that you may write to"
            raise UserError(f"ledger {self.path}: {error.strerror}: {remedy}") from error
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", None)
            if code is None:  # a mistake of the program's own
                raise
            if code & 0xFF == sqlite3.SQLITE_BUSY:  # the answers in flight need not wait as long
                with suppress(sqlite3.Error):
                    self._connection.execute("PRAGMA busy_timeout = 500")
            problem = _REMEDIES.get(code & 0xFF, str(error))
            raise UserError(f"ledger {self.path}: {problem} ({error})") from error


@lru_cache(maxsize=4096)
def _message_row(role: str, content: str) -> tuple[str, str]:
    """Return a message's name and its JSON; the turns of a conversation ask for it again."""
    message = json.dumps({"role": role, "content": content})
    return hashlib.sha256(message.encode()).hexdigest(), message
