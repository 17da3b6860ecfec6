"""The pins of `constraints.txt`, held against what is installed."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

_ROOT = Path(__file__).parents[1]
_CONFIG = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
_LINES = (_ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
_PIN_LINES = [line for line in _LINES if line and not line.startswith("#")]
_PINS = {canonicalize_name(line.partition("==")[0]): line.partition("==")[2] for line in _PIN_LINES}
_DIRECT = [
    *_CONFIG["project"]["dependencies"],
    *_CONFIG["project"]["optional-dependencies"]["test"],
    *_CONFIG["build-system"]["requires"],
]
# What torch's GPU build needs; its CPU build does not, so these need not be installed.
_GPU = re.compile(r"cuda-|nvidia-|triton$")


def _installed(name: str) -> importlib.metadata.Distribution | None:
    try:
        return importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _reachable() -> set[str]:
    """Names of every distribution that the project, its tests or its build need here."""
    waiting = [Requirement(line) for line in _DIRECT]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *sorted(requirement.extras)):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            distribution = _installed(name)
            needs = map(Requirement, (distribution.requires or []) if distribution else [])
            waiting += [each for each in needs if _applies(each, extra)]
    return {name for name, _ in seen}


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def test_a_line_is_a_name_and_one_exact_public_version() -> None:
    """No URL, no local version such as `+cpu`, no range, no option: any package index will do."""
    exact = re.compile(r"[a-z0-9-]+==[0-9][0-9a-z.]*")

    assert [line for line in _PIN_LINES if not exact.fullmatch(line)] == []
    assert sorted(_PIN_LINES) == _PIN_LINES
    assert len(_PINS) == len(_PIN_LINES)


def test_everything_that_is_needed_is_installed_and_pinned() -> None:
    """Every direct and indirect dependency, the tests' and the build's included, has a pin."""
    needed = _reachable()

    assert sorted(name for name in needed if not _installed(name)) == []
    assert sorted(needed - set(_PINS)) == []


def test_what_is_installed_has_the_pinned_version() -> None:
    """The pins are what these tests run with, but for a local suffix such as `+cpu`."""
    other = {}
    for name, pin in _PINS.items():
        distribution = _installed(name)
        if distribution and Version(distribution.version).public != str(Version(pin)):
            other[name] = f"{distribution.version} installed, {pin} pinned"

    assert other == {}


def test_nothing_is_pinned_without_need() -> None:
    """A pin that nothing needs any more is removed, but for those of torch's GPU build."""
    assert sorted(name for name in set(_PINS) - _reachable() if not _GPU.match(name)) == []


def test_every_direct_dependency_has_a_range_that_holds_the_pin() -> None:
    """`pyproject.toml` gives a least version and admits the one that is pinned."""
    requirements = [Requirement(line) for line in _DIRECT]

    assert [str(r) for r in requirements if "==" in str(r) or ">=" not in str(r)] == []
    assert [
        str(r) for r in requirements if not r.specifier.contains(_PINS[canonicalize_name(r.name)])
    ] == []
