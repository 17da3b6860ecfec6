"""One core a piece of work: no thread waits for another inside a matrix product."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def single_threaded() -> Iterator[int]:
    """Let PyTorch compute on one core, in this thread and those it starts; give how many it had.

    A product of a small step is too small to share, and where other work runs on the machine the
    cores that are done wait for the one that is not. Sums are also the same on any number of cores.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield threads
    finally:
        torch.set_num_threads(threads)
