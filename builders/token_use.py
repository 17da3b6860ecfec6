"""What requests used, in tokens: as servers counted it, and estimated where they did not.

Ways to spend one LLM are compared by this: texts that it writes, labels or classifies.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from builders.generation.estimate import BYTES_A_TOKEN
from builders.llms.base import Price, prompt_bound
from builders.requests import Completion, Request

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
        prompt: Tokens of their prompts.
        answer: Tokens of their answers.
        requests: The requests.
        estimated: Of these, those whose tokens the server did not count.
    """

    prompt: float = 0.0
    answer: float = 0.0
    requests: int = 0
    estimated: int = 0

    @classmethod
    def of(cls, answered: Iterable[tuple[Request, Completion]]) -> "TokenUse":
        """Add up the tokens of requests.

        A server's `usage` counts where it is there. Where it is not, as in a recording, tokens are
        estimated: `BYTES_A_TOKEN` of the UTF-8 of the messages, and so many for each message as a
        chat template adds at most; of the answer, its content alone: what an LLM thought aloud and
        was not sent is missing. A provider's discount for prompts that repeat is left out.
        """
        prompt = answer = 0.0
        requests = estimated = 0
        for request, completion in answered:
            requests += 1
            counted = (completion.prompt_tokens, completion.completion_tokens)
            estimated += None in counted
            own = prompt_bound(request) / BYTES_A_TOKEN
            written = len(completion.content.encode(errors="replace")) / BYTES_A_TOKEN
            prompt += own if counted[0] is None else counted[0]
            answer += written if counted[1] is None else counted[1]
        return cls(prompt, answer, requests, estimated)

    def per_text(self, texts: int) -> TextCost:
        """Return the tokens that each of so many texts took.

        Args:
            texts: Texts that came of the requests; those that were rejected are paid for by them.

        Raises:
            ValueError: There are none, so that a text has no cost.
        """
        if texts < 1:
            raise ValueError(f"{self.requests} requests gave {texts} texts: no text has a cost")
        return TextCost(self.prompt / texts, self.answer / texts, self.estimated > 0)


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
