"""The versions that a result depends on."""

import importlib.metadata
import platform
from functools import cache

PACKAGES = (
    "understudy",
    "torch",
    "transformers",
    "sentence-transformers",
    "datasets",
    "evaluate",
    "scikit-learn",
    "numpy",
)


@cache
def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        found[package] = importlib.metadata.version(package)
    return found
