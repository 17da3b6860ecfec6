"""How fast a corpus is released, against `Dataset.push_to_hub`, which is not atomic.

    python benchmarks/push.py [--rows 100000] [--repeats 3]

Both push the same rows to the Hub server of the tests, on the loopback and in a process of its
own; both are then loaded from an empty cache. Each push and each load is a process of its own, in
which the clock starts after the imports. The checks before a push are timed apart: `push_to_hub`
has none.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from hub_server import HubServer, running_hub  # noqa: E402

PREPARE = """
import sys
from pathlib import Path
from builders.composition import Order, compose
from builders.corpus import write_corpus
from builders.llms.recording import Recording
from builders.tasks import load_task
import builders.composition as composition
from builders.filters.base import FilterChain
composition.build_chain = lambda *args, **kwargs: FilterChain([])  # the rows are made up
task = load_task("sms_spam")
write_corpus(compose(task, Order("zero_shot"), Recording(Path(sys.argv[1]))), Path(sys.argv[2]))
"""
OURS = """
import json, sys, time
from pathlib import Path
import push_scripts.checks, push_scripts.push_dataset as pushing
import datasets, huggingface_hub, pyarrow.parquet, builders.filters.overlap
spent = 0.0
checked = pushing.check_folder
def timed(*args):
    global spent
    start = time.perf_counter()
    try:
        return checked(*args)
    finally:
        spent += time.perf_counter() - start
pushing.check_folder = timed
start = time.perf_counter()
done = pushing.push_dataset(Path(sys.argv[1]), sys.argv[2])
print(json.dumps({"s": time.perf_counter() - start, "checks": spent, "tagged": done.tagged}))
"""
THEIRS = """
import json, sys, time, glob
import datasets, huggingface_hub
files = glob.glob(sys.argv[1] + "/zero_shot/*.parquet")
rows = datasets.load_dataset("parquet", data_files=files, split="train")
start = time.perf_counter()
rows.push_to_hub(sys.argv[2], private=True)
print(json.dumps({"s": time.perf_counter() - start}))
"""
LOAD = """
import json, sys, time
import datasets
start = time.perf_counter()
rows = datasets.load_dataset(sys.argv[1], revision=sys.argv[2], split="train")
print(json.dumps({"s": time.perf_counter() - start, "rows": len(rows)}))
"""


def main() -> None:
    """Push, load, print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        recorded(place / "recording", options.rows)
        with running_hub(place / "hub") as hub:
            corpus = place / "corpus"
            ran(hub, PREPARE, place / "recording", corpus)
            runs = [measured(hub, corpus, i) for i in range(options.repeats)]
    print(f"{options.rows:,} rows, median of {options.repeats}\n")
    print("| what | ours s | push_to_hub s | ratio |\n|---|---:|---:|---:|")
    ours, checks, theirs, load, their_load = (
        statistics.median(column) for column in zip(*runs, strict=True)
    )
    print(
        f"| push, without the checks | {ours - checks:.2f} | {theirs:.2f} "
        f"| {(ours - checks) / theirs:.2f} |"
    )
    print(f"| the checks | {checks:.2f} | | |")
    print(f"| push, all | {ours:.2f} | {theirs:.2f} | {ours / theirs:.2f} |")
    print(f"| load, cold | {load:.2f} | {their_load:.2f} | {load / their_load:.2f} |")


def measured(hub: HubServer, corpus: Path, i: int) -> tuple[float, ...]:
    """Push both ways and load both; return the seconds."""
    ours = ran(hub, OURS, corpus, f"acme/ours-{i}")
    theirs = ran(hub, THEIRS, corpus, f"acme/theirs-{i}")
    loaded = ran(hub, LOAD, f"acme/ours-{i}", "v1.0.0")
    other = ran(hub, LOAD, f"acme/theirs-{i}", "main")
    assert ours["tagged"] and loaded["rows"] == other["rows"]
    return ours["s"], ours["checks"], theirs["s"], loaded["s"], other["s"]


def ran(hub: HubServer, program: str, *arguments: object) -> dict[str, float]:
    """Run a program in a child with empty caches; return what it printed last."""
    ended = hub.run(["-c", program, *map(str, arguments)], token="hf_writer")
    if ended.code:
        raise SystemExit(ended.err)
    found: dict[str, float] = json.loads(ended.out.splitlines()[-1]) if ended.out.strip() else {}
    return found


def recorded(folder: Path, rows: int) -> None:
    """Write a recording of so many made-up texts of 40 words."""
    rng = random.Random(0)
    words = [a + b + c + d for a in "bdfgkl" for b in "aeiou" for c in "mnrst" for d in "aeiou"]
    path = folder / "zero_shot" / "sms_spam.responses.jsonl"
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8") as file:
        for label in ("ham", "spam"):
            for turn in range(1, rows // 2 // 100 + 1):
                texts = [" ".join(rng.choices(words, k=40)) for _ in range(100)]
                message = {"content": json.dumps({"texts": texts})}
                body = {"model": "m", "choices": [{"message": message, "finish_reason": "stop"}]}
                row = {
                    "custom_id": f"sms_spam/zero_shot/{label}/c0/t{turn}",
                    "response": {"status_code": 200, "body": body},
                }
                file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
