"""The calls of the Batch API, through the official client; what is transient is tried again."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import IO, TYPE_CHECKING, TypeVar

from builders.errors import UserError
from builders.llms.base import Exhausted, RequestFailed, TryAgain
from builders.llms.batch_files import URL
from builders.llms.replies import Reply, failure
from builders.llms.transports import Endpoint
from builders.request_key import public_address

if TYPE_CHECKING:
    import openai
    from openai.types import Batch

T = TypeVar("T")

TAG = "understudy"
"""Under this name a batch's metadata holds the digest of its requests."""

RECENT_S = 2 * 86_400.0
"""Younger batches are looked through before one is made; each is over after 24 hours."""

ENDED = ("completed", "failed", "expired", "cancelled")

_WINDOW_S = 86_400.0  # in which a batch ends by itself
_LATE_S = 2 * 3600.0  # after it was to end, before it is not waited for any more
_ATTEMPTS = 30  # of one call, before the run ends; batches go on without it
_SLOWEST = 6.0  # times the first interval, between polls and between attempts
_LISTED = 1_000
_LINE = 16 * 2**20  # bytes of a line; the longest answers are a hundredth of it
_A_REQUEST = 2**20  # bytes of its answer, in a file that is not endless


class Missing(Exception):
    """The server does not know what was asked for."""


class BatchAPI:
    """Calls the Batch API of one server; open between `open` and `close`.

    All methods raise a `UserError` where the key or the address is wrong, and `Exhausted` where the
    server cannot be reached for long.

    Args:
        endpoint: Where the server is.
        poll_s: Seconds between two polls of a batch, at first.
    """

    def __init__(self, endpoint: Endpoint, poll_s: float) -> None:
        self._endpoint = endpoint
        self._poll_s = poll_s
        self._client: openai.AsyncOpenAI | None = None

    async def open(self) -> None:
        """Make a client without retries of its own: what is not idempotent needs care."""
        import openai

        self._client = openai.AsyncOpenAI(
            base_url=self._endpoint.url,
            api_key=self._endpoint.key or "none",
            max_retries=0,
            timeout=self._endpoint.timeout_s,
            http_client=openai.DefaultAsyncHttpxClient(follow_redirects=False),
        )

    async def close(self) -> None:
        """Close the client."""
        if self._client is not None:
            await self._client.close()

    async def batch(self, name: str) -> "Batch":
        """Return the state of a batch.

        Raises:
            Missing: There is none of that name.
        """

        async def state() -> "Batch":
            return _known(await self._there.batches.retrieve(name))

        return await self._patiently(state)

    async def ended(self, names: Iterable[str]) -> "Batch":
        """Wait until one of these batches has ended, and return it.

        Raises:
            Missing: One of them is not there; its argument is the name.
            Exhausted: One of them was to end hours ago.
        """
        names = list(names)
        for wait in self._intervals():
            for name in names:
                try:
                    found = await self.batch(name)
                except Missing:
                    raise Missing(name) from None
                if found.status in ENDED:
                    return found
                self._refuse_late(found)
            await asyncio.sleep(wait)
        raise AssertionError("intervals have no end")

    async def recent(self) -> "dict[str, Batch]":
        """Return digest -> batch of those that may still give answers, made lately."""

        async def listed() -> "dict[str, Batch]":
            found: dict[str, Batch] = {}
            seen = 0
            async for each in self._there.batches.list(limit=100):
                seen += 1
                digest = (each.metadata or {}).get(TAG)
                young = (each.created_at or 0) > time.time() - RECENT_S
                counts = each.request_counts
                dead = each.status in ("failed", "cancelling", "cancelled") or (
                    each.status in ENDED and counts is not None and not counts.completed
                )
                if digest and young and not dead:
                    found.setdefault(digest, each)
                if seen == _LISTED:
                    break
            return found

        try:
            return await self._patiently(listed)
        except Missing:
            raise UserError(f"{self.where}: has no Batch API; check --base-url") from None

    async def create(self, lines: Callable[[], Iterable[bytes]], digest: str) -> "Batch":
        """Upload lines and make a batch of them, once, even if the reply to that gets lost.

        Args:
            lines: Returns the lines of the input file.
            digest: Identifies its requests.
        """
        try:
            with tempfile.TemporaryFile(prefix="understudy-") as file:
                file.writelines(lines())
                uploaded = await self._patiently(lambda: self._upload(file, digest))
        except OSError as error:
            raise UserError(f"cannot write a temporary file: {error.strerror or error}") from None
        except Missing:
            raise UserError(f"{self.where}: takes no files; check --base-url") from None
        tried = False

        async def made() -> "Batch":
            nonlocal tried
            if tried and (found := (await self.recent()).get(digest)):
                return found  # only the reply was lost
            tried = True
            return _known(
                await self._there.batches.create(
                    input_file_id=uploaded,
                    endpoint=URL,
                    completion_window="24h",
                    metadata={TAG: digest},
                )
            )

        try:
            return await self._patiently(made)
        except Missing:
            raise UserError(f"{self.where}: has no Batch API; check --base-url") from None

    @contextlib.asynccontextmanager
    async def downloaded(self, file_id: str, requests: int) -> AsyncIterator[Iterator[bytes]]:
        """Download a file and give its lines.

        Args:
            file_id: Its name at the server.
            requests: How many lines it has at most.

        Raises:
            Missing: It is not there, or not any more.
        """
        with tempfile.TemporaryFile(prefix="understudy-") as file:
            most = _LINE + requests * _A_REQUEST
            await self._patiently(lambda: self._download(file_id, file, most))
            file.seek(0)
            yield iter(lambda: file.readline(_LINE), b"")

    @property
    def where(self) -> str:
        """The server's address."""
        return public_address(self._endpoint.url)

    def said(self, text: str) -> str:
        """Return what a server said in one line, without the key."""
        line = " ".join(text.split())
        return (line.replace(self._endpoint.key, "***") if self._endpoint.key else line)[:300]

    @property
    def _there(self) -> "openai.AsyncOpenAI":
        assert self._client is not None
        return self._client

    async def _upload(self, file: IO[bytes], digest: str) -> str:
        file.seek(0)
        name = f"{TAG}-{digest[:16]}.jsonl"
        uploaded = await self._there.files.create(file=(name, file), purpose="batch")
        if not isinstance(getattr(uploaded, "id", None), str):
            raise TryAgain("unreadable reply")
        return uploaded.id

    async def _download(self, file_id: str, file: IO[bytes], most: int) -> None:
        file.seek(0)
        file.truncate()
        content = self._there.files.with_streaming_response.content(file_id)
        async with content as response:
            try:
                async for chunk in _arriving(response.iter_bytes()):
                    file.write(chunk)
                    if file.tell() > most:
                        break
            except OSError as error:
                raise UserError(
                    f"cannot write a temporary file: {error.strerror or error}: free some space"
                ) from None

    def _refuse_late(self, batch: "Batch") -> None:
        """End the wait for a batch that the server has forgotten to end."""
        if not batch.created_at:
            return
        ends = batch.expires_at or batch.created_at + _WINDOW_S
        if time.time() > ends + _LATE_S:
            said = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(ends))
            raise Exhausted(
                f"{self.where}: batch {batch.id} was to end by {said} and is still "
                f"{self.said(batch.status)}; cancel it there, or run the same command again later"
            )

    def _intervals(self) -> Iterator[float]:
        wait = self._poll_s
        while True:
            yield wait
            wait = min(1.5 * wait, _SLOWEST * self._poll_s)

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        for attempt, wait in enumerate(self._intervals(), 1):
            try:
                with self._translated():
                    return await call()
            except TryAgain as error:
                if attempt == _ATTEMPTS:
                    raise Exhausted(
                        f"{self.where}: cannot be reached ({self.said(str(error))}); batches go "
                        "on there: run the same command again"
                    ) from None
                await asyncio.sleep(max(wait, min(error.after_s or 0.0, 300.0)))
            except RequestFailed as error:
                raise UserError(f"{self.where}: {self.said(str(error))}") from None
        raise AssertionError("intervals have no end")

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        import openai

        try:
            yield
        except openai.NotFoundError:
            raise Missing from None
        except openai.APIStatusError as error:
            headers = {name.lower(): value for name, value in error.response.headers.items()}
            reply = Reply(error.status_code, headers, error.response.content)
            meaning = failure(reply, error.status_code)
            if isinstance(meaning, UserError):
                raise type(meaning)(f"{self.where}: {self.said(str(meaning))}") from None
            raise meaning from None
        except openai.APIConnectionError as error:
            raise TryAgain("no connection", type(error.__cause__).__name__) from None
        except (openai.APIError, ValueError, AttributeError, TypeError) as error:
            raise TryAgain("unreadable reply", type(error).__name__) from None


async def _arriving(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield chunks; here the client lets errors of its HTTP library through as they are."""
    try:
        async for chunk in chunks:
            yield chunk
    except Exception as error:
        raise TryAgain("connection lost", type(error).__name__) from None


def _known(batch: "Batch") -> "Batch":
    """Refuse what is no batch: the client takes any JSON for one."""
    if not all(isinstance(getattr(batch, name, None), str) for name in ("id", "status")):
        raise TryAgain("unreadable reply")
    return batch
