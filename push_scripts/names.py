"""Names on the Hub: of repositories, revisions, tags and files; what climbs or hides is refused."""

import re

from builders.errors import UserError

_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?"
_REPOSITORY = re.compile(rf"(?:{_PART}/)?{_PART}")
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+/-]{0,199}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,199}")


def checked_repository(name: str) -> str:
    """Return the name of a repository, `owner/name` or `name`.

    Raises:
        UserError: The Hub has no such names.
    """
    odd = any(part in name for part in ("--", "..")) or name.endswith(".git")
    if odd or not _REPOSITORY.fullmatch(name):
        raise UserError(
            f"{_shown(name)} cannot name a repository: give OWNER/NAME of letters, digits, "
            "'-', '_' and '.', at most 96 each"
        )
    return name


def checked_revision(revision: str) -> str:
    """Return the name of a branch, tag, pull request (`refs/pr/1`) or commit.

    Raises:
        UserError: Git has no such names, or it climbs.
    """
    parts = revision.split("/")
    odd = any(part in ("", ".", "..") or part.endswith(".lock") for part in parts)
    if odd or ".." in revision or not _REVISION.fullmatch(revision):
        raise UserError(f"{_shown(revision)} cannot name a revision: give one such as v1.0.0")
    return revision


def checked_tag(tag: str) -> str:
    """Return the name of a tag.

    Raises:
        UserError: It is not one, or one that would be taken for another reference.
    """
    if ".." in tag or tag.endswith((".", ".lock")) or not _TAG.fullmatch(tag):
        raise UserError(f"{_shown(tag)} cannot name a tag: give one such as v1.0.0")
    return tag


def checked_path(path: str) -> str:
    """Return the path of a file inside a repository.

    Raises:
        UserError: It is absolute, climbs, is git's own, or holds what no file name should.
    """
    parts = path.split("/")
    odd = any(part in ("", ".", "..") or part.lower() == ".git" for part in parts)
    long = len(path.encode(errors="replace")) > 1000 or any(len(part) > 255 for part in parts)
    if odd or long or "\\" in path or not path.isprintable():
        raise UserError(
            f"{_shown(path)} cannot be a file of a repository: give a plain path such as "
            "data/few_shot/train-00000-of-00001.parquet"
        )
    return path


def _shown(name: str) -> str:
    """Return what was given so that it stays on one short line."""
    return ascii(name if len(name) <= 80 else f"{name[:77]}...")
