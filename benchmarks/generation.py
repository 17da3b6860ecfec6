"""How fast a live LLM is asked, against a bare aiohttp loop that posts the same bodies.

    python benchmarks/generation.py [CASE ...] [--repeats N] [--peer COMMAND ...]

A server of its own, on the loopback and in a process of its own, answers; every client is a process
of its own too. A span is what the server sees, from the first request to the last answer. One text
a request, 64 requests at once. With `--peer` a command is measured beside, wherever a case has a
span; in it {url}, {n} and {concurrency} are filled in, and it has to ask for {n} answers.

Not a quiet machine? Ratios are of the same run, and with `--repeats` each figure is the median.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from generation_client import bodies
from measured_process import HERE, Measured, MockServer, measure, mock_server

CONCURRENCY = 64


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        name: The case, and what is measured.
        ours: The figure.
        unit: Its unit.
        limit: What it is compared with, None where it stands for itself.
        to_reach: The most that the ratio, or the figure without a limit, may be; None for a figure
            that only explains others.
    """

    name: str
    ours: float
    unit: str
    limit: float | None = None
    to_reach: float | None = None

    @property
    def reached(self) -> bool | None:
        """Whether it is good enough."""
        figure = self.ours / self.limit if self.limit else self.ours
        return None if self.to_reach is None else figure <= self.to_reach

    def markdown(self) -> str:
        """Return its line of the table."""
        limit = "" if self.limit is None else f"{self.limit:.4g} {self.unit}"
        ratio = f"{self.ours / self.limit:.3f}" if self.limit else ""
        bar = "" if self.to_reach is None else f"{self.to_reach:g}" + (" x" if self.limit else "")
        reached = {None: "", True: "yes", False: "**no**"}[self.reached]
        cells = (self.name, limit, f"{self.ours:.4g} {self.unit}", ratio, bar, reached)
        return f"| {' | '.join(cells)} |"


class Bench:
    """Runs the clients.

    Args:
        folder: Of ledgers and corpora.
        quick: Small sizes: the figures mean nothing, the counts are right.
        peer: Another program's command, empty for none.
    """

    def __init__(self, folder: Path, quick: bool, peer: Sequence[str]) -> None:
        self.folder, self.quick, self.peer = folder, quick, peer
        self._runs = 0

    def size(self, full: float, quick: float) -> float:
        """Return the size of the mode."""
        return quick if self.quick else full

    def bare(self, server: MockServer, n: int) -> Measured:
        """Run the bare loop."""
        file = self.folder / f"bodies-{n}.jsonl"
        if not file.exists():
            file.write_bytes(b"\n".join(bodies(n)) + b"\n")
        command = [sys.executable, str(HERE / "bare_client.py"), server.url, str(file)]
        return measure([*command, "--concurrency", str(CONCURRENCY)], server)

    def ours(self, server: MockServer, n: int, **options: float | bool) -> Measured:
        """Run a build in a folder of its own."""
        return measure(self.command(server, self.fresh(), n, **options), server)

    def peers(self, case: str, server: MockServer, n: int, limit: Measured | float) -> list[Row]:
        """Run the peer, if there is one."""
        if not self.peer:
            return []
        known = {"{url}": server.url, "{n}": str(n), "{concurrency}": str(CONCURRENCY)}
        run = measure([known.get(part, part) for part in self.peer], server)
        span, wall = (limit, None) if isinstance(limit, float) else (limit.span_s, limit.wall_s)
        return [
            Row(f"{case}: the peer's span", run.span_s, "s", span),
            Row(f"{case}: the peer's whole process", run.wall_s, "s", wall),
            Row(f"{case}: the peer's processor time", 1000 * run.cpu_s / n, "ms a request"),
            Row(f"{case}: requests that the peer left open", n - run.server["distinct"], ""),
        ]

    def fresh(self) -> Path:
        """Return a new folder."""
        self._runs += 1
        folder = self.folder / f"run-{self._runs}"
        folder.mkdir()
        return folder

    @staticmethod
    def command(server: MockServer, folder: Path, n: int, **options: float | bool) -> list[str]:
        """Return the command of a build."""
        command = [sys.executable, str(HERE / "generation_client.py"), server.url, str(folder)]
        command += ["--texts", str(n), "--concurrency", str(CONCURRENCY)]
        for name, value in options.items():
            if value is not False:
                flag = f"--{name.replace('_', '-')}"
                command += [flag] if value is True else [flag, str(value)]
        return command


def equal_latencies(bench: Bench) -> Iterator[Row]:
    """Measure the schedule and the start."""
    n, latency = int(bench.size(2000, 192)), bench.size(0.2, 0.05)
    with mock_server(latency=latency) as server:
        bare, ours = bench.bare(server, n), bench.ours(server, n)
        talks = bench.ours(server, n, turns=8)
        yield Row("A: span", ours.span_s, "s", bare.span_s, 1.03)
        yield Row("A: whole process", ours.wall_s, "s", bare.wall_s, 1.2)
        yield Row("A: span, conversations of 8 turns", talks.span_s, "s", bare.span_s)
        yield _lost("A", n, ours)
        yield _lost("A, conversations of 8 turns", n, talks)
        yield from bench.peers("A", server, n, bare)


def heavy_tail(bench: Bench) -> Iterator[Row]:
    """Measure the schedule where latencies differ."""
    n, latency = int(bench.size(2000, 192)), bench.size(0.2, 0.05)
    with mock_server(latency=latency, jitter=latency) as server:
        bare, ours = bench.bare(server, n), bench.ours(server, n)
        yield Row("B: span", ours.span_s, "s", bare.span_s, 1.03)
        yield _lost("B", n, ours)
        yield from bench.peers("B", server, n, bare)


def overhead(bench: Bench) -> Iterator[Row]:
    """Measure processor time and memory."""
    n, latency = int(bench.size(20_000, 400)), bench.size(0.02, 0.005)
    with mock_server(latency=latency) as server:
        bare = bench.bare(server, n)
        few = bench.ours(server, n // 4, apart=True)
        ours = bench.ours(server, n, apart=True, write=True)
        cpu = {step: 1000 * s / n for step, s in ours.result["cpu_s"].items()}
        ms = "ms a request"
        yield Row("C: CPU, asking and reading", cpu["asking"] + cpu["reading"], ms, None, 0.4)
        yield Row("C: of it asking", cpu["asking"], ms, 1000 * bare.result["cpu_s"] / n)
        yield Row("C: of it reading and parsing", cpu["reading"], ms)
        yield Row("C: apart from it, near duplicates", cpu["near duplicates"], ms)
        yield Row("C: memory while asking", ours.peaks["asking"], "MiB", None, 150)
        yield Row(
            "C: memory while asking, against a quarter of N",
            *(ours.peaks["asking"], "MiB", few.peaks["asking"] or None, 1.1),
        )
        for step in ("reading", "near duplicates", "composing", "writing"):
            yield Row(f"C: memory, {step}", ours.peaks[step], "MiB")
        yield Row("C: span", ours.span_s, "s", bare.span_s)
        yield _lost("C", n, ours)
        yield from bench.peers("C", server, n, bare)


def rate_limit(bench: Bench) -> Iterator[Row]:
    """Measure how near a server's rate is kept, and how often it has to say no."""
    n, latency = int(bench.size(1000, 160)), bench.size(0.2, 0.05)
    rate, burst = 100.0, 100.0
    bound = (n - burst) / rate + latency
    for no_ms in (False, True):
        with mock_server(latency=latency, rps=rate, burst=burst, no_ms=no_ms) as server:
            for known in (False, True):
                ours = bench.ours(server, n, **({"per_minute": 60 * rate} if known else {}))
                case = f"D, {'seconds only' if no_ms else 'milliseconds too'}, limit "
                case += "given" if known else "unknown"
                refused = 100 * ours.server["refused"] / ours.server["requests"]
                yield Row(f"{case}: span", ours.span_s, "s", bound, 1.05)
                yield Row(f"{case}: refused", refused, "%", None, 0.5 if known else 5.0)
                yield _lost(case, n, ours)
            yield from bench.peers(f"D{', seconds only' if no_ms else ''}", server, n, bound)


def faults(bench: Bench) -> Iterator[Row]:
    """Measure what refusals and failures at random cost."""
    n, latency = int(bench.size(2000, 192)), bench.size(0.2, 0.05)
    with mock_server(latency=latency, p429=0.1, p500=0.02) as server:
        bare, ours = bench.bare(server, n), bench.ours(server, n)
        yield Row("E: span", ours.span_s, "s", bare.span_s, 1.15)
        yield Row("E: requests sent", ours.server["requests"], "", bare.server["requests"])
        yield _lost("E", n, ours)
        yield from bench.peers("E", server, n, bare)


def killed(bench: Bench) -> Iterator[Row]:
    """Measure what SIGKILL costs, and compare the corpora."""
    # Five waves at least: when half are answered and one more is in flight, some are left. Where it
    # is no more than five, the second half waits for the kill, however late that comes.
    n, latency = int(bench.size(2000, 320)), 0.2
    with mock_server(latency=latency, hold=int(bench.size(0, n // 2))) as server:
        folder, whole = bench.fresh(), bench.fresh()
        command = bench.command(server, folder, n, write=True)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while server.stats()["ok"] < n // 2 and process.poll() is None:
            time.sleep(0.02)
        process.kill()
        if process.wait() == 0:
            raise SystemExit("the build had ended before it could be killed")
        server.release()
        while server.stats()["in_flight"]:  # it answers what was in flight, as it is paid for
            time.sleep(0.02)
        paid = server.stats()["ok"]
        again = measure(command, server, reset=False)
        measure(bench.command(server, whole, n, write=True), server)
        one, other = _files(folder / "corpus"), _files(whole / "corpus")
        differing = sum(one.get(name) != other.get(name) for name in one.keys() | other.keys())
        yield Row("F: answered before the kill", paid, "")
        yield Row("F: requests paid twice", again.server["extra"], "", None, CONCURRENCY)
        yield Row("F: files of the corpus", len(other), "")
        yield Row("F: of them, files that differ", differing, "", None, 0)
        yield _lost("F", n, again)


def slots(bench: Bench) -> Iterator[Row]:
    """Measure whether requests are held back from a server that only gets slower."""
    n, latency, served = int(bench.size(2000, 192)), bench.size(0.2, 0.05), 16
    with mock_server(latency=latency, slots=served) as server:
        bare, ours = bench.bare(server, n), bench.ours(server, n)
        yield Row(f"G, {served} served at once: span", ours.span_s, "s", bare.span_s, 1.05)
        yield Row(f"G, {served} served at once: least window", ours.result["least_window"], "")
        yield Row(f"G, {served} served at once: last window", ours.result["window"], "")
        yield _lost("G", n, ours)


CASES: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "A": equal_latencies,
    "B": heavy_tail,
    "C": overhead,
    "D": rate_limit,
    "E": faults,
    "F": killed,
    "G": slots,
}


def _lost(case: str, n: int, run: Measured) -> Row:
    return Row(f"{case}: rows lost", n - run.result["kept"], "", None, 0)


def _files(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def medians(runs: Sequence[Sequence[Row]]) -> list[Row]:
    """Return the rows of several runs as one: the run of the median figure, row by row."""
    return [
        sorted(rows, key=lambda row: row.ours / (row.limit or 1.0))[len(rows) // 2]
        for rows in zip(*runs, strict=True)
    ]


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the options above."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}")
    parser.add_argument("--repeats", type=int, default=1, help="the median of so many runs")
    parser.add_argument("--quick", action="store_true", help="small sizes, for a test")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument("--peer", nargs=argparse.REMAINDER, default=[], help="the last option")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print the table."""
    parser = make_parser()
    options = parser.parse_args(arguments)
    if unknown := set(options.cases) - CASES.keys():
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    if not options.json:
        libraries = ", ".join(f"{name} {version(name)}" for name in ("aiohttp", "openai"))
        print(
            f"Python {platform.python_version()}, {libraries}, {os.cpu_count()} cores, load "
            f"{os.getloadavg()[0]:.1f}, median of {options.repeats}\n\n"
            "| case | limit | ours | ratio | to reach | reached |\n|---|---|---|---|---|---|"
        )
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.quick, options.peer)
        for name in options.cases or CASES:
            for row in medians([list(CASES[name](bench)) for _ in range(options.repeats)]):
                text = json.dumps(asdict(row) | {"reached": row.reached})
                print(text if options.json else row.markdown(), flush=True)


if __name__ == "__main__":
    main()
