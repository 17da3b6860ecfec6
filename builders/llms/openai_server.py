"""What every LLM on an OpenAI-compatible server has: an address, a key, a price, a dialect."""

import os
import urllib.parse
from dataclasses import dataclass, replace

from builders.errors import UserError
from builders.llms.base import Limits, LiveLLM, Price, Sampling
from builders.llms.dialect import Dialect
from builders.llms.memory import Memory
from builders.llms.prices import listed_price
from builders.llms.transports import Endpoint
from builders.request_key import public_address
from builders.requests import Request

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
        if not _is_address(url):
            raise UserError(
                f"--base-url {_shown(url)}: no address of a server; give one like "
                "http://localhost:8000/v1"
            )
        key = (os.environ.get(self.key_env or KEY_ENV) or "").strip()
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise UserError(
                f"the key in {self.key_env or KEY_ENV} holds a character that no key has; set it "
                "anew"
            )
        if key and "@" in urllib.parse.urlsplit(url).netloc:
            raise UserError(
                f"--base-url {_shown(url)}: it holds a user's name, and {self.key_env or KEY_ENV} "
                "holds a key: a server takes one of the two; leave out the name, or unset the key"
            )
        # Servers of one's own ask for no key, so only a key that was named has to be there.
        if self.needs_key and not key and (self.key_env or url.rstrip("/") == OFFICIAL):
            raise UserError(
                f"no key: set the environment variable {self.key_env or KEY_ENV}, or name another "
                "with --api-key-env"
            )
        return Endpoint(url.rstrip("/"), key or None, self.timeout_s)


def _is_address(url: str) -> bool:
    """Say whether `chat/completions` can be put behind `url`."""
    try:
        parts = urllib.parse.urlsplit(url)
        host = (parts.hostname or "").removesuffix(".")
        host.encode("idna")  # no label is empty or too long
        named = bool(host) and parts.port != 0
    except ValueError:  # a UnicodeError is one
        return False
    plain = url.isprintable() and " " not in url and not parts.query and not parts.fragment
    return named and plain and parts.scheme in ("http", "https")


def _shown(url: str) -> str:
    """Return an address for a message: without a password, as far as it can be taken apart."""
    try:
        return public_address(url)
    except ValueError:
        return "***" if "@" in url else url


class OpenAIServer(LiveLLM):
    """A model on a server.

    Args:
        model: The model's name.
        connection: Where the server is.
        limits: What it may be asked at once.
        sampling: How the model is to write.
        price: What its tokens cost; None for the listed price, if this is OpenAI's own server.
        memory: Keeps what was learned of the server, for later runs.
        batch: Whether requests are sent in batches.

    Raises:
        UserError: The address or the key is missing.
    """

    def __init__(
        self,
        model: str,
        connection: Connection,
        limits: Limits | None,
        sampling: Sampling | None,
        price: Price | None,
        memory: Memory | None,
        *,
        batch: bool,
    ) -> None:
        server = connection.endpoint()
        official = server.url == OFFICIAL
        self.model = model
        self.endpoint = public_address(server.url)
        where = urllib.parse.urlsplit(server.url).hostname
        self.description = f"{model} by OpenAI" if official else f"{model} at {where}"
        self.limits = limits or Limits()
        self.sampling = sampling or Sampling()
        self.price = price or (listed_price(model, batch=batch) if official else None)
        self._server = server
        self._memory = memory
        self._proved = False
        # OpenAI knows the newer name for every model, and a refusal would cost a whole batch.
        name = "max_completion_tokens" if official and batch else "max_tokens"
        self._dialect = Dialect(schema=self.sampling.schema, max_tokens=name)
        if memory is not None and (learned := memory.dialect(self.endpoint, model)):
            known = Dialect.from_json(learned)
            self._dialect = replace(known, schema=known.schema and self.sampling.schema)

    def phrased(self, request: Request) -> Request:
        """Leave out what the server does not understand."""
        return self._dialect.phrased(request)

    def _learned(self, asked: Dialect, message: str) -> bool:
        """Leave out, from now on, what a server refuses before it has answered anything.

        Once it has answered, a refusal is about one request, and the others stay as they are:
        another phrasing would ask, and pay, for all of them again.
        """
        if self._proved or (learned := asked.after(message)) is None:
            return False
        self._dialect = learned
        if self._memory is not None:
            # A user who wants no schema does not speak for the server.
            kept = replace(learned, schema=learned.schema or not self.sampling.schema)
            self._memory.learn_dialect(self.endpoint, self.model, kept.to_json())
        return True

    def _without_key(self, text: str) -> str:
        """Take the key out of what a server says."""
        return text.replace(self._server.key, "***") if self._server.key else text
