"""Any OpenAI-compatible server: OpenAI itself, vLLM, TGI, Ollama, llama.cpp, a router."""

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
from builders.llms.openai_server import Connection, OpenAIServer
from builders.llms.replies import error_of, read_reply
from builders.llms.transports import TRANSPORTS
from builders.requests import Completion, Request


class OpenAIChat(OpenAIServer, DirectLLM):
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
        super().__init__(model, connection, limits, sampling, price, memory, batch=False)
        self._transport = TRANSPORTS[connection.transport](self._server)

    async def __aenter__(self) -> Self:
        await self._transport.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._transport.close()

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
            raise TryAgain(
                *(error.reason, self._detail(error)),
                after_s=error.after_s,
                limited=error.limited,
                lost=error.lost,
            ) from None
        except RequestFailed as error:
            raise RequestFailed(error.reason, self._detail(error), lost=error.lost) from None
        self._proved = True
        return completion

    def _learn(self, asked: Dialect, message: str) -> None:
        # Where the dialect is another one by now, another request found it out meanwhile.
        if asked != self._dialect or self._learned(asked, message):
            raise Rephrase

    def _detail(self, error: RequestFailed) -> str:
        return self._without_key(str(error).removeprefix(error.reason).removeprefix(": "))

    def _said(self, error: Exception) -> str:
        return f"{self.endpoint}: {self._without_key(str(error))}"
