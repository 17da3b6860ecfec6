"""What texts cost in tokens, worked out by hand."""

import pytest

from builders.composition import Order, compose
from builders.facts import CorpusRecord
from builders.llms.base import Price
from builders.llms.recording import Recording
from builders.real import load_real
from builders.requests import Completion, Request, RequestId
from builders.tasks import load_task
from builders.token_use import TextCost, TokenUse, texts_at_equal_cost

REQUEST = Request(
    RequestId("plants", "zero_shot", "indoor", 0, 1),
    ({"role": "system", "content": "x" * 20}, {"role": "user", "content": "\u00e9" * 10}),
    5,
)
"""Two messages of 20 bytes each."""


def test_a_servers_count_is_taken_as_it_is() -> None:
    """7 and 3 tokens; nothing is estimated."""
    use = TokenUse.of(REQUEST, Completion("abcd", prompt_tokens=7, completion_tokens=3))

    assert (use.prompt, use.answer, use.requests, use.estimated_requests) == (7, 3, 1, 0)


def test_what_no_server_counted_is_estimated_and_kept_apart() -> None:
    """(20 + 16 + 20 + 16) / 4 = 18 of the prompt, 6 bytes / 4 = 1.5 of the answer."""
    use = TokenUse.of(REQUEST, Completion("ab\u20acd"))

    assert (use.prompt, use.answer) == (18, 1.5)
    assert (use.prompt_tokens, use.answer_tokens, use.estimated_requests) == (0, 0, 1)


def test_half_a_count_is_an_estimate() -> None:
    """The prompt was counted, the answer was not."""
    use = TokenUse.of(REQUEST, Completion("abcd", prompt_tokens=7))

    assert (use.prompt, use.answer, use.estimated_requests) == (7, 1, 1)


def test_uses_add_up_and_are_shared_by_the_texts_that_came_of_them() -> None:
    """Two requests, four texts: rejected texts and requests without use are paid for by these."""
    counted = TokenUse.of(REQUEST, Completion("", prompt_tokens=10, completion_tokens=30))
    estimated = TokenUse.of(REQUEST, Completion("abcd"))

    cost = (counted + estimated).per_text(4)

    assert cost == TextCost((10 + 18) / 4, (30 + 1) / 4, estimated=True)
    assert counted.per_text(4).estimated is False


def test_no_text_has_no_cost() -> None:
    """It is undefined, and not 0 or infinite."""
    with pytest.raises(ValueError, match="1 requests gave 0 texts: no text has a cost"):
        TokenUse.of(REQUEST, Completion("")).per_text(0)


def test_money_is_tokens_by_price() -> None:
    """A thousand texts of 10 and 5 tokens at 2 and 4 USD a million: 0.02 + 0.02."""
    assert TextCost(10, 5, False).usd(Price(2, 4, "a test"), 1000) == pytest.approx(0.04)


def test_equal_cost_is_a_ratio_of_what_texts_cost() -> None:
    """A text of 80 and 20 tokens weighs 80 + 4 x 20 = 160, one of 28 and 3 weighs 40."""
    written, labelled = TextCost(80, 20, True), TextCost(28, 3, True)

    assert texts_at_equal_cost(400, written, labelled) == 1600
    # at 1 and 2 USD a million: 120 against 34
    price = Price(1, 2, "a test")
    assert texts_at_equal_cost(400, written, labelled, price) == pytest.approx(400 * 120 / 34)


def test_texts_that_cost_nothing_have_no_equal() -> None:
    """At a price of nothing any number costs as much."""
    with pytest.raises(ValueError, match="costs nothing"):
        texts_at_equal_cost(400, TextCost(8, 2, False), TextCost(3, 1, False), Price(0, 0, "free"))


def test_a_corpus_of_recorded_answers_has_an_estimated_use() -> None:
    """16 requests of 200 texts a label; answers are a fourth of their bytes."""
    record = compose(load_task("humor"), Order("zero_shot"), Recording()).record

    assert (record.requests, record.estimated_requests) == (16, 16)
    assert (record.prompt_tokens, record.answer_tokens) == (0, 0)
    assert CorpusRecord.from_dict(record.as_dict()).use == record.use
    # a joke or a headline has about a dozen words of six bytes: some 18 tokens
    assert 12 < record.use.per_text(400).answer < 26


def test_the_examples_of_recorded_prompts_count_where_there_are_texts_to_draw_from(
    data_dir: object,
) -> None:
    """Five headlines a request more than the same prompts without them."""
    humor = load_task("humor")
    train = load_real(humor, f"{data_dir}/real").train

    without = compose(humor, Order("few_shot"), Recording()).record.use
    drawn = compose(humor, Order("few_shot"), Recording(), train=train).record.use

    assert drawn.answer == without.answer
    assert drawn.prompt > without.prompt + 16 * 5 * 10
