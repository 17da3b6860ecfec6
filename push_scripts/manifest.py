"""`release.json`: what a release of a corpus holds, for programs; the card tells people."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from builders.errors import UserError
from push_scripts.versions import Version

MANIFEST = "release.json"
PART = re.compile(
    r"[a-z][a-z0-9_]*/(train-[0-9a-f]{16}-[0-9]{5}-of-[0-9]{5}\.parquet|corpus\.json)"
)
"""The paths that belong to a release, beside its card and its manifest."""


@dataclass(frozen=True)
class Described:
    """What the manifest says of one configuration.

    Attributes:
        prompts: Digest of the words that the LLM was asked with.
        features: Columns and their types, as `datasets` writes them down.
    """

    prompts: str
    features: Mapping[str, Any]


@dataclass(frozen=True)
class Manifest:
    """What `release.json` says.

    Attributes:
        version: The release.
        task: Name of the task.
        configurations: Name -> what is said of it; the first is the default one.
        files: Path of every file but the card and the manifest -> SHA-256 (hex).
        changelog: Version -> what changed with it, the newest first.
        card: SHA-256 (hex) of the part of the card that a push wrote.
    """

    version: Version
    task: str
    configurations: Mapping[str, Described]
    files: Mapping[str, str]
    changelog: Mapping[str, tuple[str, ...]]
    card: str

    def parquet(self, configuration: str) -> dict[str, str]:
        """Return the Parquet files of a configuration with their SHA-256."""
        return {
            path: digest
            for path, digest in self.files.items()
            if path.startswith(f"{configuration}/") and path.endswith(".parquet")
        }

    def as_json(self) -> bytes:
        """Return the file."""
        values = {
            "version": str(self.version),
            "task": self.task,
            "configurations": [
                {"name": name, "prompts": each.prompts, "features": each.features}
                for name, each in self.configurations.items()
            ],
            "files": dict(sorted(self.files.items())),
            "card": self.card,
            "changelog": [
                {"version": version, "changes": list(changes)}
                for version, changes in self.changelog.items()
            ],
        }
        return (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode()


def read_manifest(content: bytes, what: str) -> Manifest:
    """Read `release.json`.

    Args:
        content: The file.
        what: How messages name the release.

    Raises:
        UserError: It is damaged, or names a file outside of the release.
    """
    try:
        values = json.loads(content)
        files = {str(path): str(digest) for path, digest in values["files"].items()}
        if strange := [path for path in files if not PART.fullmatch(path)]:
            raise ValueError(f"{strange[0]!r} is no file of a release")
        configurations = {
            str(each["name"]): Described(str(each["prompts"]), each["features"])
            for each in values["configurations"]
        }
        if not configurations or not all(
            each.features["label"]["names"] for each in configurations.values()
        ):
            raise ValueError("no configuration with labels")
        return Manifest(
            version=Version.parse(values["version"]),
            task=str(values["task"]),
            configurations=configurations,
            files=files,
            changelog={
                str(Version.parse(each["version"])): tuple(map(str, each["changes"]))
                for each in values["changelog"]
            },
            card=str(values["card"]),
        )
    except (ValueError, LookupError, TypeError, AttributeError, UserError) as error:
        raise UserError(
            f"{what}: its {MANIFEST} cannot be read ({error}); restore it from a release"
        ) from error
