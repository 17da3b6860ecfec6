"""What a build may use: reserved before a request is sent, settled when its answer is there.

A reservation is the most that a request can use, so the cap is never passed; an answer that got
lost keeps its reservation, since it may have been billed.
"""

from dataclasses import dataclass

from builders.errors import UserError
from builders.llms.base import LiveLLM, Price

UNLIMITED = float("inf")


@dataclass(frozen=True)
class Caps:
    """The user's limits of one build; what the ledger answers of it counts as it was paid.

    Attributes:
        usd: Money.
        tokens: Tokens, prompts and answers.
        requests: Requests that are answered, or may have been.
    """

    usd: float | None = None
    tokens: int | None = None
    requests: int | None = None

    def __bool__(self) -> bool:
        return any(each is not None for each in (self.usd, self.tokens, self.requests))


@dataclass(frozen=True)
class Use:
    """Tokens of requests, at most or as it was."""

    prompt_tokens: int
    answer_tokens: int
    requests: int = 1

    @property
    def tokens(self) -> int:
        """All tokens."""
        return self.prompt_tokens + self.answer_tokens


class Budget:
    """Keeps a build, or several that share one, within its caps.

    Args:
        caps: The limits.
        price: What tokens cost, None where that is not known.

    Raises:
        UserError: Money is limited and the price is unknown.
    """

    def __init__(self, caps: Caps | None = None, price: Price | None = None) -> None:
        self.caps = caps or Caps()
        self.price = price
        if self.caps.usd is not None and price is None:
            raise UserError(
                "--max-usd: the price of this LLM is not known; give --price IN,OUT, the USD for a "
                "million tokens of prompts and of answers"
            )
        self._used = {"usd": 0.0, "tokens": 0.0, "requests": 0.0}
        self._reserved = {"usd": 0.0, "tokens": 0.0, "requests": 0.0}

    @classmethod
    def of(cls, llm: LiveLLM, caps: Caps | None = None) -> "Budget":
        """Return the budget for requests to `llm`."""
        return cls(caps, llm.price)

    @property
    def used(self) -> dict[str, float]:
        """What was used so far: `usd`, `tokens`, `requests`."""
        return dict(self._used)

    def reserve(self, use: Use) -> bool:
        """Set the most that a request can use aside; False where that is more than is free."""
        if self.passed_by(use, reserved=True):
            return False
        self._add(self._reserved, use, 1)
        return True

    def passed_by(self, use: Use, *, reserved: bool = False) -> str:
        """Return the option whose cap a request would pass, even if all others used nothing more.

        Args:
            use: The most that it can use.
            reserved: Count what is set aside too.
        """
        more = self._amounts(use)
        for name, cap in vars(self.caps).items():
            taken = self._used[name] + (self._reserved[name] if reserved else 0.0)
            if cap is not None and taken + more[name] > cap * (1 + 1e-12):
                return f"--max-{name} {cap:g}"
        return ""

    def settle(self, reserved: Use, used: Use) -> None:
        """Put what was used in the place of what was set aside."""
        self._add(self._reserved, reserved, -1)
        self.charge(used)

    def release(self, reserved: Use) -> None:
        """Free what was set aside for a request that was refused."""
        self._add(self._reserved, reserved, -1)

    def charge(self, used: Use) -> None:
        """Count what was used without a reservation of this process."""
        self._add(self._used, used, 1)

    def _add(self, to: dict[str, float], use: Use, sign: int) -> None:
        for name, amount in self._amounts(use).items():
            to[name] += sign * amount

    def _amounts(self, use: Use) -> dict[str, float]:
        price = self.price
        return {
            "usd": price.usd(use.prompt_tokens, use.answer_tokens) if price else 0.0,
            "tokens": float(use.tokens),
            "requests": float(use.requests),
        }
