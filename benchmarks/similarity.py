"""How near Chamfer and top-5 cosine come to the speed of the matrix product they are made of.

    python benchmarks/similarity.py [--n 10000 30000] [--repeats 5] [--busy] [--device cpu]

Random vectors of 384 dimensions, float32. In each repeat, one after the other: the bare matrix
products of Chamfer's blocks, Chamfer, the bare products of top-5's blocks, top-5, and one square
product of 4096 rows. Each is given its best repeat, so that other work on the machine disturbs
little. `of product` is the rate against the fastest bare product seen at that n. Normalising and
copying the vectors counts against the measures. Chamfer computes half of its matrix; its rate
counts only what it computes. Peak memory is the process's own, so sizes run from small to large.

On a machine that does other work two threads wait for each other, and wall time says little: with
`--busy` one thread is given the processor time that it took.
"""

import argparse
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evaluation.cosine_blocks import Block, cosine_blocks, resolve_device, unit_vectors
from evaluation.diversity import chamfer, remote_clique
from evaluation.similarity import top_k_cosine

if TYPE_CHECKING:
    from torch import Tensor

DIMENSIONS = 384
SQUARE = 4096


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the options above."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, nargs="+", default=[10_000, 30_000], help="texts a side")
    parser.add_argument("--repeats", type=int, default=5, help="the best of so many counts")
    parser.add_argument("--busy", action="store_true", help="one thread, processor time")
    parser.add_argument("--device", default=None, help="default: a GPU where there is one")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    import torch

    options = make_parser().parse_args(arguments)
    if options.busy:
        torch.set_num_threads(1)
    clock = time.process_time if options.busy else time.perf_counter
    device = resolve_device(options.device)
    sys.stdout.write(
        f"torch {torch.__version__}, {device}, {torch.get_num_threads()} threads, "
        f"{'processor' if options.busy else 'wall'} time, best of {options.repeats}, "
        f"Python {platform.python_version()}; {_peak_mib():.0f} MiB before the first vector\n\n"
        "| n | what | seconds | GFLOP/s | of product | peak MiB |\n"
        "|---|---|---|---|---|---|\n"
    )
    for n in sorted(options.n):
        for row in _rows(n, options.repeats, clock, device):
            sys.stdout.write(row + "\n")
            sys.stdout.flush()


def _rows(n: int, repeats: int, clock: Callable[[], float], device: str) -> Iterator[str]:
    import torch

    rng = np.random.default_rng(0)
    real, synthetic = _vectors(rng, n), _vectors(rng, n)
    ours = torch.from_numpy(unit_vectors(real)).to(device)
    theirs = torch.from_numpy(unit_vectors(synthetic)).to(device)
    square = torch.empty((min(n, SQUARE), min(n, SQUARE)), device=device)
    computed = sum(_size(block) for block in cosine_blocks(ours, ours, upper=True))
    work: dict[str, tuple[int, Callable[[], object]]] = {
        "products of Chamfer's blocks": (computed, lambda: _exhaust(ours, ours, upper=True)),
        "Chamfer": (computed, lambda: chamfer(real, device=device)),
        "products of top-5's blocks": (n * n, lambda: _exhaust(ours, theirs, upper=False)),
        "top-5 cosine": (n * n, lambda: top_k_cosine(real, synthetic, device=device)),
        "one square product": (square.numel(), lambda: _square(ours, theirs, square)),
        "Remote Clique": (0, lambda: remote_clique(real)),
    }
    seconds = dict.fromkeys(work, float("inf"))
    for _ in range(repeats):
        for name, (_, run) in work.items():
            start = clock()
            run()
            seconds[name] = min(seconds[name], clock() - start)
    rates = {name: 2e-9 * DIMENSIONS * work[name][0] / seconds[name] for name in work}
    fastest = max(rate for name, rate in rates.items() if "product" in name)
    for name, rate in rates.items():
        shown = f"{rate:.0f} | {rate / fastest:.0%}" if rate else "- | -"
        yield f"| {n:,} | {name} | {seconds[name]:.3f} | {shown} | {_peak_mib():.0f} |"


def _vectors(rng: np.random.Generator, n: int) -> NDArray[np.float32]:
    return rng.standard_normal((n, DIMENSIONS), dtype=np.float32)


def _size(block: Block) -> int:
    return block.cosines.numel()


def _exhaust(rows: "Tensor", columns: "Tensor", *, upper: bool) -> float:
    last = 0.0
    for block in cosine_blocks(rows, columns, upper=upper):
        last = float(block.cosines[0, 0])  # waits for a GPU; one number costs nothing
    return last


def _square(rows: "Tensor", columns: "Tensor", out: "Tensor") -> float:
    import torch

    torch.mm(rows[: len(out)], columns[: len(out)].T, out=out)
    return float(out[0, 0])


def _peak_mib() -> float:
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


if __name__ == "__main__":
    main()
