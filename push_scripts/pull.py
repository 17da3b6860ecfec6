"""Get one release of a corpus from the Hub: that one, or none.

`load_dataset(..., revision="v1.0.0")` answers with whatever version its cache holds where the Hub
cannot be reached. Here the cache answers for the very revision only, and what comes is held against
the release's own manifest.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from builders.corpus import CARD
from builders.errors import UserError
from builders.staging import staged
from push_scripts.corpus_release import file_digest
from push_scripts.hub_card import read_metadata
from push_scripts.manifest import MANIFEST, Manifest, read_manifest
from push_scripts.names import checked_repository
from push_scripts.retrying import retried, status_of
from push_scripts.versions import Version


@dataclass(frozen=True)
class Pulled:
    """What was got.

    Attributes:
        name: The repository.
        version: The release.
        folder: Where it is.
        configurations: Names of the configurations; the first is the default one.
        cached: Whether the Hub could not be reached, and the cache had this very revision.
        written: Whether anything had to be written.
    """

    name: str
    version: Version
    folder: Path
    configurations: tuple[str, ...]
    cached: bool
    written: bool

    def lines(self) -> Iterator[str]:
        """Yield what a person is to read."""
        if self.cached:
            yield f"the Hub cannot be reached; the cache holds {self.version.tag}, and that is used"
        there = "" if self.written else ", which was there already"
        yield f"{self.name} {self.version.tag}: {self.folder}{there}"
        for each in self.configurations:
            yield f"load_dataset({str(self.folder)!r}, {each!r})"


def pull_dataset(
    name: str, revision: str, out: Path | None = None, *, token: str | None = None
) -> Pulled:
    """Write the release `revision` of the corpus `name` to the folder `out`.

    Args:
        name: The repository, `OWNER/NAME`.
        revision: The release's tag, `vX.Y.Z`.
        out: A folder that is new, empty, or holds this release; None for `NAME-vX.Y.Z` here.
        token: Access token; None takes the one that the Hub's client is set up with.

    Raises:
        UserError: There is no such release, the Hub cannot be reached and the cache does not hold
            it, its files are not what its manifest says, or `out` holds something else.
    """
    name = checked_repository(name)
    version = Version.from_tag(revision)
    if version is None:
        raise UserError(f"--revision {revision}: is no release; give its tag, such as v1.0.0")
    where = f"{name} {version.tag}"
    snapshot, cached = _snapshot(name, version.tag, token, where)
    manifest = _checked(snapshot, version, where)
    folder = out or Path(f"{name.rpartition('/')[2]}-{version.tag}")
    files = {path: snapshot / path for path in (*manifest.files, MANIFEST, CARD)}
    written = _write(files, folder, where)
    return Pulled(name, version, folder, tuple(manifest.configurations), cached, written)


def _snapshot(name: str, tag: str, token: str | None, where: str) -> tuple[Path, bool]:
    """Return the folder in the cache that holds the tag's commit; and if the Hub was not there."""
    from huggingface_hub import get_token, snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    token = token or get_token()
    commit = _commit(name, tag, token, where)

    def download() -> str:
        return snapshot_download(
            name,
            repo_type="dataset",
            revision=tag,
            token=token or False,
            local_files_only=commit is None,
        )

    if commit is not None:
        folder = Path(retried(download, where, token))
        if folder.name != commit:  # the client fell back to what it had
            raise UserError(f"{where}: the Hub stopped answering; run it again")
        return folder, False
    try:
        return Path(download()), True
    except (LocalEntryNotFoundError, OSError) as error:
        raise UserError(
            f"{where}: the Hub cannot be reached, and the cache does not hold this release whole; "
            "check the network, HF_ENDPOINT and HF_HUB_OFFLINE"
        ) from error


def _commit(name: str, tag: str, token: str | None, where: str) -> str | None:
    """Return the commit that the Hub has for the tag; None where it cannot be reached."""
    from httpx2 import TransportError
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled, RevisionNotFoundError

    def ask() -> str | None:
        try:
            return HfApi(token=token or False).dataset_info(name, revision=tag, timeout=30).sha
        except RevisionNotFoundError:
            raise UserError(
                f"{where}: there is no such release; see the repository's tags"
            ) from None
        except HfHubHTTPError as error:
            if (status_of(error) or 0) < 500:
                raise
            return None
        except (OfflineModeIsEnabled, TransportError, ConnectionError, TimeoutError):
            return None

    return retried(ask, where, token)


def _checked(snapshot: Path, version: Version, where: str) -> Manifest:
    """Hold the files against the manifest, and the versions against the tag.

    Raises:
        UserError: It is no release of a corpus, another one, or not whole.
    """
    if not (snapshot / MANIFEST).is_file() or not (snapshot / CARD).is_file():
        raise UserError(f"{where}: is no release of a corpus; load it with datasets alone")
    manifest = read_manifest((snapshot / MANIFEST).read_bytes(), where)
    metadata = read_metadata((snapshot / CARD).read_text(encoding="utf-8"), f"{where}: README.md")
    named = {str(each.get("version")) for each in metadata.get("configs") or ()}
    if named != {str(version)} or manifest.version != version:
        says = ", ".join(sorted(named | {str(manifest.version)}))
        raise UserError(
            f"{where}: the files are those of version {says}; the tag is not on its release, tell "
            "who published it"
        )
    for path, digest in manifest.files.items():
        if not (snapshot / path).is_file() or file_digest(snapshot / path) != digest:
            raise UserError(
                f"{where}: {path} is not the file that was released; clear it from the cache "
                "(hf cache rm) and run it again"
            )
    return manifest


def _write(files: Mapping[str, Path], folder: Path, where: str) -> bool:
    """Copy what is missing to `folder`, the card last; return whether anything was."""
    missing = dict(files)
    if folder.is_file():
        raise UserError(f"--out {folder}: is a file; name a folder")
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        relative = path.relative_to(folder)
        if path.is_dir() or relative.parts[0].startswith("."):
            continue
        source = missing.pop(relative.as_posix(), None)
        if source is None or file_digest(path) != file_digest(source):
            raise UserError(f"--out {folder}: {relative} is not of {where}; name another folder")
    if not missing:
        return False
    with staged(folder) as staging:
        for name, source in missing.items():
            (staging / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, staging / name)
        for name in missing:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(staging / name, folder / name)
    return True
