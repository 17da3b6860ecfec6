"""When a request that got no answer is sent again."""

import pytest

from builders.generation.retries import Retries


@pytest.mark.parametrize(
    ("attempts", "longest"), [(1, 0.5), (2, 1.0), (3, 2.0), (6, 16.0), (7, 30.0), (1000, 30.0)]
)
def test_the_wait_doubles_up_to_half_a_minute(attempts: int, longest: float) -> None:
    """0.5 s, then twice as long each time; the jitter takes up to half of it off."""
    retries = Retries()
    waits = [retries.delay(attempts, None) for _ in range(500)]

    assert longest / 2 <= min(waits) < 0.55 * longest
    assert 0.95 * longest < max(waits) <= longest


def test_what_failed_together_does_not_come_back_together() -> None:
    """Sixty-four waits of one build all differ."""
    retries = Retries()

    assert len({retries.delay(3, None) for _ in range(64)}) == 64


@pytest.mark.parametrize("attempts", [1, 5, 50])
def test_the_servers_word_counts(attempts: int) -> None:
    """Asked for 7 s it is never less, however often it was sent, and 2 % more at most."""
    retries = Retries()
    waits = [retries.delay(attempts, 7.0) for _ in range(200)]

    assert 7.0 <= min(waits) <= max(waits) <= 7.14
    assert len(set(waits)) == 200


def test_no_server_makes_a_build_wait_for_hours() -> None:
    """A day is asked for, five minutes (and 2 %) are waited."""
    assert 300.0 <= Retries().delay(1, 86_400.0) <= 306.0


def test_nothing_asked_for_is_nothing_waited() -> None:
    """`Retry-After: 0` means now."""
    assert Retries().delay(4, 0.0) == 0.0


def test_the_same_seed_waits_the_same() -> None:
    """A build can be repeated; another seed waits otherwise."""
    one, same, other = ([Retries(seed).delay(k, None) for k in range(1, 9)] for seed in (5, 5, 6))

    assert one == same
    assert one != other
