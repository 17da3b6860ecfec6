"""Batches: what a step takes depends on the seed and the epoch, not on who shares it, and how."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.finetuning.batches import PASS_COST, Batches, equal_passes, passes

LENGTHS = [5, 9, 3, 7, 7, 2, 30, 4, 6, 8, 12]


def shared(processes: int, order: str = "random", epoch: int = 0) -> list[list[list[int]]]:
    """Return, for each step, what each process takes."""
    each = []
    for process in range(processes):
        batches = Batches(LENGTHS, 4, 1, order, process, processes)  # type: ignore[arg-type]
        batches.set_epoch(epoch)
        each.append(list(batches))
    return [list(step) for step in zip(*each, strict=True)]


@pytest.mark.parametrize("order", ["random", "group_by_length", "sequential"])
def test_an_epoch_takes_every_text_once(order: str) -> None:
    """11 texts in batches of at most 4 are three steps of 4, 4 and 3."""
    steps = [sorted(step[0]) for step in shared(1, order)]

    assert [len(step) for step in steps] == [4, 4, 3]
    assert sorted(i for step in steps for i in step) == list(range(11))


@pytest.mark.parametrize("processes", [2, 3])
def test_processes_share_the_batches_of_one(processes: int) -> None:
    """Each step takes the same texts; no process has more than one text more than another."""
    for alone, together in zip(shared(1), shared(processes), strict=True):
        assert sorted(alone[0]) == sorted(i for own in together for i in own)
        assert max(map(len, together)) - min(map(len, together)) <= 1


def test_the_order_is_of_seed_and_epoch() -> None:
    """The same again, and another order in the next epoch."""
    assert shared(1) == shared(1)
    assert shared(1) != shared(1, epoch=1)
    assert shared(1, "sequential") == shared(1, "sequential", epoch=1)


def test_the_longest_text_comes_first() -> None:
    """So that each part of a batch is as long as its first text."""
    for step in shared(2):
        for own in step:
            lengths = [LENGTHS[i] for i in own]
            assert lengths == sorted(lengths, reverse=True)


def test_grouping_by_length_leaves_less_padding() -> None:
    """Over 64 texts of lengths 1 to 64, batches of 8 are padded to fewer tokens than at random."""
    lengths = [1 + (37 * i) % 64 for i in range(64)]

    def padded(order: str) -> int:
        batches = Batches(lengths, 8, 0, order)  # type: ignore[arg-type]
        return sum(len(batch) * lengths[batch[0]] for batch in batches)

    assert padded("group_by_length") < 0.8 * padded("random")


def test_every_process_has_a_text_in_every_step() -> None:
    """5 texts on 4 processes with a batch size of 4 are one step, not one of 4 and one of 1."""
    steps = [list(Batches([1] * 5, 4, 0, "random", process, 4)) for process in range(4)]

    assert [[len(own) for own in step] for step in zip(*steps, strict=True)] == [[2, 1, 1, 1]]


# Passes


def test_a_batch_is_cut_where_that_saves_more_than_a_pass_costs() -> None:
    """Lengths 300, 300, 20, 20: one pass is 1200 tokens, two are 640 and 400 for the other pass."""
    assert passes([300, 300, 20, 20], 64, "cpu") == [slice(0, 2), slice(2, 4)]


def test_a_batch_of_similar_texts_is_one_pass() -> None:
    """Lengths 30, 25, 20: cutting saves at most 15 tokens, and a pass costs 400."""
    assert passes([30, 25, 20], 64, "cpu") == [slice(0, 3)]


def test_a_pass_takes_no_more_texts_than_it_may() -> None:
    """Where a GPU passes all at once, memory may not allow it: 5 texts, at most 2 a pass."""
    cuts = passes([9, 9, 9, 9, 9], 2, "cuda")

    assert len(cuts) == 3
    assert all(cut.stop - cut.start <= 2 for cut in cuts)


@given(st.lists(st.integers(1, 512), min_size=1, max_size=40), st.integers(1, 40))
def test_passes_cover_a_batch_at_no_more_cost_than_any_even_cut(
    lengths: list[int], most: int
) -> None:
    """In order and without a gap; and cutting into any number of equal parts costs no less."""
    lengths = sorted(lengths, reverse=True)
    n = len(lengths)

    def cost(cuts: list[slice]) -> int:
        tokens: int = sum((cut.stop - cut.start) * lengths[cut.start] for cut in cuts)
        return tokens + PASS_COST["cpu"] * len(cuts)

    chosen = passes(lengths, most, "cpu")

    assert [chosen[0].start, chosen[-1].stop] == [0, n]
    assert all(left.stop == right.start for left, right in pairwise(chosen))
    for size in range(1, min(most, n) + 1):
        assert cost(chosen) <= cost([slice(i, min(i + size, n)) for i in range(0, n, size)])


@given(
    n=st.integers(1, 300),
    batch_size=st.integers(1, 70),
    processes=st.integers(1, 8),
    most=st.integers(1, 20),
)
def test_all_processes_make_as_many_passes_where_they_share_the_weights(
    n: int, batch_size: int, processes: int, most: int
) -> None:
    """A pass that one of them does not take part in would be waited for without end."""
    n, batch_size = max(n, processes), max(batch_size, processes)
    shares = [
        list(Batches([1] * n, batch_size, 0, "random", own, processes)) for own in range(processes)
    ]

    for step in zip(*shares, strict=True):
        sizes = [len(own) for own in step]
        cut = [equal_passes(own, sum(sizes), processes, most) for own in sizes]
        assert len({len(parts) for parts in cut}) == 1
        for own, parts in zip(sizes, cut, strict=True):
            assert [i for part in parts for i in range(own)[part]] == list(range(own))
            assert all(0 < part.stop - part.start <= most + 1 for part in parts)
