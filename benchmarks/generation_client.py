"""The process that `generation.py` measures: a build by the engine, through the public interface.

    python benchmarks/generation_client.py URL FOLDER --texts 2000

One text a request. With `--apart` the steps of a build follow one another, so that each can be
measured for itself. Prints a line of JSON where a step begins, and one with the result.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from builders.composition import Live, Order, asking_of, compose
from builders.filters.base import FilterChain
from builders.filters.chain import build_chain
from builders.filters.near_duplicate import NearDuplicate
from builders.generation import Asking, Budget, Generation, Progress, Rounds
from builders.ledger import Ledger
from builders.llms import Connection, Limits, LLMOptions, create_llm
from builders.llms.base import LiveLLM, Quota
from builders.llms.dialect import Dialect
from builders.sifting import Sieve
from builders.tasks import load_task

TASK = "sms_spam"


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("url", help="the base URL of a server, ending in /v1")
    parser.add_argument("folder", type=Path, help="of the ledger and the corpus")
    parser.add_argument("--texts", type=int, default=2000, help="texts, and requests, in all")
    parser.add_argument("--turns", type=int, default=1, help="turns of a conversation")
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--per-minute", type=float, default=None)
    parser.add_argument("--apart", action="store_true", help="one step after the other")
    parser.add_argument("--write", action="store_true", help="write the corpus in the end")
    return parser


class Steps:
    """Says which step begins, and counts the processor time of each."""

    def __init__(self) -> None:
        self.cpu_s: dict[str, float] = {}
        self._step, self._since = "", 0.0

    def begin(self, step: str) -> None:
        """End the step before and begin another one."""
        now = time.process_time()
        if self._step:
            self.cpu_s[self._step] = now - self._since
        self._step, self._since = step, now
        print(json.dumps({"step": step, "at": time.monotonic()}), flush=True)


class Watch:
    """Keeps the counts of a build, as a live line would show them."""

    def __init__(self) -> None:
        self.last = Progress()
        self.least_window = 10**9

    def __call__(self, progress: Progress) -> None:
        """Take the counts."""
        self.last = progress
        self.least_window = min(self.least_window, progress.window or self.least_window)


def llm_at(url: str, options: argparse.Namespace, ledger: Ledger | None = None) -> LiveLLM:
    """Return the LLM under test."""
    limits = Limits(options.concurrency, options.per_minute)
    live = LLMOptions(connection=Connection(base_url=url), limits=limits, turns=options.turns)
    llm = create_llm("openai:mock", live, ledger)
    assert isinstance(llm, LiveLLM)
    return llm


def asked(options: argparse.Namespace, llm: LiveLLM) -> tuple[Asking, Quota]:
    """Return how the LLM is asked."""
    task = load_task(TASK)
    return asking_of(task, Order("zero_shot", options.texts // len(task.labels), 1), llm, None)


def bodies(texts: int) -> list[bytes]:
    """Return what a build of so many texts sends, in its order, for a loop that sends the same."""
    options = make_parser().parse_args(["http://127.0.0.1/v1", ".", "--texts", str(texts)])
    asking, quota = asked(options, llm_at(options.url, options))
    dialect = Dialect()
    return [
        json.dumps(
            dialect.body(asking.llm.model, asking.request(stretch, [])),
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()
        for stretch in Rounds(asking.task.label_names, quota).first()
    ]


def build_apart(options: argparse.Namespace, ledger: Ledger, watch: Watch, steps: Steps) -> int:
    """Ask, then read, then filter; return the texts that passed."""
    llm = llm_at(options.url, options, ledger)
    asking, quota = asked(options, llm)
    generation = Generation(asking, ledger, Budget.of(llm), watch)
    stretches = Rounds(asking.task.label_names, quota).first()
    # As a build does it: what the filters import is in memory while requests are in flight.
    whole = build_chain(
        asking.task, seed_examples=None, real_test_texts=None, shows_examples=False
    ).filters
    chain = FilterChain([f for f in whole if not isinstance(f, NearDuplicate)])
    sieve = Sieve(asking.task, lambda: chain)
    steps.begin("asking")
    generation.fill(stretches)
    steps.begin("reading")
    sieve.take(generation.read(stretches))
    steps.begin("near duplicates")
    return len(FilterChain([NearDuplicate()]).run(sieve.kept).kept)


def build(options: argparse.Namespace, ledger: Ledger, watch: Watch, steps: Steps) -> int:
    """Build as `understudy build` does; return the texts of the corpus."""
    llm = llm_at(options.url, options, ledger)
    task = load_task(TASK)
    order = Order("zero_shot", options.texts // len(task.labels), 1)
    steps.begin("composing")
    composition = compose(task, order, llm, live=Live(ledger, Budget.of(llm), watch))
    if options.write:
        from builders.corpus import write_corpus

        steps.begin("writing")
        write_corpus(composition, options.folder / "corpus")
    return len(composition.kept)


def main() -> None:
    """Build and print the counts."""
    options = make_parser().parse_args()
    watch, steps = Watch(), Steps()
    kept = 0
    with Ledger(options.folder / "ledger.sqlite") as ledger:
        if options.apart:
            kept = build_apart(options, ledger, watch, steps)
        if options.write or not options.apart:
            kept = build(options, ledger, watch if not options.apart else Watch(), steps)
    steps.begin("end")
    progress = watch.last
    result: dict[str, Any] = {
        "kept": kept,
        "cpu_s": steps.cpu_s,
        "known": progress.known,
        "answered": progress.answered,
        "refused": progress.refused,
        "retried": progress.retried,
        "failed": dict(progress.failed),
        "window": progress.window,
        "least_window": watch.least_window,
    }
    print(json.dumps({"result": result}))


if __name__ == "__main__":
    main()
