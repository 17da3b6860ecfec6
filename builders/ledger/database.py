"""The SQLite file of a ledger: opened, locked and read so that every trouble is one line."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from builders.errors import UserError

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


class Database:
    """An open file; several threads, and several processes, may use it.

    Args:
        path: The file; it and its folder are made where they do not exist.

    Raises:
        UserError: The file cannot be opened, is no ledger, or is one of a newer version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.absolute()  # the process may change its folder
        self._impatient = False
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                self._file, timeout=_WAIT_S, isolation_level=None, check_same_thread=False
            )
        except (OSError, sqlite3.Error) as error:
            raise self._reported(error) from error
        try:
            self._open()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file; the last who does writes all of the log to it."""
        with self._lock:
            try:
                self._connection.close()
            except sqlite3.Error as error:
                raise self._reported(error) from error

    def sync(self) -> None:
        """Wait until all that was recorded is on the disk; others may record meanwhile."""
        try:
            with closing(sqlite3.connect(self._file, timeout=_WAIT_S)) as own:
                own.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except (OSError, sqlite3.Error) as error:
            raise self._reported(error) from error

    def rows(self, query: str, *values: str) -> list[Any]:
        """Return what a query finds."""
        with self._lock:
            try:
                return self._connection.execute(query, values).fetchall()
            except (OSError, sqlite3.Error) as error:
                raise self._reported(error) from error

    def reading(self) -> AbstractContextManager[object]:
        """Answer all queries inside from one state of the file: to look at it anew costs more."""
        return self.transaction("BEGIN")

    @contextmanager
    def transaction(self, begin: str = "BEGIN IMMEDIATE") -> Iterator[sqlite3.Connection]:
        """Write all of what is executed inside, or nothing."""
        with self._lock:
            try:
                self._connection.execute(begin)
                yield self._connection
                self._connection.execute("COMMIT")
                if self._impatient:
                    self._wait(_WAIT_S)
            except BaseException as error:
                with suppress(sqlite3.Error):  # SQLite may have rolled back already
                    self._connection.execute("ROLLBACK")
                if isinstance(error, OSError | sqlite3.Error):
                    raise self._reported(error) from error
                raise

    def _open(self) -> None:
        if self._is_new():
            self._use_write_ahead()
            with self.transaction() as connection:
                if self._is_new():  # no other process was faster
                    for statement in _SCHEMA:
                        connection.execute(statement)
        self.rows("PRAGMA synchronous = NORMAL")
        # `sync` brings the log to the file, in a thread: an answer does not wait for the disk.
        self.rows("PRAGMA wal_autocheckpoint = 10000")
        version = self.rows("PRAGMA user_version")[0][0]
        if self.rows("PRAGMA application_id")[0][0] != _APPLICATION_ID:
            raise UserError(f"ledger {self.path}: {_REMEDIES[sqlite3.SQLITE_NOTADB]}")
        if version > _SCHEMA_VERSION:
            raise UserError(
                f"ledger {self.path}: its version is {version}, this program knows "
                f"{_SCHEMA_VERSION}: update the program or choose another path"
            )

    def _is_new(self) -> bool:
        tables = self.rows("SELECT count(*) FROM sqlite_master")[0][0]
        return not tables and self.rows("PRAGMA application_id")[0][0] == 0

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
                    raise self._reported(error) from error
                time.sleep(0.01)

    def _wait(self, seconds: float) -> None:
        self._connection.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")
        self._impatient = seconds < _WAIT_S

    def _reported(self, error: OSError | sqlite3.Error) -> Exception:
        """Return the one line that says what is wrong, or a mistake of the program's own."""
        if isinstance(error, OSError):
            remedy = "choose a file in a folder that you may write to"
            return UserError(f"ledger {self.path}: {error.strerror}: {remedy}")
        code = getattr(error, "sqlite_errorcode", None)
        if code is None:
            return error
        if code & 0xFF == sqlite3.SQLITE_BUSY:  # the answers in flight need not wait as long
            with suppress(sqlite3.Error):
                self._wait(0.5)
        problem = _REMEDIES.get(code & 0xFF, str(error))
        return UserError(f"ledger {self.path}: {problem} ({error})")
