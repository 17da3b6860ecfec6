"""What a compatible server understands of a request, learned from what it refuses."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from builders.requests import Message, Request

_AT_MOST = re.compile(r"(?:at most|up to|less than or equal to|<=|maximum of) (\d+)")


@dataclass(frozen=True)
class Dialect:
    """How a server takes requests.

    Attributes:
        schema: Whether it holds answers to a JSON schema.
        seed: Whether it takes `seed`.
        max_tokens: What it calls the most tokens of an answer.
        most_tokens: The most tokens of an answer that it allows, None where not known.
    """

    schema: bool = True
    seed: bool = True
    max_tokens: str = "max_tokens"
    most_tokens: int | None = None

    @classmethod
    def from_json(cls, text: str) -> "Dialect":
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))

    def to_json(self) -> str:
        """Return it as the ledger keeps it."""
        return json.dumps(asdict(self), sort_keys=True)

    def phrased(self, request: Request) -> Request:
        """Return `request` as far as the server understands it."""
        most = self.most_tokens
        if most is not None and int(request.sampling.get("max_tokens", 0)) > most:
            request = replace(request, sampling={**request.sampling, "max_tokens": most})
        if request.schema is None or self.schema:
            return request
        first, *rest = request.messages
        asked: Message = {
            "role": first["role"],
            "content": f"{first['content']} {in_words(request.schema)}",
        }
        return replace(request, schema=None, messages=(asked, *rest))

    def body(self, model: str, request: Request) -> dict[str, Any]:
        """Return the body of a phrased request, as the chat-completions API takes it."""
        body: dict[str, Any] = {"model": model, "messages": list(request.messages)}
        for name, value in request.sampling.items():
            body[self.max_tokens if name == "max_tokens" else name] = value
        if self.seed:
            body["seed"] = request.replicate
        if request.schema is not None:
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {
                    "name": _listed(request.schema),
                    "strict": True,
                    "schema": dict(request.schema),
                },
            }
        return body

    def after(self, message: str) -> "Dialect | None":
        """Return the dialect that a refused request suggests, None if it suggests none.

        Args:
            message: What the server said when it refused the request as wrong.
        """
        said = message.lower()
        renamed = "max_completion_tokens" in said and not re.search(r"too large|context", said)
        if renamed and self.max_tokens == "max_tokens":
            return replace(self, max_tokens="max_completion_tokens")
        if self.max_tokens in said and (found := _AT_MOST.search(said)):
            most = int(found[1])
            if 0 < most < (self.most_tokens or float("inf")):
                return replace(self, most_tokens=most)
        if self.schema and re.search(r"response.?format|json.?schema|structured|guided", said):
            return replace(self, schema=False)
        if self.seed and re.search(r"\bseed\b", said):
            return replace(self, seed=False)
        return None


def in_words(schema: Mapping[str, Any]) -> str:
    """Return what is added to the system message where a server cannot hold an LLM to a schema.

    Args:
        schema: Of an object with one list of strings.
    """
    form = f'{{"{_listed(schema)}": ["...", "..."]}}'
    return f"Answer with a JSON object of the form {form} and nothing else."


def _listed(schema: Mapping[str, Any]) -> str:
    """Return the name of the list."""
    return str(next(iter(schema["properties"])))
