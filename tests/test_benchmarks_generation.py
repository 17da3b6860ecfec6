"""The benchmark of the live-LLM engine, in small: what it counts is right, whatever it times."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def _measured(*cases: str) -> dict[str, dict[str, Any]]:
    """Return the rows of the quick mode by their names."""
    command = [sys.executable, str(_BENCHMARKS / "generation.py"), *cases, "--quick", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {row["name"]: row for row in rows}


@pytest.mark.slow
def test_no_row_is_lost_to_faults_at_random() -> None:
    """One refusal in ten and one failure in fifty cost no text, and no request more than needed."""
    rows = _measured("E")

    assert rows["E: rows lost"]["ours"] == 0
    # The same bodies meet the same faults: a request is sent as often as the bare loop sends it.
    assert rows["E: requests sent"]["ours"] == rows["E: requests sent"]["limit"] > 192


@pytest.mark.slow
def test_a_killed_build_goes_on_to_the_same_corpus() -> None:
    """After SIGKILL only what was in flight is asked again; the files are equal byte for byte."""
    rows = _measured("F")

    # It is killed after 160 of 320 answers: with 64 at once, three waves, and a fourth in flight.
    assert 160 <= rows["F: answered before the kill"]["ours"] < 320
    assert rows["F: requests paid twice"]["ours"] <= 64
    assert rows["F: files of the corpus"]["ours"] >= 3
    assert rows["F: of them, files that differ"]["ours"] == 0
    assert rows["F: rows lost"]["ours"] == 0


@pytest.mark.slow
def test_the_bare_loop_and_the_engine_send_the_same_bodies(tmp_path: Path) -> None:
    """What is compared is the same work: the server answers no body that only one of them sent."""
    script = """
import sys
from pathlib import Path
from generation import Bench
from measured_process import measure, mock_server

bench = Bench(Path(sys.argv[1]), quick=True, peer=[])
with mock_server(latency=0.01) as server:
    bench.bare(server, 100)
    both = measure(bench.command(server, bench.fresh(), 100), server, reset=False)
print(both.server["ok"], both.server["distinct"], both.server["extra"])
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=_BENCHMARKS,
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )

    assert done.stdout.split() == ["200", "100", "100"]


def test_an_unknown_case_is_a_mistake() -> None:
    """A case that there is not ends the command with its name."""
    command = [sys.executable, str(_BENCHMARKS / "generation.py"), "Z"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)

    assert done.returncode == 2
    assert "no case Z" in done.stderr
