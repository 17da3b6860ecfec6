"""What a build may use is never passed, whatever order its requests come back in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders.errors import UserError
from builders.generation.budget import Budget, Caps, Use
from builders.llms.base import Price

PRICE = Price(prompt=0.15, answer=0.60, source="a test")


def test_money_is_reckoned_for_a_million_tokens() -> None:
    """2,000 x 0.15 / 1e6 + 500 x 0.60 / 1e6 = 0.0003 + 0.0003 USD."""
    budget = Budget(price=PRICE)

    budget.charge(Use(2000, 500))

    assert budget.used == {"usd": pytest.approx(0.0006), "tokens": 2500, "requests": 1}


def test_a_cap_in_money_needs_a_price() -> None:
    """The message says which option gives it."""
    with pytest.raises(UserError, match=r"--max-usd.*price.*--price IN,OUT"):
        Budget(Caps(usd=1.0))


@pytest.mark.parametrize(
    ("caps", "option"),
    [
        (Caps(usd=0.0005), "--max-usd 0.0005"),
        (Caps(tokens=2499), "--max-tokens 2499"),
        (Caps(requests=0), "--max-requests 0"),
        (Caps(usd=0.0006, tokens=2500, requests=1), ""),
        (Caps(), ""),
    ],
)
def test_the_option_is_named_whose_cap_would_be_passed(caps: Caps, option: str) -> None:
    """2,000 tokens of a prompt and 500 of an answer at 0.0006 USD; what just fits is no excess."""
    assert Budget(caps, PRICE).passed_by(Use(2000, 500)) == option


def test_what_is_set_aside_is_not_there_for_others() -> None:
    """Of 250 tokens two requests of 100 get theirs; the third waits until one is settled at 20."""
    budget, use = Budget(Caps(tokens=250)), Use(60, 40)

    assert [budget.reserve(use) for _ in range(3)] == [True, True, False]
    assert budget.passed_by(use) == ""

    budget.settle(use, Use(15, 5))
    assert budget.reserve(use)


def test_what_was_refused_is_free_again() -> None:
    """One request at most: it is refused, and may be sent again."""
    budget, use = Budget(Caps(requests=1)), Use(60, 40)
    assert budget.reserve(use)
    assert not budget.reserve(use)

    budget.release(use)

    assert budget.reserve(use)
    assert budget.used["requests"] == 0


def test_a_lost_answer_keeps_its_reservation() -> None:
    """Settled at what it may have used, it is used for good."""
    budget, use = Budget(Caps(tokens=100)), Use(60, 40)
    assert budget.reserve(use)

    budget.settle(use, use)

    assert budget.used["tokens"] == 100
    assert budget.passed_by(Use(1, 0)) == "--max-tokens 100"


def test_rounding_keeps_nothing_from_a_cap_that_just_fits() -> None:
    """Ten thousand requests of 0.1 USD / 10,000 fit in 0.1 USD, in whatever way floats add up."""
    budget = Budget(Caps(usd=0.1), Price(10.0, 0.0, "a test"))  # 1 token is 0.00001 USD
    use = Use(1, 0)
    for _ in range(10_000):
        assert budget.reserve(use)
        budget.settle(use, use)

    assert not budget.reserve(use)


USES = st.builds(Use, st.integers(0, 50_000), st.integers(0, 5_000))
STEPS = st.tuples(
    st.sampled_from(["reserve", "settle", "lose", "release", "charge"]), USES, st.floats(0, 1)
)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    caps=st.builds(
        Caps,
        st.none() | st.floats(0, 0.1),
        st.none() | st.integers(0, 300_000),
        st.none() | st.integers(0, 20),
    ),
    steps=st.lists(STEPS, max_size=60),
)
def test_no_cap_is_ever_passed(caps: Caps, steps: list[tuple[str, Use, float]]) -> None:
    """Counted again here in whole numbers: used and reserved together stay below every cap.

    A token of a prompt costs 15, one of an answer 60, in units of 1e-8 USD.
    """
    budget = Budget(caps, PRICE)
    used: list[Use] = []
    open_: list[Use] = []
    for action, use, share in steps:
        if action == "reserve":
            if budget.reserve(use):
                open_.append(use)
        elif action == "charge":
            if not budget.passed_by(use, reserved=True):  # known answers that a ledger holds
                budget.charge(use)
                used.append(use)
        elif open_:
            first = open_.pop(0)
            if action == "release":
                budget.release(first)
                continue
            part = Use(int(first.prompt_tokens * share), int(first.answer_tokens * share))
            used.append(first if action == "lose" else part)
            budget.settle(first, used[-1])
        every = [*used, *open_]
        units = sum(15 * u.prompt_tokens + 60 * u.answer_tokens for u in every)
        assert caps.usd is None or units <= caps.usd * 1e8 * (1 + 1e-9)
        assert caps.tokens is None or sum(u.tokens for u in every) <= caps.tokens
        assert caps.requests is None or len(every) <= caps.requests
    assert budget.used["tokens"] == sum(u.tokens for u in used)
    assert budget.used["requests"] == len(used)
