"""Releases of corpora over real HTTP: what is sent, what a consumer gets, what a kill leaves.

Consumers are fresh processes with empty caches that have the Hugging Face libraries alone.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import little_corpus
import pyarrow.parquet
import pytest
from hub_publisher import Publisher, Trial, good
from hub_server import HubServer, running_hub
from little_corpus import FEWER, MORE, TEXTS

from builders.card import OWN_TEXT


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubServer]:
    """Run a Hub for the module; every test has a repository of its own."""
    with running_hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="module")
def publisher(hub: HubServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publisher]:
    """Start what runs the commands."""
    person = Publisher(hub, tmp_path_factory.mktemp("publisher"))
    yield person
    person.close()


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return corpus folders with two configurations each; they differ in one zero-shot text."""
    place = tmp_path_factory.mktemp("corpora")
    for name, texts in (("base", TEXTS), ("more", MORE), ("fewer", FEWER)):
        little_corpus.write(place / name, texts)
        little_corpus.write(place / name, strategy="few_shot")
    return {path.name: path for path in place.iterdir()}


def tags(hub: HubServer, name: str) -> list[str]:
    """Return the tags of a repository, sorted."""
    refs = hub.store.refs("datasets", name)
    return sorted(ref.rpartition("/")[2] for ref in refs if ref.startswith("refs/tags/"))


def card(hub: HubServer, name: str, revision: str = "main") -> str:
    """Return the card of a revision."""
    return hub.store.contents("datasets", name, revision)["README.md"].decode()


# ---- What a consumer loads ------------------------------------------------------------------

LOAD = """
import json, sys
from datasets import load_dataset
name, revision, streaming = sys.argv[1:]
answer = {}
for configuration in ("zero_shot", "few_shot"):
    data = load_dataset(name, configuration, split="train", revision=revision,
                        streaming=streaming == "streaming")
    answer[configuration] = {"texts": [row["text"] for row in data],
                             "version": str(data.info.version),
                             "names": data.features["label"].names}
print(json.dumps(answer))
"""


@pytest.fixture(scope="module")
def plants(hub: HubServer, publisher: Publisher, corpora: dict[str, Path]) -> str:
    """Release two versions of a corpus; return the repository's name."""
    good(publisher.push(corpora["base"], "acme/plants"))
    good(publisher.push(corpora["more"], "acme/plants"))
    return "acme/plants"


@pytest.mark.slow
@pytest.mark.parametrize("streaming", ["whole", "streaming"])
@pytest.mark.parametrize(("version", "texts"), [("1.0.0", TEXTS), ("1.0.1", MORE)])
def test_a_tag_gives_the_rows_of_its_release(
    hub: HubServer, plants: str, version: str, texts: dict[str, tuple[str, ...]], streaming: str
) -> None:
    """Old rows under the old tag, in a process that has `datasets` and an empty cache."""
    got = hub.run(["-c", LOAD, plants, f"v{version}", streaming], "hf_reader", xet=True).json

    for name, own in (("zero_shot", texts), ("few_shot", TEXTS)):
        assert got[name] == {
            "texts": [*own["sci/tech"], *own["out door"]],
            "version": version,
            "names": ["sci/tech", "out door"],
        }


@pytest.mark.slow
def test_the_default_client_publishes_and_loads(hub: HubServer, corpora: dict[str, Path]) -> None:
    """With Xet, by which the libraries send and get large files unless told otherwise."""
    push = ["-m", "understudy", "push", "dataset", str(corpora["base"]), "acme/xet"]
    good(hub.run(push, xet=True))

    got = hub.run(["-c", LOAD, "acme/xet", "v1.0.0", "whole"], "hf_reader", xet=True).json

    assert got["zero_shot"]["texts"] == [*TEXTS["sci/tech"], *TEXTS["out door"]]


def test_an_outsider_reads_nothing(hub: HubServer, publisher: Publisher, plants: str) -> None:
    """A release is private unless it was made public."""
    refused = publisher.run("pull", plants, "--revision", "v1.0.0", token="hf_outsider")

    assert refused.code == 2
    assert refused.err.startswith("understudy: acme/plants v1.0.0: no such repository, or the")


# ---- What a push writes ---------------------------------------------------------------------


def test_a_release_is_one_commit_with_all_files_and_a_tag_on_it(
    hub: HubServer, publisher: Publisher, corpora: dict[str, Path]
) -> None:
    """The files of the folder, to the byte; the card and the manifest of the release."""
    out = good(publisher.push(corpora["base"], "acme/one"))

    state = hub.store.load("datasets", "acme/one")
    assert state is not None and state["private"]
    assert state["refs"]["refs/tags/v1.0.0"] == state["refs"]["refs/heads/main"]
    history = list(hub.store.history("datasets", "acme/one", state["refs"]["refs/heads/main"]))
    assert [each["title"] for each in history] == ["Release v1.0.0", "initial commit"]
    there = hub.store.contents("datasets", "acme/one", "v1.0.0")
    parts = {
        str(path.relative_to(corpora["base"])): path.read_bytes()
        for path in corpora["base"].glob("*/*")
    }
    assert there.items() >= parts.items()
    assert set(there) - set(parts) == {".gitattributes", "README.md", "release.json"}
    assert "load_dataset('acme/one', 'few_shot', revision='v1.0.0')\n" in out


def test_a_second_release_says_why_it_has_its_version_and_deletes_what_is_no_more(
    hub: HubServer, publisher: Publisher, corpora: dict[str, Path]
) -> None:
    """One row less: a minor version; the Parquet of before is gone from `main`."""
    good(publisher.push(corpora["base"], "acme/two"))

    out = good(publisher.push(corpora["fewer"], "acme/two"))

    assert out.startswith(
        "acme/two v1.1.0\n  zero_shot: rows 1 removed (5 now)\n  deleted: zero_shot/train-"
    )
    assert tags(hub, "acme/two") == ["v1.0.0", "v1.1.0"]
    there = hub.store.contents("datasets", "acme/two")
    names = {str(path.relative_to(corpora["fewer"])) for path in corpora["fewer"].glob("*/*")}
    assert set(there) == names | {".gitattributes", "README.md", "release.json"}
    changelog = card(hub, "acme/two").split("## Changelog")[1]
    assert changelog.index("### 1.1.0") < changelog.index("### 1.0.0\n\n- first release")
    assert "- zero\\_shot: rows 1 removed (5 now)\n" in changelog


def test_the_same_content_again_sends_nothing(
    hub: HubServer, publisher: Publisher, corpora: dict[str, Path]
) -> None:
    """It says so and exits with 0, also when the version is given."""
    good(publisher.push(corpora["base"], "acme/again"))
    before = hub.store.load("datasets", "acme/again")

    for options in ([], ["--version", "1.0.0"]):
        out = good(publisher.push(corpora["base"], "acme/again", *options))
        said = "acme/again: v1.0.0 holds these rows, labels and prompts; nothing to push\n"
        assert out == said
        assert {each["method"] for each in hub.trace()} <= {"GET", "HEAD"}
    assert hub.store.load("datasets", "acme/again") == before


def test_another_licence_alone_is_a_patch(
    hub: HubServer, publisher: Publisher, corpora: dict[str, Path]
) -> None:
    """The rows stay; the same licence again is no change, and a title has no commit."""
    good(publisher.push(corpora["base"], "acme/licensed"))

    good(publisher.push(corpora["base"], "acme/licensed", "--license", "mit"))
    again = good(
        publisher.push(corpora["base"], "acme/licensed", "--license", "mit", "--message", "Hi")
    )

    assert tags(hub, "acme/licensed") == ["v1.0.0", "v1.0.1"]
    there = card(hub, "acme/licensed", "v1.0.1")
    assert "license: mit\n" in there
    assert "- the licence changed from none to mit\n" in there
    assert "v1.0.1 holds these rows, labels and prompts; nothing to push\n" in again
    assert "--message: there is no commit that it could be the title of\n" in again


def test_a_release_is_never_replaced(
    hub: HubServer, publisher: Publisher, corpora: dict[str, Path]
) -> None:
    """Another content under a released version is refused, and so is a lower version."""
    good(publisher.push(corpora["base"], "acme/fixed", "--version", "1.2.0"))
    before = hub.store.load("datasets", "acme/fixed")

    for version, said in (("1.2.0", "is released with other content"), ("1.1.9", "is lower")):
        refused = publisher.push(corpora["more"], "acme/fixed", "--version", version)
        assert refused.code == 2
        assert refused.err.startswith(f"understudy: version {version}: {said}")
    assert hub.store.load("datasets", "acme/fixed") == before


def test_a_version_can_be_raised_without_a_change(
    hub: HubServer, publisher: Publisher, corpora: dict[str, Path]
) -> None:
    """The changelog says that no row changed."""
    good(publisher.push(corpora["base"], "acme/raised"))

    good(publisher.push(corpora["base"], "acme/raised", "--version", "2.0.0"))

    there = card(hub, "acme/raised", "v2.0.0")
    assert "- asked for; rows, labels, columns and prompts are those of 1.0.0\n" in there


def test_other_prompts_make_a_major_version(
    publisher: Publisher, corpora: dict[str, Path], tmp_path: Path
) -> None:
    """Though every row is what it was."""
    good(publisher.push(little_corpus.write(tmp_path / "a"), "acme/prompts"))
    task = little_corpus.TASK
    other = replace(task, prompt=replace(task.prompt, context="You are a botanist."))

    out = good(publisher.push(little_corpus.write(tmp_path / "b", task=other), "acme/prompts"))

    said = "acme/prompts v2.0.0\n  zero_shot: the LLM is asked in other words\nno licence"
    assert out.startswith(said)


def test_a_repository_is_public_only_when_told(
    hub: HubServer, publisher: Publisher, corpora: dict[str, Path]
) -> None:
    """And one that is there stays as visible as it is, and the push says so."""
    good(publisher.push(corpora["base"], "acme/open", "--public"))
    good(publisher.push(corpora["base"], "acme/closed"))
    out = good(publisher.push(corpora["more"], "acme/closed", "--public"))

    visible = {n: hub.store.load("datasets", f"acme/{n}") or {} for n in ("open", "closed")}
    assert [visible[n]["private"] for n in ("open", "closed")] == [False, True]
    assert "--public: the repository is there and stays as visible as it is\n" in out


def test_a_dry_run_shows_everything_and_writes_nothing(
    hub: HubServer, publisher: Publisher, corpora: dict[str, Path]
) -> None:
    """Version with its reason, files with sizes, warnings, the card; only reading requests."""
    out = good(publisher.push(corpora["base"], "acme/dry", "--dry-run"))

    assert {each["method"] for each in hub.trace()} <= {"GET", "HEAD"}
    assert hub.store.load("datasets", "acme/dry") is None
    assert out.startswith("acme/dry v1.0.0\n  first release\n")
    for path in corpora["base"].glob("*/*"):
        name = path.relative_to(corpora["base"])
        assert f"{path.stat().st_size:>14,} bytes  {name}\n" in out
    assert "no licence is chosen, and the card says so" in out
    good(publisher.push(corpora["base"], "acme/dry"))
    assert out.endswith(f"the card would be:\n{card(hub, 'acme/dry')}\n")


def test_a_reader_cannot_push(
    hub: HubServer, publisher: Publisher, corpora: dict[str, Path]
) -> None:
    """One line, with no token in it, and the repository as before."""
    good(publisher.push(corpora["base"], "acme/read"))
    before = hub.store.load("datasets", "acme/read")

    refused = publisher.push(corpora["more"], "acme/read", token="hf_reader")

    assert refused.code == 2
    assert refused.err.startswith("understudy: dataset repository acme/read: the token may not")
    assert refused.err.count("\n") == 1 and "hf_reader" not in refused.err
    assert hub.store.load("datasets", "acme/read") == before


def test_a_pull_request_has_no_tag_before_it_is_merged(
    hub: HubServer, publisher: Publisher, corpora: dict[str, Path]
) -> None:
    """`main` is left alone; after the merge the same command without --pr tags it."""
    good(publisher.push(corpora["base"], "acme/asked"))
    main = hub.store.refs("datasets", "acme/asked")["refs/heads/main"]

    out = good(publisher.push(corpora["more"], "acme/asked", "--pr"))
    assert good(publisher.push(corpora["more"], "acme/asked", "--pr")) == out  # it is open already

    refs = hub.store.refs("datasets", "acme/asked")
    assert refs["refs/heads/main"] == main and tags(hub, "acme/asked") == ["v1.0.0"]
    assert "pull request: http" in out
    proposed = hub.store.contents("datasets", "acme/asked", "refs/pr/1")
    main_now = hub.store.contents("datasets", "acme/asked")
    merged: dict[str, bytes | None] = {**dict.fromkeys(main_now), **proposed}
    hub.store.add("datasets", "acme/asked", merged)  # as a squashing merge does
    good(publisher.push(corpora["more"], "acme/asked"))
    assert tags(hub, "acme/asked") == ["v1.0.0", "v1.0.1"]
    assert hub.store.contents("datasets", "acme/asked", "v1.0.1") == proposed


# ---- Whose text stays -----------------------------------------------------------------------


def edit(hub: HubServer, name: str, old: str, new: str) -> None:
    """Change the card on `main`, as somebody does on the web."""
    text = card(hub, name)
    assert old in text
    hub.store.add("datasets", name, {"README.md": text.replace(old, new).encode()})


def test_text_that_somebody_wrote_into_the_card_is_kept(
    hub: HubServer, publisher: Publisher, corpora: dict[str, Path]
) -> None:
    """Below its line, with the licence that was chosen on the web."""
    good(publisher.push(corpora["base"], "acme/words"))
    edit(hub, "acme/words", OWN_TEXT, f"{OWN_TEXT}\n\n## Thanks\n\nTo the slugs & <b>snails</b>.")
    edit(hub, "acme/words", "---\npretty", "---\nlicense: cc0-1.0\npretty")

    out = good(publisher.push(corpora["more"], "acme/words"))

    there = card(hub, "acme/words", "v1.0.1")
    assert there.endswith(f"{OWN_TEXT}\n\n## Thanks\n\nTo the slugs & <b>snails</b>.\n")
    assert "`cc0-1.0`, as the publisher chose." in there
    assert "licence" not in out


def test_an_edit_where_a_push_writes_stops_it(
    hub: HubServer, publisher: Publisher, corpora: dict[str, Path]
) -> None:
    """Nobody's words get lost unless that is allowed."""
    good(publisher.push(corpora["base"], "acme/edited"))
    edit(hub, "acme/edited", "Nobody checked the labels.", "I checked the labels.")

    refused = publisher.push(corpora["more"], "acme/edited")

    assert refused.code == 2 and "README.md was edited above the line" in refused.err
    good(publisher.push(corpora["more"], "acme/edited", "--allow", "card-edits"))
    assert "Nobody checked the labels." in card(hub, "acme/edited", "v1.0.1")


def test_a_card_that_lost_its_line_stops_a_push(
    hub: HubServer, publisher: Publisher, corpora: dict[str, Path]
) -> None:
    """What is whose could not be told."""
    good(publisher.push(corpora["base"], "acme/lost"))
    edit(hub, "acme/lost", OWN_TEXT, "")

    refused = publisher.push(corpora["more"], "acme/lost")

    assert refused.code == 2 and "README.md has lost a line; put it back" in refused.err


# ---- What is refused ------------------------------------------------------------------------


def test_a_secret_in_a_text_stops_a_push_until_it_is_allowed(
    hub: HubServer, publisher: Publisher, tmp_path: Path
) -> None:
    """Nothing is sent then; what is allowed is counted in the card."""
    texts = {**TEXTS, "sci/tech": (*TEXTS["sci/tech"], "Write to fern.frond@mossy-garden.org now.")}
    folder = little_corpus.write(tmp_path / "leaky", texts)

    refused = publisher.push(folder, "acme/leaky")

    assert refused.code == 2 and "personal_data: e-mail address in 1 of 7 texts" in refused.err
    assert "fern.frond" not in refused.err
    assert hub.store.load("datasets", "acme/leaky") is None
    good(publisher.push(folder, "acme/leaky", "--allow", "personal_data"))
    assert "| personal\\_data: e-mail address | 1 |" in card(hub, "acme/leaky")


def test_a_copy_of_a_real_text_stops_a_push(publisher: Publisher, tmp_path: Path) -> None:
    """Where real texts are at hand, the corpus is held against them."""
    from yaml import safe_dump

    task = little_corpus.TASK
    own = {
        "name": task.name,
        "title": task.title,
        "description": task.description,
        "labels": dict(task.labels),
        "prompt": {
            "context": task.prompt.context,
            "generate": "{count} {label} {meaning} {min_words} {max_words}",
        },
        "length_words": list(task.length_words),
    }
    (tmp_path / "plants.yaml").write_text(safe_dump(own, sort_keys=False))
    rows = [f'"{text}",{label}' for label, texts in TEXTS.items() for text in texts]
    fresh = [f"Moss number {i} grows on stone {i * 7}.,{la}" for i in range(20) for la in TEXTS]
    (tmp_path / "plants.train.csv").write_text("\n".join(["text,label", *fresh]))
    (tmp_path / "plants.test.csv").write_text("\n".join(["text,label", *rows]))
    folder = little_corpus.write(tmp_path / "copy")
    options: list[str | Path] = ["--task", tmp_path / "plants.yaml", "--real", tmp_path]

    refused = publisher.push(folder, "acme/copy", *options)

    assert refused.code == 2 and "leak: real test text in 6 of 6 texts" in refused.err


def drop_ids(parquet: Path) -> None:
    """Leave out a column that the file says it has."""
    pyarrow.parquet.write_table(pyarrow.parquet.read_table(parquet).drop(["id"]), parquet)


def lose_a_text(parquet: Path) -> None:
    """Put nothing in the place of the texts."""
    table = pyarrow.parquet.read_table(parquet)
    place = table.column_names.index("text")
    nothing = pyarrow.array([None] * len(table), pyarrow.string())
    pyarrow.parquet.write_table(table.set_column(place, "text", nothing), parquet)


def number_texts(parquet: Path) -> None:
    """Put numbers in the place of the texts."""
    table = pyarrow.parquet.read_table(parquet)
    place = table.column_names.index("text")
    numbers = pyarrow.array(range(len(table)))
    pyarrow.parquet.write_table(table.set_column(place, "text", numbers), parquet)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (drop_ids, "its columns are not those that it names"),
        (lose_a_text, "a text is missing or is no text"),
        (number_texts, "a text is missing or is no text"),
        (lambda parquet: parquet.write_bytes(b""), "Parquet file size is 0 bytes"),
        (lambda parquet: (parquet.parents[1] / "README.md").write_bytes(b"\xff"), "no UTF-8 text"),
    ],
)
def test_a_corpus_that_was_tampered_with_is_one_line(
    spoil: Callable[[Path], object],
    words: str,
    hub: HubServer,
    publisher: Publisher,
    tmp_path: Path,
) -> None:
    """What is not as a build wrote it is named, and nothing is sent."""
    folder = little_corpus.write(tmp_path / "spoilt")
    spoil(next(folder.glob("*/*.parquet")))

    refused = publisher.push(folder, "acme/spoilt")

    assert refused.code == 2 and words in refused.err
    assert refused.err.count("\n") == 1 and "build" in refused.err
    assert publisher.hub.store.load("datasets", "acme/spoilt") is None


@pytest.mark.parametrize("licence", ["mit\nfoo: bar", "<b>", "CC BY", ""])
def test_a_licence_is_an_identifier(
    licence: str, publisher: Publisher, corpora: dict[str, Path]
) -> None:
    """Anything else the Hub would refuse, or take for something it is not."""
    refused = publisher.push(corpora["base"], "acme/licence", "--license", licence)

    assert refused.code == 2 and "is no identifier like cc-by-4.0" in refused.err


def test_a_corpus_of_another_task_is_refused(
    publisher: Publisher, corpora: dict[str, Path], tmp_path: Path
) -> None:
    """It would replace what the repository is about."""
    good(publisher.push(corpora["base"], "acme/task"))
    other = little_corpus.write(tmp_path / "b", task=replace(little_corpus.TASK, name="stones"))

    refused = publisher.push(other, "acme/task")

    assert refused.code == 2 and "holds releases of task 'plants'" in refused.err


def test_a_tag_that_is_no_release_is_refused(
    hub: HubServer, publisher: Publisher, corpora: dict[str, Path]
) -> None:
    """What changed since could not be told."""
    hub.store.add("datasets", "acme/foreign", {"a.txt": b"x"}, "refs/tags/v1.0.0", private=True)

    refused = publisher.push(corpora["base"], "acme/foreign")

    assert refused.code == 2 and "acme/foreign v1.0.0: holds no release.json" in refused.err


# ---- A push that is killed ------------------------------------------------------------------


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[Publisher]:
    """Start a publisher with a Hub of its own, whose state may be set back."""
    with running_hub(tmp_path / "hub") as hub:
        person = Publisher(hub, tmp_path)
        yield person
        person.close()


def killed(publisher: Publisher, corpora: dict[str, Path], *, first: bool) -> Trial:
    """Return a trial of a first release, or of a second one with a row less."""
    corpus, before = ("base", None) if first else ("fewer", corpora["base"])
    return Trial(publisher, corpora[corpus], before, "acme/killed", "dataset")


@pytest.mark.parametrize("first", [True, False])
def test_a_killed_push_is_mended_by_the_next(
    lone: Publisher, corpora: dict[str, Path], first: bool
) -> None:
    """Killed before and after each request that writes: whole tags, and the same end."""
    trial = killed(lone, corpora, first=first)
    numbers = trial.writes()

    assert set(numbers) == {"put", "commit", "tag"} | ({"create"} if first else set())
    for number in numbers.values():
        trial.kill(number, "before")
        trial.kill(number, "after")


def test_a_push_that_was_given_up_is_told_of(
    hub: HubServer, publisher: Publisher, corpora: dict[str, Path]
) -> None:
    """The tagged corpus again: nothing to push, but `main` holds another that has no tag."""
    good(publisher.push(corpora["base"], "acme/left"))
    good(publisher.push(corpora["fewer"], "acme/left"))
    state = hub.store.load("datasets", "acme/left")
    assert state is not None
    del state["refs"]["refs/tags/v1.1.0"]  # as a kill between commit and tag leaves it
    hub.store.save("datasets", state)

    out = good(publisher.push(corpora["base"], "acme/left"))

    assert out == (
        "acme/left: v1.0.0 holds these rows, labels and prompts; nothing to push\n"
        "main holds 1.1.0 without its tag: push its corpus again, or another one\n"
    )


@pytest.mark.slow
@pytest.mark.parametrize("first", [True, False])
def test_a_push_killed_at_any_request_is_mended_by_the_next(
    lone: Publisher, corpora: dict[str, Path], first: bool
) -> None:
    """Every request of the trace, before it is carried out and after."""
    trial = killed(lone, corpora, first=first)

    assert len(trial.trace) > 15
    for number in range(1, len(trial.trace) + 1):
        trial.kill(number, "before")
        trial.kill(number, "after")
