"""`understudy pull`: the release that was asked for, from the Hub or the cache, or none."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import little_corpus
import pytest
from hub_server import Ended, HubServer, running_hub
from little_corpus import MORE, TEXTS

from builders.corpus import read_corpus

NAME = "acme/plants"
LABELS = ("sci/tech", "out door")
CLOSED = "http://127.0.0.1:9"  # nobody listens at the port of `discard`


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    """Run a Hub with two releases of a corpus."""
    place = tmp_path_factory.mktemp("pull")
    with running_hub(place / "hub") as running:
        for texts in (TEXTS, MORE):
            folder = little_corpus.write(place / "plants", texts)
            push = ["-m", "understudy", "push", "dataset", str(folder), NAME]
            assert running.run(push).code == 0
        yield running


@pytest.fixture(scope="module")
def cached(hub: HubServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home whose cache holds the first release; tests copy it."""
    place = tmp_path_factory.mktemp("cached")
    assert pull(hub, place / "out", home=place / "home").code == 0
    return place / "home"


@pytest.fixture
def home(cached: Path, tmp_path: Path) -> Path:
    """Return a copy of that home."""
    return Path(shutil.copytree(cached, tmp_path / "home", symlinks=True))


def pull(
    hub: HubServer,
    out: Path,
    revision: str = "v1.0.0",
    name: str = NAME,
    token: str = "hf_reader",
    home: Path | None = None,
    **variables: Any,
) -> Ended:
    """Pull a release in a fresh process."""
    arguments = ["-m", "understudy", "pull", name, "--revision", revision, "--out", str(out)]
    return hub.run(arguments, token, home=home, **variables)


def texts(folder: Path) -> list[str]:
    """Return the texts of a corpus folder."""
    return list(read_corpus(folder, "zero_shot", LABELS).texts)


def refused(ended: Ended, why: str) -> None:
    """Check that a command ended with one line that says why."""
    assert ended.code == 2
    assert why in ended.err
    # The library's own warnings stand on lines of their own.
    assert sum(line.startswith("understudy: ") for line in ended.err.splitlines()) == 1
    assert "Traceback" not in ended.err


FIRST = [*TEXTS["sci/tech"], *TEXTS["out door"]]


def test_the_release_that_is_asked_for_is_got(hub: HubServer, tmp_path: Path) -> None:
    """The older one, though `main` is ahead; as a corpus folder that says how to load it."""
    ended = pull(hub, tmp_path / "old")

    assert ended.code == 0, ended.err
    assert texts(tmp_path / "old") == FIRST
    assert ended.out == (
        f"acme/plants v1.0.0: {tmp_path / 'old'}\n"
        f"load_dataset({str(tmp_path / 'old')!r}, 'zero_shot')\n"
    )
    there = hub.store.contents("datasets", NAME, "v1.0.0")
    del there[".gitattributes"]
    got = {
        str(path.relative_to(tmp_path / "old")): path.read_bytes()
        for path in (tmp_path / "old").rglob("[!.]*")
        if path.is_file()
    }
    assert got == there


@pytest.mark.parametrize("way", ["offline", "closed", "failing"])
def test_without_the_hub_the_cache_answers_for_that_very_release_only(
    hub: HubServer, home: Path, tmp_path: Path, way: str
) -> None:
    """Where `load_dataset` would give the version it has, and say nothing."""
    variables = {"offline": {"HF_HUB_OFFLINE": "1"}, "closed": {"HF_ENDPOINT": CLOSED}}
    hub.reset()
    if way == "failing":
        hub.fault(pattern="/api/", status=503, times=99)
    got = pull(hub, tmp_path / "got", home=home, **variables.get(way, {}))
    other = pull(hub, tmp_path / "other", "v1.0.1", home=home, **variables.get(way, {}))
    hub.reset()

    assert got.code == 0, got.err
    assert got.out.startswith("the Hub cannot be reached; the cache holds v1.0.0, and that is used")
    assert texts(tmp_path / "got") == FIRST
    refused(other, "acme/plants v1.0.1: the Hub cannot be reached, and the cache does not hold")
    assert not (tmp_path / "other").exists()


def test_the_cache_does_not_answer_whom_the_hub_refuses(
    hub: HubServer, home: Path, tmp_path: Path
) -> None:
    """A token that may not see the repository any more is told so."""
    ended = pull(hub, tmp_path / "got", token="hf_outsider", home=home)

    refused(ended, "acme/plants v1.0.0: no such repository, or the token may not see it")
    assert not (tmp_path / "got").exists()


def test_a_release_that_is_not_there_is_refused(hub: HubServer, tmp_path: Path) -> None:
    """With the remedy."""
    refused(pull(hub, tmp_path / "got", "v9.0.0"), "acme/plants v9.0.0: there is no such release")


@pytest.mark.parametrize("revision", ["main", "1.0.0", "v1.0", "../v1.0.0"])
def test_what_is_no_release_cannot_be_pulled(hub: HubServer, tmp_path: Path, revision: str) -> None:
    """A branch moves, so nobody could say what was got."""
    hub.reset()

    refused(pull(hub, tmp_path / "got", revision), "is no release; give its tag, such as v1.0.0")
    assert hub.trace() == []


@pytest.mark.parametrize("name", ["../plants", "acme/../plants", "a/b/c", "acme/pl ants"])
def test_a_name_that_climbs_is_refused(hub: HubServer, tmp_path: Path, name: str) -> None:
    """Before anything is asked or written."""
    hub.reset()

    refused(pull(hub, tmp_path / "got", name=name), "cannot name a repository")
    assert hub.trace() == []


def test_a_tag_that_is_not_on_its_release_is_refused(hub: HubServer, tmp_path: Path) -> None:
    """Its card says which version the files are."""
    files = hub.store.contents("datasets", NAME, "v1.0.1")
    hub.store.add("datasets", "acme/moved", files, "refs/heads/main", "refs/tags/v1.0.0")

    ended = pull(hub, tmp_path / "got", name="acme/moved")

    refused(ended, "the files are those of version 1.0.1; the tag is not on its release")


def test_a_file_outside_of_the_folder_is_refused(hub: HubServer, tmp_path: Path) -> None:
    """A manifest that names one is damaged."""
    files = hub.store.contents("datasets", NAME, "v1.0.0")
    bad = files["release.json"].replace(b'"zero_shot/corpus.json"', b'"../../corpus.json"')
    hub.store.add("datasets", "acme/climbs", {**files, "release.json": bad}, "refs/tags/v1.0.0")

    ended = pull(hub, tmp_path / "got", name="acme/climbs", token="hf_writer")

    refused(ended, "its release.json cannot be read ('../../corpus.json' is no file of a release)")


def test_a_damaged_cache_is_not_served(hub: HubServer, home: Path, tmp_path: Path) -> None:
    """Every file is held against the digest that the release has of it."""
    (path,) = home.rglob("snapshots/*/zero_shot/corpus.json")
    path.resolve().write_text("{}")

    ended = pull(hub, tmp_path / "got", home=home)

    refused(ended, "zero_shot/corpus.json is not the file that was released")
    assert not (tmp_path / "got").exists()


def test_a_cache_that_lacks_a_file_is_not_served(
    hub: HubServer, home: Path, tmp_path: Path
) -> None:
    """Half a release is none; with the Hub the rest is got."""
    (path,) = home.rglob("snapshots/*/zero_shot/*.parquet")
    path.unlink()

    ended = pull(hub, tmp_path / "got", home=home, HF_HUB_OFFLINE="1")

    refused(ended, "the Hub cannot be reached, and the cache does not hold this release whole")
    assert pull(hub, tmp_path / "got", home=home).code == 0
    assert texts(tmp_path / "got") == FIRST


def test_a_folder_is_completed_and_never_mixed(hub: HubServer, home: Path, tmp_path: Path) -> None:
    """What a killed pull left is taken up; what is of something else stops it, untouched."""
    out = tmp_path / "out"
    assert pull(hub, out, home=home).code == 0
    assert ", which was there already\n" in pull(hub, out, home=home).out
    (out / "README.md").unlink()
    assert pull(hub, out, home=home).code == 0
    assert "version: 1.0.0\n" in (out / "README.md").read_text()
    (out / "zero_shot" / "corpus.json").write_text("{}")

    refused(pull(hub, out, home=home), "zero_shot/corpus.json is not of acme/plants v1.0.0")
    assert (out / "zero_shot" / "corpus.json").read_text() == "{}"


def test_what_was_pulled_can_be_pushed_elsewhere(
    hub: HubServer, home: Path, tmp_path: Path
) -> None:
    """It is a corpus folder like any other; there its first release is 1.0.0."""
    assert pull(hub, tmp_path / "out", home=home).code == 0

    ended = hub.run(["-m", "understudy", "push", "dataset", str(tmp_path / "out"), "writer/mine"])

    assert ended.code == 0, ended.err
    assert ended.out.startswith("writer/mine v1.0.0\n  first release\n")
    card = hub.store.contents("datasets", "writer/mine", "v1.0.0")["README.md"].decode()
    assert card.count("## Changelog") == 1 and "acme/plants" not in card
