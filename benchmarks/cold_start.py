"""How long the command line takes to answer, against a bare interpreter in the same run.

    python benchmarks/cold_start.py

To reach: `understudy --help` under 0.3 s.
"""

import statistics
import subprocess
import sys
import time

RUNS = 15
COMMANDS = {
    "python -c pass (the limit)": [sys.executable, "-c", "pass"],
    "understudy --help": [sys.executable, "-m", "understudy", "--help"],
    "understudy tasks": [sys.executable, "-m", "understudy", "tasks"],
    "understudy study --help": [sys.executable, "-m", "understudy", "study", "--help"],
}


def seconds(command: list[str]) -> float:
    """Return the wall time of one process."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Time the commands in turns, so that a noisy moment hits all of them."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, command in COMMANDS.items():
            times[name].append(seconds(command))
    limit = statistics.median(times["python -c pass (the limit)"])
    print("| command | least s | median s | median / limit |")
    print("|---|---:|---:|---:|")
    for name, own in times.items():
        median = statistics.median(own)
        print(f"| {name} | {min(own):.3f} | {median:.3f} | {median / limit:.1f} |")


if __name__ == "__main__":
    main()
