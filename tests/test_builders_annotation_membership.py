"""What speaks for it that an LLM knows test texts: a difference, and words that go no further."""

from dataclasses import replace

import pytest

from builders.annotation import Agreement, membership
from builders.composition import Order, compose
from builders.llms.recording import Recording
from builders.tasks import load_task


def agreed(agreeing: int, texts: int) -> Agreement:
    """Return so many texts of which so many have the same label twice."""
    return Agreement(confusion={"a": {"a": agreeing, "b": texts - agreeing}, "b": {"a": 0, "b": 0}})


def test_the_interval_is_newcombes() -> None:
    """His table II (1998), method 10: 56/70 against 48/80 is 0.2, from 0.0524 to 0.3339."""
    found = membership(train=agreed(48, 80), test=agreed(56, 70))

    assert found.difference == pytest.approx(0.2)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


def test_the_interval_of_a_certain_difference_has_a_width() -> None:
    """The same table: 10/10 against 0/10 is 1, from 0.6075 on."""
    found = membership(train=agreed(0, 10), test=agreed(10, 10))

    assert round(found.low, 4) == 0.6075
    assert found.high == pytest.approx(1)


@pytest.mark.parametrize(
    ("train", "test", "words"),
    [
        ((337, 400), (185, 200), "more than chance does: it may know the test set, or its texts"),
        (
            (396, 400),
            (200, 200),
            "no more than chance may do; as both are public, it may know both",
        ),
        ((390, 400), (160, 200), "which is no sign that it knows the test set"),
    ],
)
def test_the_words_follow_from_the_interval(
    train: tuple[int, int], test: tuple[int, int], words: str
) -> None:
    """Above 0, around 0, below 0; nowhere that it knows, or does not know, the texts."""
    sentence = membership(agreed(*train), agreed(*test)).sentence()

    assert words in sentence
    assert sentence.endswith("Whether it writes copies of test texts was not checked.")


def test_the_figures_stand_in_the_sentence() -> None:
    """Shares, numbers of texts, difference and interval."""
    sentence = membership(agreed(48, 80), agreed(56, 70)).sentence()

    assert sentence.startswith(
        "Its labels agree with the true ones on 80.0 % of 70 test texts and on 60.0 % of 80 "
        "training texts, a difference of 20.0 points (95 % interval 5.2 to 33.4), "
    )


def test_written_copies_of_test_texts_are_counted_where_they_were_looked_for() -> None:
    """A corpus that was not compared says nothing; one of two that copies a test text says one."""
    humor = load_task("humor")
    plain = compose(humor, Order("zero_shot"), Recording())
    copied = [plain.kept[0].text]
    checked = compose(humor, Order("zero_shot"), Recording(), real_test_texts=copied).record

    both = membership(agreed(9, 10), agreed(9, 10), [plain.record, checked])
    none = membership(agreed(9, 10), agreed(9, 10), [plain.record])

    assert (both.copies, both.written) == (1, 400)
    assert both.sentence().endswith(
        "Texts that it wrote: 400; rejected as near copies of real test texts: 1."
    )
    assert (none.copies, none.written) == (None, 0)


def test_a_side_without_texts_cannot_be_compared() -> None:
    """It is refused, and not taken for an agreement of 0."""
    with pytest.raises(ValueError, match="0 training and 10 test texts cannot be compared"):
        membership(agreed(0, 0), agreed(9, 10))


def test_another_level_gives_another_interval() -> None:
    """At 50 % it is narrower than at 95 %."""
    wide, narrow = (
        membership(agreed(48, 80), agreed(56, 70), level=level) for level in (0.95, 0.5)
    )

    assert wide.low < narrow.low < narrow.high < wide.high
    assert replace(narrow, level=0.95, low=wide.low, high=wide.high) == wide
