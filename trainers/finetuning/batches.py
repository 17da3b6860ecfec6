"""Which texts a step takes, which process takes which of them, and in how many passes.

What a step takes depends on the seed, the epoch and the batch size alone. How many processes share
it, and in how many passes each takes its share, changes only the order in which the same sums are
added up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from trainers.finetuning.settings import Order

PASS_COST = {"cpu": 400}
"""What a further pass through the model has to save, in tokens. On a CPU: every gradient is written
in full, that of the embedding table too; with MiniLM a pass costs 70 tokens beside its own, and 240
where other work takes most of the memory's bandwidth. At 200 short texts were slower there."""

_PASS_COST_ELSEWHERE = 10_000  # a GPU is waited for by the time that it takes to start its kernels


class Batches:
    """Yields, batch by batch, the indices that this process takes, the longest text first.

    An epoch is cut into batches of nearly equal size, none larger than `batch_size`, unless fewer
    texts than processes would be left for one. The texts of a batch are dealt out by length, so
    that every process has about as many tokens to pass.

    Args:
        lengths: Tokens of each text (n,).
        batch_size: Texts a step, over all processes.
        seed: Draws the order, a new one each epoch.
        order: As in `FinetuneSettings`.
        process: Which process this is, from 0.
        processes: How many there are; at most as many as texts.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        batch_size: int,
        seed: int,
        order: Order = "random",
        process: int = 0,
        processes: int = 1,
    ) -> None:
        self.lengths = list(lengths)
        self.batch_size = batch_size
        self.seed = seed
        self.order = order
        self.process = process
        self.processes = processes
        self.epoch = 0

    def __len__(self) -> int:
        n = len(self.lengths)
        return max(1, min(-(-n // self.batch_size), n // self.processes))

    def __iter__(self) -> Iterator[list[int]]:
        for batch in np.array_split(self._ordered(), len(self)):
            longest_first = sorted(batch.tolist(), key=lambda i: -self.lengths[i])
            yield longest_first[self.process :: self.processes]

    def set_epoch(self, epoch: int) -> None:
        """Take the order of another epoch."""
        self.epoch = epoch

    def _ordered(self) -> NDArray[np.int64]:
        n, draw = len(self.lengths), np.random.default_rng((self.seed, self.epoch))
        if self.order == "sequential":
            return np.arange(n)
        if self.order == "random":
            return draw.permutation(n)
        import torch
        from transformers.trainer_pt_utils import get_length_grouped_indices

        seeded = torch.Generator().manual_seed(int(draw.integers(2**62)))
        return np.asarray(get_length_grouped_indices(self.lengths, self.batch_size, None, seeded))


def equal_passes(own: int, total: int, processes: int, most: int) -> list[slice]:
    """Cut a process's share of a batch into as many passes as every process makes.

    Where the weights are spread over the processes, each pass is one that all of them take part in.

    Args:
        own: Texts of this process's share.
        total: Texts of the batch.
        processes: How many share it, as `Batches` does.
        most: Texts of a pass at most; one more where a share is that much longer than another.
    """
    longest_share = -(-total // processes)
    n = min(-(-longest_share // most), total // processes)
    ends = [own * i // n for i in range(n + 1)]
    return [slice(start, end) for start, end in pairwise(ends)]


def passes(lengths: Sequence[int], most: int, device: str) -> list[slice]:
    """Cut a batch into the passes through the model that cost least.

    A pass is padded to its longest text, and costs as many tokens as it has with its padding, and
    the cost of a pass.

    Args:
        lengths: Tokens of each text, the longest first (n,).
        most: Texts of a pass at most.
        device: Kind of the device, such as `cpu`.
    """
    n, cost = len(lengths), PASS_COST.get(device, _PASS_COST_ELSEWHERE)
    tokens = np.asarray(lengths, dtype=np.int64)
    best = np.zeros(n + 1)
    first = np.zeros(n + 1, dtype=np.int64)
    for end in range(1, n + 1):
        starts = np.arange(max(0, end - most), end)
        costs = best[starts] + (end - starts) * tokens[starts] + cost
        first[end] = starts[costs.argmin()]
        best[end] = costs.min()
    cuts = [n]
    while cuts[-1]:
        cuts.append(int(first[cuts[-1]]))
    cuts.reverse()
    return [slice(start, end) for start, end in pairwise(cuts)]
