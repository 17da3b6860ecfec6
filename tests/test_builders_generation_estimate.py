"""What a build would ask for, use and take, worked out by hand."""

from dataclasses import replace
from pathlib import Path

import pytest

from builders.generation.asking import Asking, Stretch
from builders.generation.estimate import Estimate, estimate, written_bytes
from builders.generation.rounds import Rounds
from builders.ledger import Ledger
from builders.llms.base import DirectLLM, Limits, Price, Quota
from builders.requests import Completion, Request
from builders.strategies import Plan, create_strategy
from builders.strategies.base import DIVERSITY_PROMPT
from builders.tasks import Prompt, Task

TASK = Task(
    name="plants",
    title="Plants",
    description="Where does this plant grow?",
    labels={"indoor": "inside a house"},
    prompt=Prompt("c" * 20, "p" * 48),
    length_words=(4, 12),
)
QUOTA = Quota(per_label=10, texts_per_request=5, turns=2, conversations=1)
PLAN = Plan(5, sampling={"max_tokens": 200}, schema=None)

ANSWER_BYTES = 260
"""5 texts of (4 + 12) / 2 = 8 words of 6 bytes, and 4 bytes of quotation marks: 5 x (48 + 4)."""

FIRST = 100
"""Bytes of the first turn: 20 and 48, and 16 for each of 2 messages."""

SECOND = FIRST + ANSWER_BYTES + 16 + len(DIVERSITY_PROMPT) + 16
"""The second turn repeats the first one and its answer."""


class SilentLLM(DirectLLM):
    """An LLM that must not be asked: an estimate sends nothing."""

    model = "quill-2"
    endpoint = "http://llm.test/v1"
    description = "quill-2 (a test)"

    def __init__(self, price: Price | None = None, limits: Limits | None = None) -> None:
        self.price = price
        self.limits = limits or Limits()

    async def complete(self, request: Request) -> Completion:
        """Refuse."""
        raise AssertionError("an estimate sends nothing")


def asking(llm: SilentLLM | None = None, plan: Plan = PLAN) -> Asking:
    """Return how the LLM would be asked."""
    return Asking(TASK, create_strategy("zero_shot", None, 0), plan, llm or SilentLLM())


def estimated(
    llm: SilentLLM | None = None, quota: Quota = QUOTA, ledger: Ledger | None = None
) -> Estimate:
    """Estimate a build of the task."""
    first = Rounds(TASK.label_names, quota).first()
    return estimate(asking(llm), first, written_bytes(TASK, 5), ledger)


def test_tokens_are_bytes_by_four() -> None:
    """Two turns; answers are 260 / 4 = 65 tokens each."""
    found = estimated()

    assert (found.requests, found.known) == (2, 0)
    assert found.prompt_tokens == (FIRST + SECOND) / 4
    assert found.answer_tokens == 130


def test_the_most_is_a_byte_a_token_and_the_longest_answers() -> None:
    """Every byte of both prompts, and 200 tokens of each answer."""
    assert estimated().most_tokens == FIRST + SECOND + 400


def test_an_answer_is_no_longer_than_it_may_be() -> None:
    """65 tokens are cut to the 40 that are allowed."""
    plan = replace(PLAN, sampling={"max_tokens": 40})

    first = Rounds(TASK.label_names, QUOTA).first()

    found = estimate(asking(plan=plan), first, written_bytes(TASK, 5))

    assert found.answer_tokens == 80
    assert found.most_tokens == FIRST + SECOND + 80


def test_money_is_tokens_by_price() -> None:
    """A million prompt tokens cost 4 USD and a million answer tokens 10."""
    found = estimated(SilentLLM(Price(4.0, 10.0, "a test")))

    assert found.usd == pytest.approx(((FIRST + SECOND) / 4 * 4 + 130 * 10) / 1e6)
    assert found.most_usd == pytest.approx(((FIRST + SECOND) * 4 + 400 * 10) / 1e6)
    assert "a million tokens at 4 and 10 USD, a test" in "\n".join(found.lines())


def test_an_unknown_price_is_said_and_not_made_up() -> None:
    """No figure in money, and the option that gives the price."""
    found = estimated()

    assert found.usd is None
    assert found.most_usd is None
    assert "money: price unknown: give --price IN,OUT" in found.lines()


def test_turns_follow_one_another_and_conversations_run_side_by_side() -> None:
    """A request takes 1 s and 65 tokens at 60 a second: 1 + 65/60 = 2.0833 s.

    Two turns of one conversation take twice that; so do 64 conversations with 64 in flight, and
    with 16 in flight four times as long.
    """
    one = 1 + 65 / 60
    many = replace(QUOTA, per_label=640, conversations=64)
    slow = SilentLLM(limits=Limits(concurrency=16))

    assert estimated().seconds == pytest.approx(2 * one)
    assert estimated(quota=many).seconds == pytest.approx(2 * one)
    assert estimated(slow, many).seconds == pytest.approx(8 * one)


def test_known_answers_are_not_counted(tmp_path: Path) -> None:
    """The ledger has turn 1: turn 2 remains, with one prompt and one answer."""
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        how = asking()
        request = how.request(Stretch("indoor", 0, 1, 2), [])
        llm = how.llm
        ledger.record(how.key(request), request, llm.endpoint, llm.model, Completion("x"))

        found = estimated(ledger=ledger)

    assert (found.requests, found.known) == (2, 1)
    assert found.prompt_tokens == SECOND / 4
    assert found.answer_tokens == 65
    assert found.most_tokens == SECOND + 200
    assert found.seconds == pytest.approx(1 + 65 / 60)
    assert found.lines()[0] == "requests: 2, of which 1 are in the ledger already"


def test_a_build_that_is_known_whole_costs_nothing(tmp_path: Path) -> None:
    """Both turns are in the ledger: nothing is left to pay or to wait for."""
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        how = asking()
        for contents in ([], ["x"]):
            request = how.request(Stretch("indoor", 0, 1, 2), contents)
            llm = how.llm
            ledger.record(how.key(request), request, llm.endpoint, llm.model, Completion("x"))

        found = estimated(SilentLLM(Price(4.0, 10.0, "a test")), ledger=ledger)

    assert found.known == found.requests == 2
    assert (found.most_tokens, found.usd, found.seconds) == (0, 0, 0)


def test_figures_that_are_estimates_say_so() -> None:
    """Tokens and time are marked; what is left out is named."""
    _, tokens, _, time, rest = estimated().lines()

    assert tokens.startswith("tokens: about ")
    assert "(estimates)" in tokens
    assert time.startswith("time: about 4 s for 2 requests")
    assert "asked for again" in rest
