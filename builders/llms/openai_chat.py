"""Any OpenAI-compatible server: OpenAI itself, vLLM, TGI, Ollama, llama.cpp, a router."""

import os
import urllib.parse
from dataclasses import dataclass, replace
from typing import Self

from builders.errors import UserError
from builders.llms.base import (
    DirectLLM,
    Exhausted,
    Limits,
    Price,
    Rephrase,
    RequestFailed,
    Sampling,
    TryAgain,
)
from builders.llms.dialect import Dialect
from builders.llms.memory import Memory
from builders.llms.prices import listed_price
from builders.llms.replies import error_of, read_reply
from builders.llms.transports import TRANSPORTS, Endpoint
from builders.request_key import public_address
from builders.requests import Completion, Request

OFFICIAL = "https://api.openai.com/v1"
KEY_ENV = "OPENAI_API_KEY"


@dataclass(frozen=True)
class Connection:
    """Where a server is, and how it is reached.

    Attributes:
        base_url: The base URL; None for `$OPENAI_BASE_URL`, then OpenAI's own.
        key_env: The environment variable that holds the key; None for `OPENAI_API_KEY`.
        transport: `aiohttp` or `openai`.
        timeout_s: Seconds until a reply has to be there.
        needs_key: Whether a missing key is a mistake; an estimate asks nothing.
    """

    base_url: str | None = None
    key_env: str | None = None
    transport: str = "aiohttp"
    timeout_s: float = 300.0
    needs_key: bool = True

    def endpoint(self) -> Endpoint:
        """Return the endpoint, with its key from the environment.

        Raises:
            UserError: The URL is none, or the key is not there.
        """
        url = self.base_url or os.environ.get("OPENAI_BASE_URL") or OFFICIAL
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UserError(
                f"--base-url {public_address(url)}: no address of a server; give one like "
                "http://localhost:8000/v1"
            )
        key = os.environ.get(self.key_env or KEY_ENV)
        # Servers of one's own ask for no key, so only a key that was named has to be there.
        if self.needs_key and not key and (self.key_env or url.rstrip("/") == OFFICIAL):
            raise UserError(
                f"no key: set the environment variable {self.key_env or KEY_ENV}, or name another "
                "with --api-key-env"
            )
        return Endpoint(url.rstrip("/"), key or None, self.timeout_s)


class OpenAIChat(DirectLLM):
    """Asks a chat-completions server.

    What the server does not understand (a JSON schema, `seed`, `max_tokens`) it says once: the
    request is then sent without it, and so are all later ones.

    Args:
        model: The model's name.
        connection: Where the server is.
        limits: What it may be asked at once.
        sampling: How the model is to write.
        price: What its tokens cost; None for the listed price, if this is OpenAI's own server.
        memory: Keeps what was learned of the server, for later runs.

    Raises:
        UserError: The address or the key is missing.
    """

    def __init__(
        self,
        model: str,
        connection: Connection | None = None,
        limits: Limits | None = None,
        sampling: Sampling | None = None,
        price: Price | None = None,
        memory: Memory | None = None,
    ) -> None:
        connection = connection or Connection()
        endpoint = connection.endpoint()
        self.model = model
        self.endpoint = public_address(endpoint.url)
        official = endpoint.url == OFFICIAL
        where = urllib.parse.urlsplit(endpoint.url).hostname
        self.description = f"{model} by OpenAI" if official else f"{model} at {where}"
        self.limits = limits or Limits()
        self.sampling = sampling or Sampling()
        self.price = price or (listed_price(model) if official else None)
        self._key = endpoint.key
        self._transport = TRANSPORTS[connection.transport](endpoint)
        self._memory = memory
        self._dialect = Dialect(schema=self.sampling.schema)
        self._proved = False
        if memory is not None and (learned := memory.dialect(self.endpoint, model)):
            known = Dialect.from_json(learned)
            self._dialect = replace(known, schema=known.schema and self.sampling.schema)

    async def __aenter__(self) -> Self:
        await self._transport.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._transport.close()

    def phrased(self, request: Request) -> Request:
        """Leave out what the server does not understand."""
        return self._dialect.phrased(request)

    async def complete(self, request: Request) -> Completion:
        """Post the request once."""
        dialect = self._dialect
        if dialect.phrased(request) is not request:
            raise Rephrase  # it was phrased before the server refused another one
        reply = await self._transport.post(dialect.body(self.model, request))
        if reply.status in (400, 422):
            self._learn(dialect, error_of(reply.body)[1])
        try:
            completion = read_reply(reply)
        except Exhausted as error:
            raise Exhausted(self._said(error)) from None
        except UserError as error:
            raise UserError(self._said(error)) from None
        except TryAgain as error:
            detail = self._without_key(str(error).removeprefix(f"{error.reason}: "))
            raise TryAgain(
                *(error.reason, detail),
                after_s=error.after_s,
                limited=error.limited,
                lost=error.lost,
            ) from None
        except RequestFailed as error:
            raise RequestFailed(error.reason) from None
        self._proved = True
        return completion

    def _learn(self, asked: Dialect, message: str) -> None:
        """Leave out, from now on, what a server refuses before it has answered anything.

        Once it has answered, a refusal is about one request, and the others stay as they are:
        another phrasing would ask, and pay, for all of them again.
        """
        if asked != self._dialect:
            raise Rephrase  # another request found it out meanwhile
        if not self._proved and (learned := asked.after(message)) is not None:
            self._dialect = learned
            if self._memory is not None:
                self._memory.learn_dialect(self.endpoint, self.model, learned.to_json())
            raise Rephrase

    def _said(self, error: Exception) -> str:
        return f"{self.endpoint}: {self._without_key(str(error))}"

    def _without_key(self, text: str) -> str:
        """Take the key out of what a server says."""
        return text.replace(self._key, "***") if self._key else text
