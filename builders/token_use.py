"""What requests used, in tokens: as servers counted it, and estimated where they did not.

Ways to spend one LLM are compared by this: texts that it writes, labels or classifies.
"""

from dataclasses import dataclass
from typing import Self

from builders.llms.base import Price, prompt_bound
from builders.requests import Completion, Request

BYTES_A_TOKEN = 4.0
"""Of UTF-8, where tokens are estimated; usual for English, and too many for other scripts."""

ANSWER_WEIGHT = 4.0
"""What a token of an answer costs, in tokens of prompts, where no price is given: the middle of the
ratios in the table of prices, which go from 3 to 8."""


@dataclass(frozen=True)
class TextCost:
    """Tokens that one text took, on average.

    Attributes:
        prompt: Tokens of prompts.
        answer: Tokens of answers.
        estimated: Whether any of them are estimated.
    """

    prompt: float
    answer: float
    estimated: bool

    def usd(self, price: Price, texts: float = 1) -> float:
        """Return what so many texts cost."""
        return price.usd(self.prompt * texts, self.answer * texts)

    def weighed(self, price: Price | None) -> float:
        """Return what a text costs: in USD, or without a price in tokens of prompts."""
        return self.prompt + ANSWER_WEIGHT * self.answer if price is None else self.usd(price)


@dataclass(frozen=True)
class TokenUse:
    """Tokens of answered requests.

    Attributes:
        requests: The requests.
        prompt_tokens: Tokens of their prompts, as far as servers said.
        answer_tokens: Tokens of their answers, as far as servers said.
        estimated_requests: Requests of which no server said all tokens.
        estimated_prompt_tokens: What it did not say of prompts, estimated.
        estimated_answer_tokens: What it did not say of answers, estimated.
    """

    requests: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    estimated_requests: int = 0
    estimated_prompt_tokens: float = 0.0
    estimated_answer_tokens: float = 0.0

    @classmethod
    def of(cls, request: Request, completion: Completion) -> Self:
        """Return the tokens of one request.

        A server's `usage` counts where it is there. Where it is not, as in a recording, tokens are
        estimated: `BYTES_A_TOKEN` of the UTF-8 of the messages, and so many for each message as a
        chat template adds at most; of the answer, its content alone: what an LLM thought aloud and
        was not sent is missing. A provider's discount for prompts that repeat is left out.
        """
        prompt, answer = completion.prompt_tokens, completion.completion_tokens
        asked = written = 0.0
        if prompt is None:
            asked = prompt_bound(request) / BYTES_A_TOKEN
        if answer is None:
            written = len(completion.content.encode(errors="replace")) / BYTES_A_TOKEN
        unknown = int(prompt is None or answer is None)
        return cls(1, prompt or 0, answer or 0, unknown, asked, written)

    def __add__(self, other: "TokenUse") -> "TokenUse":
        return TokenUse(
            self.requests + other.requests,
            self.prompt_tokens + other.prompt_tokens,
            self.answer_tokens + other.answer_tokens,
            self.estimated_requests + other.estimated_requests,
            self.estimated_prompt_tokens + other.estimated_prompt_tokens,
            self.estimated_answer_tokens + other.estimated_answer_tokens,
        )

    @property
    def prompt(self) -> float:
        """All tokens of prompts."""
        return self.prompt_tokens + self.estimated_prompt_tokens

    @property
    def answer(self) -> float:
        """All tokens of answers."""
        return self.answer_tokens + self.estimated_answer_tokens

    def per_text(self, texts: int) -> TextCost:
        """Return the tokens that each of so many texts took.

        Args:
            texts: Texts that came of the requests; those that were rejected are paid for by them.

        Raises:
            ValueError: There are none, so that a text has no cost.
        """
        if texts < 1:
            raise ValueError(f"{self.requests} requests gave {texts} texts: no text has a cost")
        return TextCost(self.prompt / texts, self.answer / texts, self.estimated_requests > 0)


def texts_at_equal_cost(
    texts: float, cost: TextCost, other: TextCost, price: Price | None = None
) -> float:
    """Return how many texts of another way cost as much as so many of one way.

    Args:
        texts: Texts of the one way.
        cost: What each of them took.
        other: What a text of the other way took.
        price: What tokens cost; None for `ANSWER_WEIGHT`, so that the result is an estimate.

    Raises:
        ValueError: A text of the other way costs nothing.
    """
    if other.weighed(price) <= 0:
        raise ValueError("a text of the other way costs nothing: no number of them costs as much")
    return texts * cost.weighed(price) / other.weighed(price)
