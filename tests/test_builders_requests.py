"""The stable names of requests: written, taken apart, put in order."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builders.errors import UserError
from builders.requests import Request, RequestId

NAMES = st.text(st.characters(exclude_characters="/"), min_size=1, max_size=12)
LABELS = st.text(min_size=1, max_size=20) | st.sampled_from(
    ["sci/tech", "competition class", "/c0/t1", "a/c0/t1", "c1/t2/", " / ", "x\ny", "/"]
)
COUNTS = st.integers(0, 10**6)


@given(NAMES, NAMES, LABELS, COUNTS, COUNTS)
@example("ag_news", "zero_shot", "sci/tech", 0, 1)
@example("notes", "few_shot", "odd/c0/t1", 3, 4)
@example("notes", "few_shot", "/c0/t1/c0/t1", 12, 34)
def test_a_name_is_taken_apart_into_what_it_was_made_of(
    task: str, strategy: str, label: str, conversation: int, turn: int
) -> None:
    """Whatever the label holds, even the form of a name's end, the parts come back."""
    name = RequestId(task, strategy, label, conversation, turn)
    assert RequestId.parse(str(name)) == name


def test_a_name_reads_as_documented() -> None:
    """TASK/STRATEGY/LABEL/cCONVERSATION/tTURN."""
    assert str(RequestId("ag_news", "zero_shot", "sci/tech", 0, 8)) == (
        "ag_news/zero_shot/sci/tech/c0/t8"
    )


@pytest.mark.parametrize(
    "custom_id",
    [
        *("", "ag_news", "ag_news/zero_shot/world", "ag_news/zero_shot/world/c0", "a/b/c0/t1"),
        *("ag_news/zero_shot/world/t1/c0", "ag_news/zero_shot/world/cx/t1", "/a/b/c/c0/t1"),
        *("ag_news/zero_shot/world/c0/t1/", "ag_news/zero_shot/world/c0/t1 "),
    ],
)
def test_another_form_is_refused_with_an_example(custom_id: str) -> None:
    """A name of another origin is a user's mistake; the message shows it and a right one."""
    with pytest.raises(UserError, match="ag_news/zero_shot/world/c0/t1") as refused:
        RequestId.parse(custom_id)
    assert repr(custom_id) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_names_are_in_order_of_conversation_and_turn_as_numbers() -> None:
    """Turn 10 comes after turn 9, conversation 10 after 9, whatever their spelling says."""
    names = [RequestId("t", "s", "a", c, turn) for c in (0, 9, 10) for turn in (1, 9, 10)]
    names.append(RequestId("t", "s", "b", 0, 1))
    shuffled = names[1::2] + names[::2]
    assert sorted(shuffled) == names


def test_a_request_goes_by_its_name_and_its_conversation() -> None:
    """The Batch API's `custom_id` is the name; the seed is the conversation's index."""
    request = Request(RequestId("t", "s", "a/b", 7, 2), ({"role": "user", "content": "Hi"},), 5)
    assert request.custom_id == "t/s/a/b/c7/t2"
    assert request.replicate == 7
