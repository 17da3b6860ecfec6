"""What a build would ask for, use and take: before it is begun, and nothing is sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from builders.generation.asking import Asking, Stretch
from builders.ledger import Ledger
from builders.llms.base import LiveLLM, Price, prompt_bound
from builders.tasks.base import Task
from builders.token_use import BYTES_A_TOKEN

TOKENS_A_SECOND = 60.0
_BYTES_A_WORD = 6.0
_OVERHEAD_S = 1.0


@dataclass(frozen=True)
class Estimate:
    """A build in figures; all but `requests` and `known` are estimates.

    They assume that nothing is rejected, answers of the length that `estimate` is told,
    `BYTES_A_TOKEN`, and an LLM that writes `TOKENS_A_SECOND`.

    Attributes:
        requests: Requests of the round.
        known: Of these, those that the ledger has answered already.
        prompt_tokens: Tokens of the prompts that are still to be sent.
        answer_tokens: Tokens of their answers.
        most_tokens: The tokens, a byte each, if every answer were as long as it may be.
        usd: What the tokens would cost, None where the price is not known.
        most_usd: What the most tokens would cost.
        seconds: How long it would take.
        price: What the money is computed from.
    """

    requests: int
    known: int
    prompt_tokens: float
    answer_tokens: float
    most_tokens: float
    usd: float | None
    most_usd: float | None
    seconds: float
    price: Price | None

    def __add__(self, other: "Estimate") -> "Estimate":
        """Return both together, one after the other, by the same LLM."""

        def both(one: float | None, two: float | None) -> float | None:
            return None if one is None or two is None else one + two

        return Estimate(
            self.requests + other.requests,
            self.known + other.known,
            self.prompt_tokens + other.prompt_tokens,
            self.answer_tokens + other.answer_tokens,
            self.most_tokens + other.most_tokens,
            both(self.usd, other.usd),
            both(self.most_usd, other.most_usd),
            self.seconds + other.seconds,
            self.price,
        )

    def lines(self) -> list[str]:
        """Return the estimate in plain words."""
        left = self.requests - self.known
        money = "price unknown: give --price IN,OUT"
        if self.price is not None:
            price = self.price
            money = (
                f"about {self.usd:.4f} USD (longest {self.most_usd:.4f}; a million tokens at "
                f"{price.prompt:g} and {price.answer:g} USD, {price.source})"
            )
        return [
            f"requests: {self.requests}, of which {self.known} are in the ledger already",
            f"tokens: about {self.prompt_tokens:,.0f} of prompts and {self.answer_tokens:,.0f} of "
            f"answers (estimates); {self.most_tokens:,.0f} if each were as long as it may be",
            f"money: {money}",
            f"time: about {self.seconds:,.0f} s for {left} requests, if the LLM writes "
            f"{TOKENS_A_SECOND:.0f} tokens a second",
            "What is rejected is asked for again, which these figures leave out.",
        ]


def written_bytes(task: Task, texts: int) -> int:
    """Return the bytes of an answer with so many texts of `task`.

    A text is taken to have as many words as lie in the middle of what the task asks for.
    """
    return round(texts * (sum(task.length_words) / 2 * _BYTES_A_WORD + 4))


def estimate(
    asking: Asking, stretches: Sequence[Stretch], answer_bytes: int, ledger: Ledger | None = None
) -> Estimate:
    """Return what a round of requests would use.

    Args:
        asking: How the LLM would be asked.
        stretches: What it would be asked.
        answer_bytes: Bytes of an answer.
        ledger: What is known already.
    """
    llm = asking.llm
    assert isinstance(llm, LiveLLM)
    answer = "x" * answer_bytes
    answer_tokens = answer_bytes / BYTES_A_TOKEN
    requests = known = 0
    prompts = answers = most_prompts = most_answers = 0.0
    for stretch in stretches:
        there = _known(asking, stretch, ledger)
        requests += stretch.last - stretch.first + 1
        known += there
        for turn in range(there, stretch.last):
            request = asking.request(stretch, [answer] * turn)
            bound = prompt_bound(request)
            prompts += bound / BYTES_A_TOKEN
            most_prompts += bound
            most = float(request.sampling.get("max_tokens", answer_tokens))
            answers += min(answer_tokens, most)
            most_answers += most
    latency = _OVERHEAD_S + answer_tokens / TOKENS_A_SECOND
    side_by_side = max(1, min(llm.limits.concurrency, len(stretches)))
    price = llm.price
    return Estimate(
        requests,
        known,
        prompts,
        answers,
        most_prompts + most_answers,
        price.usd(prompts, answers) if price else None,
        price.usd(most_prompts, most_answers) if price else None,
        (requests - known) * latency / side_by_side,
        price,
    )


def _known(asking: Asking, stretch: Stretch, ledger: Ledger | None) -> int:
    """Return how many turns of a conversation the ledger has answered, from its first on."""
    if ledger is None:
        return 0
    whole = Stretch(stretch.label, stretch.conversation, 1, stretch.last)
    return sum(1 for _ in asking.replay([whole], lambda r: ledger.completion(asking.key(r))))
