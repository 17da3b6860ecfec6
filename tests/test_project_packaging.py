"""How the project is built and set up: wheel, commands of the README, hooks, offline tests."""

import os
import socket
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

_ROOT = Path(__file__).parents[1]
_CONFIG = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_PACKAGES = _CONFIG["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build the wheel."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=_ROOT, check=True, capture_output=True)
    (path,) = out.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_every_file_of_the_packages(wheel: zipfile.ZipFile) -> None:
    """Modules, task files, recordings, templates and type markers are all in the wheel."""
    files = {
        path.relative_to(_ROOT).as_posix()
        for package in _PACKAGES
        for path in (_ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert files - set(wheel.namelist()) == set()
    assert {f"{package}/py.typed" for package in _PACKAGES} <= files
    assert any(name.endswith(".responses.jsonl.gz") for name in files)


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    """Tests, benchmarks and documents stay out of the wheel."""
    tops = {name.partition("/")[0] for name in wheel.namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == set(_PACKAGES)


def test_the_wheel_may_not_be_uploaded_and_carries_its_licence(wheel: zipfile.ZipFile) -> None:
    """An upload to a package index is refused by the classifier; the licence goes along."""
    (metadata,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
    text = wheel.read(metadata).decode()

    assert "Classifier: Private :: Do Not Upload" in text
    assert "License-Expression: Apache-2.0" in text
    assert any(name.endswith("/licenses/LICENSE") for name in wheel.namelist())


@pytest.mark.parametrize(
    "command",
    [
        "python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e . "
        "&& .venv/bin/understudy demo",
        'python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e ".[test]" '
        "&& .venv/bin/pytest",
    ],
)
def test_the_readme_sets_up_with_one_command(command: str) -> None:
    """The README gives the two commands that each work on a fresh machine."""
    assert command in (_ROOT / "README.md").read_text(encoding="utf-8")


def test_the_continuous_integration_script_can_be_run() -> None:
    """`.ci/run` is executable and parses."""
    script = _ROOT / ".ci" / "run"

    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0


def test_the_continuous_integration_script_runs_the_readme_command() -> None:
    """`.ci/run` holds the README's second command word for word."""
    command = (
        'python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e ".[test]" '
        "&& .venv/bin/pytest"
    )

    assert command in (_ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_commit_hooks_need_no_network() -> None:
    """The hooks are valid, local, and run from the project's own virtual environment."""
    path = _ROOT / ".pre-commit-config.yaml"
    check = [sys.executable, "-m", "pre_commit", "validate-config", str(path)]
    repositories = yaml.safe_load(path.read_text(encoding="utf-8"))["repos"]
    hooks = [hook for repository in repositories for hook in repository["hooks"]]

    assert subprocess.run(check, check=False, capture_output=True).returncode == 0
    assert [repository["repo"] for repository in repositories] == ["local"]
    assert all(hook["language"] == "system" for hook in hooks)
    assert all(hook["entry"].startswith(".venv/bin/") for hook in hooks)


def test_a_test_that_reaches_for_the_network_is_stopped(refused_connections: list[str]) -> None:
    """A connection that leaves the machine is refused and remembered, so that the test fails."""
    with pytest.raises(RuntimeError, match="tests are offline"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)  # an address for documents only

    assert refused_connections == ["socket.getaddrinfo '192.0.2.1'"]
    refused_connections.clear()


def test_a_look_up_of_a_host_is_stopped(refused_connections: list[str]) -> None:
    """Names of other machines are not looked up."""
    with pytest.raises(RuntimeError, match="tests are offline"):
        socket.getaddrinfo("example.invalid", 443)

    assert len(refused_connections) == 1
    refused_connections.clear()


def test_a_server_on_this_machine_can_be_reached(refused_connections: list[str]) -> None:
    """Tests may serve and connect on the loopback address."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=5) as client,
    ):
        assert client.getpeername() == server.getsockname()

    assert refused_connections == []
