"""How near the measures of texts come to the speed of what they are made of.

    python benchmarks/measures.py [PART ...] [--n 10000 30000] [--repeats 5] [--busy] [--device cpu]

Parts, all by default, each against limits measured in the same run:

- `reading`: Remote Clique of 100,000 texts against one pass over their vectors, a sum in float32;
- `products`: Chamfer and top-5 cosine of `--n` texts against the matrix products they are made of,
  of their own blocks and of one square of 4096 rows. `ratio` is the rate against the fastest bare
  product seen at that n. Chamfer computes half of its matrix; only what it computes counts;
- `wording`: Self-BLEU of 500 texts against NLTK's `sentence_bleu` of each against all others, and
  the measures of words at 10,000 texts against splitting these into tokens once;
- `places`: the measures of embeddings at 10,000 texts a side against their bare matrix product, and
  the groups of failures of 10,000 texts.

Vectors have 384 dimensions, float32; normalising and copying them counts against the measures.
Texts are of 10 to 30 words by Zipf's law. Limits and measures take turns, and each is given its
best repeat, so that other work on the machine disturbs little. Peak memory is the process's own, so
sizes run from small to large.

On a machine that does other work two threads wait for each other, and wall time says little: with
`--busy` one thread is given the processor time that it took.
"""

import argparse
import platform
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from evaluation.embedding_space.cosine_blocks import cosine_blocks, resolve_device, unit_vectors
from evaluation.embedding_space.coverage import coverage
from evaluation.embedding_space.diversity import chamfer, remote_clique
from evaluation.embedding_space.frontier import divergence_frontier
from evaluation.embedding_space.least_covered import least_covered
from evaluation.embedding_space.similarity import top_k_cosine
from evaluation.embedding_space.vendi import vendi_score
from evaluation.mistakes.failures import Failures, group_failures
from evaluation.texts.distinct_n import distinct_n
from evaluation.texts.lengths import length_distance
from evaluation.texts.self_bleu import self_bleu, self_bleu_scores
from evaluation.texts.vocabulary import vocabulary_distance, word_use
from evaluation.texts.words import tokens

if TYPE_CHECKING:
    from torch import Tensor

DIMENSIONS = 384
SQUARE = 4096
Vectors = NDArray[np.float32]
Work = Callable[[], object]


@dataclass(frozen=True)
class Setting:
    """What a part is run with.

    Attributes:
        sizes: Texts a side of the products.
        repeats: How often everything is run.
        clock: Gives seconds.
        device: Where products are computed.
    """

    sizes: tuple[int, ...]
    repeats: int
    clock: Callable[[], float]
    device: str

    def best(self, work: dict[str, Work]) -> dict[str, float]:
        """Return the least seconds of each; all take turns."""
        seconds = dict.fromkeys(work, float("inf"))
        for _ in range(self.repeats):
            for name, run in work.items():
                start = self.clock()
                run()
                seconds[name] = min(seconds[name], self.clock() - start)
        return seconds


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the options above."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument(
        "--n", type=int, nargs="+", default=[10_000, 30_000], help="products' texts"
    )
    parser.add_argument("--repeats", type=int, default=5, help="the best of so many counts")
    parser.add_argument("--busy", action="store_true", help="one thread, processor time")
    parser.add_argument("--device", default=None, help="default: a GPU where there is one")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    import torch
    from threadpoolctl import threadpool_limits

    parser = make_parser()
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.parts) - set(PARTS))
    if unknown:
        parser.error(f"no part {unknown[0]!r}: give some of {', '.join(PARTS)}")
    if options.busy:
        torch.set_num_threads(1)
    setting = Setting(
        sizes=tuple(sorted(options.n)),
        repeats=options.repeats,
        clock=time.process_time if options.busy else time.perf_counter,
        device=resolve_device(options.device),
    )
    sys.stdout.write(
        f"torch {torch.__version__}, {setting.device}, {torch.get_num_threads()} threads, "
        f"{'processor' if options.busy else 'wall'} time, best of {options.repeats}, "
        f"Python {platform.python_version()}; {_peak_mib():.0f} MiB before the first vector\n\n"
        "| n | what | seconds | against | ratio | peak MiB |\n"
        "|---:|---|---:|---|---:|---:|\n"
    )
    with threadpool_limits(1 if options.busy else None):
        for part in options.parts or PARTS:
            for row in PARTS[part](setting):
                sys.stdout.write(f"{row} | {_peak_mib():.0f} |\n")
                sys.stdout.flush()


def _reading(setting: Setting) -> Iterator[str]:
    vectors = _vectors(np.random.default_rng(0), 100_000)
    best = setting.best(
        {
            "one pass": lambda: vectors.sum(dtype=np.float32),
            "Remote Clique": lambda: remote_clique(vectors),
        }
    )
    yield from _rows(len(vectors), best, "one pass")


def _products(setting: Setting) -> Iterator[str]:
    for n in setting.sizes:
        yield from _products_of(n, setting)


def _products_of(n: int, setting: Setting) -> Iterator[str]:
    import torch

    rng = np.random.default_rng(0)
    real, synthetic = _vectors(rng, n), _vectors(rng, n)
    ours, theirs = _units(setting, real, synthetic)
    square = torch.empty((min(n, SQUARE), min(n, SQUARE)), device=setting.device)
    half = sum(block.cosines.numel() for block in cosine_blocks(ours, ours, upper=True))
    computed: dict[str, tuple[int, Work]] = {
        "products of Chamfer's blocks": (half, lambda: _exhaust(ours, ours, upper=True)),
        "Chamfer": (half, lambda: chamfer(real, device=setting.device)),
        "products of top-5's blocks": (n * n, lambda: _exhaust(ours, theirs, upper=False)),
        "top-5 cosine": (n * n, lambda: top_k_cosine(real, synthetic, device=setting.device)),
        "one square product": (square.numel(), lambda: _square(ours, theirs, square)),
    }
    seconds = setting.best({name: run for name, (_, run) in computed.items()})
    rates = {
        name: 2e-9 * DIMENSIONS * numbers / seconds[name] for name, (numbers, _) in computed.items()
    }
    fastest = max(rate for name, rate in rates.items() if "product" in name)
    for name, rate in rates.items():
        against = f"{rate:.0f} of {fastest:.0f} GFLOP/s"
        yield f"| {n:,} | {name} | {seconds[name]:.3f} | {against} | {rate / fastest:.0%}"


def _wording(setting: Setting) -> Iterator[str]:
    from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

    few = _texts(500)
    split = [tokens(text) for text in few]
    smoothing = SmoothingFunction().method1

    def nltk_scores() -> list[float]:
        return [
            sentence_bleu(split[:i] + split[i + 1 :], each, smoothing_function=smoothing)
            for i, each in enumerate(split)
        ]

    # NLTK is given its tokens, Self-BLEU its texts; once is enough where it takes seconds.
    once = Setting(setting.sizes, 1, setting.clock, setting.device)
    limit = once.best({"NLTK": nltk_scores})
    ours = setting.best({"Self-BLEU": lambda: self_bleu_scores(few)})
    yield from _rows(len(few), limit | ours, "NLTK")
    many = _texts(20_000)
    real, synthetic = many[:10_000], many[10_000:]
    best = setting.best(
        {
            "tokens": lambda: [tokens(text) for text in real],
            "Self-BLEU": lambda: self_bleu(real),
            "Self-BLEU of 500 drawn": lambda: self_bleu(real, sample=500),
            "distinct-n, n = 1 to 3": lambda: [distinct_n(real, n, at=10_000) for n in (1, 2, 3)],
            "vocabulary distance": lambda: vocabulary_distance(real, synthetic),
            "use of words": lambda: word_use(real, synthetic),
            "length distance": lambda: length_distance(real, synthetic),
        }
    )
    yield from _rows(len(real), best, "tokens")


def _places(setting: Setting) -> Iterator[str]:
    n = 10_000
    rng = np.random.default_rng(0)
    real, synthetic = _subjects(rng, n), _subjects(rng, n)
    ours, theirs = _units(setting, real, synthetic)
    texts = _texts(n)
    failures = Failures(n, np.arange(n), np.flatnonzero(rng.random(n) < 0.1), np.arange(0))
    best = setting.best(
        {
            "product": lambda: _exhaust(ours, theirs, upper=False),
            "Vendi score": lambda: vendi_score(real),
            "coverage": lambda: coverage(real, synthetic, device=setting.device),
            "least covered": lambda: least_covered(real, synthetic, device=setting.device),
            "divergence frontier": lambda: divergence_frontier(real, synthetic),
            "groups of failures": lambda: group_failures(texts, real, failures),
        }
    )
    yield from _rows(n, best, "product")


PARTS: dict[str, Callable[[Setting], Iterator[str]]] = {
    "reading": _reading,
    "products": _products,
    "wording": _wording,
    "places": _places,
}


def _rows(n: int, seconds: dict[str, float], limit: str) -> Iterator[str]:
    for name, took in seconds.items():
        ratio = took / seconds[limit]
        shown = f"{ratio:.2f}" if ratio > 0.1 else f"1 / {1 / ratio:.0f}"
        yield f"| {n:,} | {name} | {took:.4f} | {limit} | {shown}"


def _vectors(rng: np.random.Generator, n: int) -> Vectors:
    return rng.standard_normal((n, DIMENSIONS), dtype=np.float32)


def _units(setting: Setting, *sets: Vectors) -> "list[Tensor]":
    import torch

    return [torch.from_numpy(unit_vectors(each)).to(setting.device) for each in sets]


def _subjects(rng: np.random.Generator, n: int) -> Vectors:
    """Return vectors around 200 middles in 60 directions, so that there is something to group."""
    middles = np.random.default_rng(1).standard_normal((200, 60), dtype=np.float32)
    directions = np.random.default_rng(2).standard_normal((60, DIMENSIONS), dtype=np.float32)
    own = middles[rng.integers(200, size=n)] + rng.standard_normal((n, 60), dtype=np.float32)
    return (own @ directions + 3 * _vectors(rng, n)).astype(np.float32)


def _texts(n: int) -> list[str]:
    draw = random.Random(n)
    known = [f"w{i}" for i in range(5000)]
    weights = [1 / (i + 1) for i in range(5000)]
    return [" ".join(draw.choices(known, weights, k=draw.randint(10, 30))) for _ in range(n)]


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
