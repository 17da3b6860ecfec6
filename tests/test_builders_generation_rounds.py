"""How many requests fill a quota, and in which conversations."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from builders.generation.asking import Stretch
from builders.generation.rounds import FUTILE, Rounds
from builders.llms.base import Quota


def turns_of(stretches: list[Stretch]) -> list[tuple[str, int, int]]:
    """Return label, conversation and turn of every request."""
    return [(s.label, s.conversation, t) for s in stretches for t in range(s.first, s.last + 1)]


def test_the_first_round_covers_the_quota_exactly() -> None:
    """23 texts at 5 a request are 5 requests of each label: conversations of 3 and of 2 turns."""
    rounds = Rounds(["a"], Quota(per_label=23, texts_per_request=5, turns=3, conversations=2))

    assert rounds.first() == [Stretch("a", 0, 1, 3), Stretch("a", 1, 1, 2)]


def test_labels_take_turns() -> None:
    """A build that is stopped early has texts of every label."""
    rounds = Rounds(["a", "b"], Quota(12, 2, 3, 2))

    assert [(s.label, s.conversation) for s in rounds.first()] == [
        ("a", 0),
        ("b", 0),
        ("a", 1),
        ("b", 1),
    ]


def test_an_unfinished_conversation_is_filled_before_a_new_one() -> None:
    """After 2 of 3 turns with 5 of 10 texts 2 requests lack: turn 3, then conversation 1."""
    rounds = Rounds(["a"], Quota(10, 5, 3, 1))
    rounds.first()

    # 5 of 10 passed: 2.5 a request, 2 as rounded, so 5 texts need 3 requests.
    assert rounds.following({"a": 5}) == [Stretch("a", 0, 3, 3), Stretch("a", 1, 1, 2)]


def test_what_lacks_is_asked_for_by_the_rate_of_acceptance() -> None:
    """80 of 100 passed, 8 of 10 a request: 20 more take 3 requests. A full label takes none."""
    rounds = Rounds(["a", "b"], Quota(100, 10, 5, 2))
    rounds.first()

    assert rounds.following({"a": 80, "b": 100}) == [Stretch("a", 2, 1, 3)]


def test_a_low_rate_asks_for_no_more_than_ten_times_the_texts() -> None:
    """1 of 100 passed: 1 of 10 is reckoned with, so 99 texts take 99 requests."""
    rounds = Rounds(["a"], Quota(100, 10, 5, 2))
    rounds.first()

    assert len(turns_of(rounds.following({"a": 1}))) == 99


def test_a_label_that_brings_nothing_costs_little() -> None:
    """None of 1,000 passed: 25 texts are tried, 3 requests, nine times; not 1,000 requests."""
    rounds = Rounds(["a"], Quota(1000, 10, 5, 2))
    rounds.first()

    tried = [len(turns_of(rounds.following({"a": 0}))) for _ in range(FUTILE)]

    assert tried == [3] * 9 + [0]


def test_the_last_text_is_tried_for_more_and_more() -> None:
    """1 of 10 lacks, a text a request: 2 requests after a round for nothing, then 3, 4 ..."""
    rounds = Rounds(["a"], Quota(10, 1, 5, 2))
    rounds.first()
    assert len(turns_of(rounds.following({"a": 9}))) == 1

    tried = [len(turns_of(rounds.following({"a": 9}))) for _ in range(FUTILE)]

    assert tried == [2, 3, 4, 5, 6, 7, 8, 9, 10, 0]


def test_a_broken_conversation_is_left() -> None:
    """Turn 3 of conversation 0 is not asked for after turn 2 failed."""
    rounds = Rounds(["a"], Quota(10, 5, 3, 1))
    rounds.first()

    assert rounds.following({"a": 5}, {("a", 0)}) == [Stretch("a", 1, 1, 3)]


def test_a_broken_conversation_of_another_label_is_none_of_ours() -> None:
    """Conversation 0 of b failed; that of a goes on."""
    rounds = Rounds(["a", "b"], Quota(10, 5, 3, 1))
    rounds.first()

    assert rounds.following({"a": 5, "b": 10}, {("b", 0)})[0] == Stretch("a", 0, 3, 3)


def test_a_label_without_new_texts_is_given_up() -> None:
    """Ten rounds in a row without one; the other label is full."""
    rounds = Rounds(["a", "b"], Quota(10, 5, 3, 1))
    rounds.first()

    asked = [bool(rounds.following({"a": 0, "b": 10})) for _ in range(FUTILE)]

    assert FUTILE == 10
    assert asked == [True] * 9 + [False]
    assert rounds.given_up == ("a",)


def test_a_full_label_is_never_called_given_up() -> None:
    """It gets no new texts since none are asked for, however long another label takes."""
    rounds = Rounds(["slow", "full"], Quota(40, 5, 3, 3))
    rounds.first()

    for accepted in range(1, 2 * FUTILE):
        rounds.following({"slow": accepted, "full": 40})

    assert rounds.given_up == ()


def test_one_new_text_starts_the_count_again() -> None:
    """Nine rounds for nothing, one text, nine more: still asked for."""
    rounds = Rounds(["a"], Quota(10, 5, 3, 1))
    rounds.first()
    for accepted in [0] * (FUTILE - 1) + [1] * FUTILE:
        asked = rounds.following({"a": accepted})

    assert asked
    assert rounds.given_up == ()


QUOTAS = st.builds(Quota, st.integers(1, 60), st.integers(1, 25), st.integers(1, 8), st.just(1))


@settings(derandomize=True, max_examples=80, deadline=None)
@given(quota=QUOTAS, random=st.randoms(use_true_random=False), rate=st.floats(0, 1))
def test_whatever_passes_every_label_ends_full_or_given_up(
    quota: Quota, random: object, rate: float
) -> None:
    """Within bounded rounds, no request twice, broken conversations left, and all of it repeats."""
    draw = random.random  # type: ignore[attr-defined]  # hypothesis types it loosely
    labels = ["a", "b", "c"]
    rounds, again = Rounds(labels, quota), Rounds(labels, quota)
    accepted: Counter[str] = Counter()
    broken: set[tuple[str, int]] = set()
    asked: set[tuple[str, int, int]] = set()
    round_ = rounds.first()
    assert again.first() == round_
    # A label that is asked for gets a text in one round of ten at least, or is given up.
    for _ in range(FUTILE * (quota.per_label + 1) + 1):
        new = turns_of(round_)
        assert len(new) == len(set(new))
        assert not asked.intersection(new)
        assert all(1 <= turn <= quota.turns for _, _, turn in new)
        assert not broken.intersection((label, n) for label, n, _ in new)
        asked.update(new)
        for label, conversation, _ in new:
            if draw() < 0.1:
                broken.add((label, conversation))
            else:
                accepted[label] += sum(draw() < rate for _ in range(quota.texts_per_request))
        round_ = rounds.following(accepted, broken)
        assert again.following(accepted, broken) == round_
        if not round_:
            break
    assert not round_
    full = {label for label in labels if accepted[label] >= quota.per_label}
    assert full.isdisjoint(rounds.given_up)
    assert full.union(rounds.given_up) == set(labels)
