"""The durable record of requests and completions: nothing in it is asked, or paid for, twice.

An SQLite file in write-ahead mode. A completion is recorded in one transaction and is safe from the
end of the process, however that comes, when `record` returns. What keeps it through a power cut is
`sync`, which a build calls every second (`synchronous=NORMAL`: waiting for the disk at each answer
would cost several times the work of asking for it). Several processes may use one ledger at once.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Self

from builders.ledger.database import Database
from builders.ledger.records import Answered, LedgerEntry, LedgerStatistics, Sent
from builders.request_key import SHORT, canonical, public_address, request_key
from builders.requests import Completion, Request, RequestId

__all__ = ["Answered", "Ledger", "LedgerEntry", "LedgerStatistics", "Sent", "request_key"]

_REMEMBERED = 4096
"""Messages that are in memory at most, so that it does not grow with the number of requests."""

_json = json.JSONEncoder().encode


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
        self._database = Database(path)
        self._messages: set[str] = set()  # names of some that are in the file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __len__(self) -> int:
        return int(self._database.rows("SELECT count(*) FROM completions")[0][0])

    def close(self) -> None:
        """Close the file; what was recorded does not depend on it."""
        self._database.close()

    def completion(self, key: str) -> Completion | None:
        """Return the answer under `key`, or None if the request has to be asked."""
        rows = self._database.rows("SELECT completion FROM completions WHERE key = ?", key)
        return Completion(**json.loads(rows[0][0])) if rows else None

    def reading(self) -> AbstractContextManager[object]:
        """Let many answers be looked up at once, which is several times faster.

        Inside, what others record meanwhile is not seen, nothing may be recorded, and other threads
        wait.
        """
        return self._database.reading()

    def record(
        self, key: str, request: Request, endpoint: str, model: str, completion: Completion
    ) -> Completion:
        """Keep `completion` for good and return the answer that stands under `key`.

        The first answer wins: the later turns of a conversation quote it, and a corpus may have
        been built from it. A second one, from a process that asked at the same time, is dropped.
        """
        return self.record_all([Answered(key, request, completion)], endpoint, model)[0]

    def record_all(
        self, answers: Sequence[Answered], endpoint: str, model: str, *, noted: bool = False
    ) -> list[Completion]:
        """Keep answers, all or none of them, and return those that stand under their keys.

        In one transaction: that costs more than what is written in it.

        Args:
            answers: The answers.
            endpoint: Where they were given.
            model: The model as the requests named it.
            noted: Whether `sending` was called for them. Each takes one such note back; what is
                noted of earlier attempts, which may have been billed, stays.
        """
        address = public_address(endpoint)
        new: dict[str, str] = {}
        rows = []
        for key, request, completion in answers:
            # The turns of a conversation repeat all messages before: each message is kept once.
            messages = [_message_row(each["role"], each["content"]) for each in request.messages]
            new.update(messages)
            names = [name for name, _ in messages]
            rows.append(
                (key, *_name(request), address, model, *_bodies(names, request, completion))
            )
        for name in self._messages & new.keys():
            del new[name]
        with self._database.transaction() as connection:
            connection.executemany("INSERT OR IGNORE INTO messages VALUES (?, ?)", new.items())
            kept = connection.executemany(
                "INSERT OR IGNORE INTO completions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
            ).rowcount
            if noted:
                keys = [row[:1] for row in rows]
                connection.executemany("DELETE FROM sent WHERE key = ? AND times <= 1", keys)
                connection.executemany("UPDATE sent SET times = times - 1 WHERE key = ?", keys)
        if len(self._messages) > _REMEMBERED:
            self._messages.clear()
        self._messages.update(new)
        if kept == len(answers):
            return [answer.completion for answer in answers]
        return [self.completion(key) or completion for key, _, completion in answers]

    def sending(self, key: str, prompt_tokens: int, answer_tokens: int) -> None:
        """Note that a request goes out that may use so many tokens, whatever becomes of it."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO sent VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET times = times + 1,"
                " prompt_tokens = excluded.prompt_tokens, answer_tokens = excluded.answer_tokens",
                (key, prompt_tokens, answer_tokens),
            )

    def unsent(self, key: str) -> None:
        """Note that a request which went out was refused: it used nothing."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE sent SET times = times - 1 WHERE key = ?", (key,))

    def sent(self, key: str) -> Sent | None:
        """Return what a request may have used beside its answer, None for nothing."""
        rows = self._database.rows(
            "SELECT prompt_tokens, answer_tokens, times FROM sent WHERE key = ? AND times > 0", key
        )
        return Sent(*rows[0]) if rows else None

    def dialect(self, endpoint: str, model: str) -> str | None:
        """Return what an earlier run learned of how the server takes requests, as it noted it."""
        rows = self._database.rows(
            "SELECT dialect FROM dialects WHERE endpoint = ? AND model = ?",
            *(public_address(endpoint), model),
        )
        return str(rows[0][0]) if rows else None

    def learn_dialect(self, endpoint: str, model: str, dialect: str) -> None:
        """Note how the server takes requests, for later runs: their keys have to be the same."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO dialects VALUES (?, ?, ?)",
                (public_address(endpoint), model, dialect),
            )

    def note(self, name: str) -> str | None:
        """Return the note of that name, None if there is none."""
        rows = self._database.rows("SELECT note FROM notes WHERE name = ?", name)
        return str(rows[0][0]) if rows else None

    def change_note(self, name: str, change: Callable[[str | None], str]) -> None:
        """Replace a note, such as the names of batches, by what `change` makes of it, or of None.

        It is kept for later runs, an empty one is forgotten. No other process changes it meanwhile.
        """
        with self._database.transaction() as connection:
            if text := change(self.note(name)):
                connection.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, text))
            else:
                connection.execute("DELETE FROM notes WHERE name = ?", (name,))

    def sync(self) -> None:
        """Wait until all that was recorded is on the disk; others may record meanwhile."""
        self._database.sync()

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
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO failures VALUES (?, ?, ?, ?, ?, 1)"
                " ON CONFLICT DO UPDATE SET times = times + 1",
                (key, request.custom_id, public_address(endpoint), model, reason),
            )

    def statistics(self) -> list[LedgerStatistics]:
        """Count what is there, for each task, strategy, endpoint and model."""
        counted = self._database.rows(
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
        rows = self._database.rows(
            "SELECT reason, count(*) FROM failures"
            " WHERE key NOT IN (SELECT key FROM completions) GROUP BY reason ORDER BY reason"
        )
        return dict(rows)

    def unanswered(self) -> int:
        """Count how often requests were sent within a budget that have no answer."""
        rows = self._database.rows(
            "SELECT total(times) FROM sent"
            " WHERE times > 0 AND key NOT IN (SELECT key FROM completions)"
        )
        return int(rows[0][0])

    def entries(self) -> Iterator[LedgerEntry]:
        """Yield the requests answered so far, in the order of their ids."""
        keys = self._database.rows(
            "SELECT key FROM completions"
            " ORDER BY task, strategy, label, conversation, turn, endpoint, model, rowid"
        )
        for (key,) in keys:
            yield self._entry(key)

    def _entry(self, key: str) -> LedgerEntry:
        row = self._database.rows("SELECT * FROM completions WHERE key = ?", key)[0]
        *name, endpoint, model, request, completion = row[1:]
        body = json.loads(request)
        find = "SELECT message FROM messages WHERE hash = ?"
        body["messages"] = tuple(
            json.loads(self._database.rows(find, h)[0][0]) for h in body["messages"]
        )
        for texts in ("examples", "ids"):
            body[texts] = tuple(body.get(texts, ()))
        return LedgerEntry(
            key=key,
            endpoint=endpoint,
            model=model,
            request=Request(id=RequestId(*name), **body),
            completion=Completion(**json.loads(completion)),
        )


def _name(request: Request) -> tuple[str, str, str, int, int]:
    name = request.id
    return name.task, name.strategy, name.label, name.conversation, name.turn


def _bodies(messages: list[str], request: Request, completion: Completion) -> tuple[str, str]:
    """Return a request and its answer as they are kept.

    Args:
        messages: The names of the messages.
        request: The request.
        completion: The answer.
    """
    asked = (
        f'{{"messages": {_json(messages)}, "n_texts": {request.n_texts},'
        f' "schema": {canonical(request.schema)}, "sampling": {canonical(request.sampling)},'
        f' "examples": {_json(request.examples)}, "draw": {request.draw},'
        f' "ids": {_json(request.ids)}}}'
    )
    return asked, _json(vars(completion))


def _message_row(role: str, content: str) -> tuple[str, str]:
    """Return a message's name and its JSON; the turns of a conversation ask for it again."""
    return (_short_row if len(content) <= SHORT else _row)(role, content)


def _row(role: str, content: str) -> tuple[str, str]:
    message = _json({"role": role, "content": content})
    return hashlib.sha256(message.encode()).hexdigest(), message


_short_row = lru_cache(maxsize=_REMEMBERED)(_row)
