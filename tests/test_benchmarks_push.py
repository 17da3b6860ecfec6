"""The benchmark of a push, in small: both ways push the same rows, whatever it times."""

import subprocess
import sys
from pathlib import Path

import pytest

_BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "push.py"


@pytest.mark.slow
def test_both_ways_push_and_load_the_same_rows() -> None:
    """Four rows of a table; the program itself ends where the rows of both differ."""
    command = [sys.executable, str(_BENCHMARK), "--rows", "400", "--repeats", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)

    assert done.returncode == 0, done.stderr
    rows = [line.split("|")[1].strip() for line in done.stdout.splitlines() if line[:2] == "| "]
    assert rows == ["what", "push, without the checks", "the checks", "push, all", "load, cold"]
