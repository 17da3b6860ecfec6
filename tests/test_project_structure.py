"""The shape of the code: sizes, names, docstrings, cheap imports and the direction of imports."""

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]
_CONFIG = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_PACKAGES = _CONFIG["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
_MODULES = sorted(path for package in _PACKAGES for path in (_ROOT / package).rglob("*.py"))
_TESTS = sorted((_ROOT / "tests").glob("*.py"))
_HEAVY = _CONFIG["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-module-level-imports"]


def _name(path: Path) -> str:
    return str(path.relative_to(_ROOT))


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def _project_files() -> list[Path]:
    """List what git knows or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("needs a git checkout")
    paths = (_ROOT / name for name in done.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


def test_every_top_level_package_is_in_the_build() -> None:
    """The build's explicit list has every top-level folder that is a package."""
    assert sorted(_PACKAGES) == sorted(path.parent.name for path in _ROOT.glob("*/__init__.py"))


def test_no_module_is_longer_than_300_lines() -> None:
    """A module holds one concept; none needs more than 300 lines."""
    assert [f"{_name(path)}: {_lines(path)}" for path in _MODULES if _lines(path) > 300] == []


def test_half_of_the_modules_have_at_most_150_lines() -> None:
    """The median module can be read without scrolling far."""
    assert statistics.median(_lines(path) for path in _MODULES) <= 150


def test_no_function_is_longer_than_80_lines() -> None:
    """A function, its docstring included, ends within 80 lines."""
    long = [
        f"{_name(path)}:{node.lineno} {node.name}"
        for path in _MODULES + _TESTS
        for node in _functions(path)
        if (node.end_lineno or node.lineno) - node.lineno + 1 > 80
    ]

    assert long == []


def test_no_module_has_the_name_of_a_library_that_we_use() -> None:
    """A folder on the path may not replace a library: `python evaluation/x.py` would do that."""
    declared = _CONFIG["project"]["dependencies"]
    names = {re.split(r"[^A-Za-z0-9_-]", each)[0].replace("-", "_").lower() for each in declared}
    names |= {"sklearn", "yaml", "tokenizers", "pandas", "scipy", "pytest", "hypothesis"}

    assert [_name(path) for path in _MODULES if {path.stem, path.parent.name} & names] == []


def test_no_module_is_a_drawer_of_utilities() -> None:
    """A file is named after its concept, so none is called utils, helpers, common or misc."""
    drawer = re.compile(r"(^|[/_])(utils?|utilities|helpers?|common|misc)([/_.]|$)")

    assert [
        _name(p) for p in _MODULES if drawer.search(p.stem) or drawer.search(p.parent.name)
    ] == []


@pytest.mark.parametrize("path", _MODULES + _TESTS, ids=_name)
def test_a_module_says_what_it_is(path: Path) -> None:
    """Every module opens with a docstring."""
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", [p for p in _TESTS if p.stem.startswith("test_")], ids=_name)
def test_a_test_states_the_behaviour_that_it_holds(path: Path) -> None:
    """Every test has a docstring."""
    tests = [node for node in _functions(path) if node.name.startswith("test_")]

    assert tests
    assert [node.name for node in tests if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("package", _PACKAGES)
def test_importing_a_package_loads_no_heavy_library(package: str) -> None:
    """A package and its sub-packages import in milliseconds: heavy libraries wait for their use."""
    folders = sorted(path.parent for path in (_ROOT / package).rglob("__init__.py"))
    names = [".".join(folder.relative_to(_ROOT).parts) for folder in folders]
    code = (
        f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\n"
        f"print([name for name in {_HEAVY!r} if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_the_command_line_answers_without_a_heavy_library() -> None:
    """The module behind `understudy` loads no heavy library before a command needs it."""
    code = (
        f"import sys, understudy.cli; print([name for name in {_HEAVY!r} if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_no_file_names_one_machine() -> None:
    """No file holds a path or a package index that exists on one machine only."""
    # Put together here, so that this file does not hold them itself.
    folders = "|".join(["wo" + "rk", "fa" + "rm", "t" + "mp", "ro" + "ot", "ho" + "me", "o" + "pt"])
    hosts = "|".join(["py" + r"pi\.org", "python" + "hosted", "download.pytorch" + r"\.org"])
    forbidden = re.compile(rf"(?<![\w.~-])/({folders})/|{hosts}")
    found = []
    for path in _project_files():
        if path.suffix in (".gz", ".png", ".npz", ".parquet"):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if forbidden.search(line):
                found.append(f"{_name(path)}:{number}: {line.strip()[:80]}")

    assert found == []


def test_imports_point_one_way() -> None:
    """Contracts hold: understudy, push_scripts, trainers, evaluation, builders; no circles."""
    contract, circles = _CONFIG["tool"]["importlinter"]["contracts"]
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]

    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)

    assert contract["layers"] == [
        "understudy",
        "push_scripts",
        "trainers",
        "evaluation",
        "builders",
    ]
    assert sorted(circles["ancestors"]) == sorted(_PACKAGES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_package_is_a_layer_of_the_import_contract() -> None:
    """Every package of the build is a layer of the import contract."""
    contract, _ = _CONFIG["tool"]["importlinter"]["contracts"]

    assert sorted(contract["layers"]) == sorted(_PACKAGES)
