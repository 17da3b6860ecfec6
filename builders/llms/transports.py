"""How a request reaches an OpenAI-compatible server: with aiohttp, or with the official client.

aiohttp takes about a tenth of the client's processor time a request; both send the same body.
"""

import asyncio
import json
import urllib.parse
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from builders.llms.base import TryAgain
from builders.llms.replies import Reply

if TYPE_CHECKING:
    import aiohttp
    import openai

_LONGEST = 16 * 2**20  # bytes of a reply; the longest answers are a hundredth of it
_CONNECT_S = 30.0

_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True)
class Endpoint:
    """Where a server is and how it is spoken to.

    Attributes:
        url: The base URL, ending in `/v1` as a rule.
        key: The API key, None where the server asks for none.
        timeout_s: Seconds until a reply has to be there whole.
    """

    url: str
    key: str | None
    timeout_s: float

    def __repr__(self) -> str:
        return f"Endpoint({self.url!r})"  # never the key: tracebacks and logs show this


class Transport(ABC):
    """Posts a body to an endpoint; open between `open` and `close`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    @abstractmethod
    async def open(self) -> None:
        """Get ready."""

    @abstractmethod
    async def close(self) -> None:
        """Let the connections go."""

    @abstractmethod
    async def post(self, body: Mapping[str, Any]) -> Reply:
        """Post `body` to `chat/completions`, once, and return the whole reply.

        Raises:
            TryAgain: There was no reply.
        """


class AiohttpTransport(Transport):
    """Posts with aiohttp."""

    _session: "aiohttp.ClientSession"

    async def open(self) -> None:
        """Start a session: connections are made when needed, and kept."""
        import aiohttp

        key = self.endpoint.key
        self._url = f"{self.endpoint.url.rstrip('/')}/chat/completions"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),  # the engine limits
            timeout=aiohttp.ClientTimeout(total=self.endpoint.timeout_s, connect=_CONNECT_S),
            headers={
                "Content-Type": "application/json",
                **({"Authorization": f"Bearer {key}"} if key else {}),
            },
        )
        self._proxy = _proxy_of(self._url)

    async def close(self) -> None:
        """Close the session."""
        await self._session.close()

    async def post(self, body: Mapping[str, Any]) -> Reply:
        """Post the body; follow no redirect, and read no more than an answer can be long."""
        import aiohttp

        data = _encoded(body)
        try:
            async with self._session.post(
                self._url, data=data, allow_redirects=False, proxy=self._proxy
            ) as response:
                content = await _read(response.content.readany)
                return Reply(response.status, response.headers, content)
        except TimeoutError:
            raise TryAgain("time-out", lost=True) from None
        except aiohttp.ClientConnectorError as error:
            detail = error.strerror or type(error.os_error).__name__
            raise TryAgain("no connection", detail) from None
        except (aiohttp.ClientError, ConnectionError) as error:
            raise TryAgain("connection lost", type(error).__name__, lost=True) from None


class OpenAITransport(Transport):
    """Posts with the official client: its configuration, its headers, its connection pool."""

    _client: "openai.AsyncOpenAI"

    async def open(self) -> None:
        """Make a client without retries of its own: the engine retries."""
        import openai

        self._client = openai.AsyncOpenAI(
            base_url=self.endpoint.url,
            api_key=self.endpoint.key or "none",
            max_retries=0,
            timeout=self.endpoint.timeout_s,
            http_client=openai.DefaultAsyncHttpxClient(
                transport=_capped_transport(), follow_redirects=False
            ),
        )

    async def close(self) -> None:
        """Close the client."""
        await self._client.close()

    async def post(self, body: Mapping[str, Any]) -> Reply:
        """Post the body as the client does."""
        import openai

        # The client insists on a key; a server of one's own is sent none.
        keyless = {} if self.endpoint.key else {"Authorization": openai.Omit()}
        # It cannot send half a character, as an answer that is quoted may hold one.
        body = json.loads(_encoded(body))
        rest = {key: value for key, value in body.items() if key not in ("model", "messages")}
        try:
            async with asyncio.timeout(self.endpoint.timeout_s):
                raw = await self._client.chat.completions.with_raw_response.create(
                    model=body["model"],
                    messages=body["messages"],
                    extra_body=rest,
                    extra_headers=keyless,
                )
            response = raw.http_response
        except (openai.APITimeoutError, TimeoutError):
            raise TryAgain("time-out", lost=True) from None
        except openai.APIStatusError as error:
            response = error.response
        except openai.APIConnectionError as error:
            cause = type(error.__cause__).__name__
            lost = cause not in ("ConnectError", "ConnectTimeout")
            raise TryAgain(
                "connection lost" if lost else "no connection", cause, lost=lost
            ) from None
        return Reply(response.status_code, dict(response.headers.items()), response.content)


TRANSPORTS: dict[str, type[Transport]] = {"aiohttp": AiohttpTransport, "openai": OpenAITransport}
"""The `--transport` option."""


def _encoded(body: Mapping[str, Any]) -> bytes:
    return _json(body).encode(errors="replace")


def _proxy_of(url: str) -> str | None:
    """Return the proxy that the environment names for `url`.

    Looked up once: aiohttp's own `trust_env` looks for it, and for a password in `.netrc`, at each
    request, which takes more time than the request itself.
    """
    address = urllib.parse.urlsplit(url)
    host = address.hostname or ""
    if urllib.request.proxy_bypass(host) or host == "localhost" or host.startswith("127."):
        return None
    return urllib.request.getproxies().get(address.scheme)


def _capped_transport() -> Any:
    """Return a transport of the official client's that reads no more than an answer can be long."""
    import httpx2

    class Capped(httpx2.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            response = await super().handle_async_request(request)
            response.request = request
            try:
                content = await _read(partial(anext, response.aiter_bytes(), b""))
            finally:
                await response.aclose()
            unpacked = ("content-encoding", "content-length", "transfer-encoding")
            return httpx2.Response(
                response.status_code,
                headers=[
                    (name, value)
                    for name, value in response.headers.multi_items()
                    if name.lower() not in unpacked
                ],
                content=content,
                request=request,
            )

    return Capped()


async def _read(next_part: Callable[[], Awaitable[bytes]]) -> bytes:
    """Read a reply, but no more than an answer can be long once it is unpacked.

    Args:
        next_part: Returns what comes next, nothing at the end.
    """
    parts: list[bytes] = []
    size = 0
    while part := await next_part():
        parts.append(part)
        size += len(part)
        if size > _LONGEST:
            raise TryAgain("endless answer", lost=True)
    return b"".join(parts)
