"""The card of a release: whose text stays, what a hostile one can do, and what is no corpus."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import little_corpus
import pytest
from huggingface_hub import DatasetCard

from builders.card import OWN_TEXT
from builders.errors import UserError
from push_scripts.corpus_release import read_folder
from push_scripts.hub_card import ReleaseNotes, generated_digest, own_text, released_card

NOTES = ReleaseNotes(
    "acme/plants",
    "1.1.0",
    None,
    {"1.1.0": ("zero_shot: rows 1 added (7 now)",), "1.0.0": ("first release",)},
    "| looked for | texts |\n| --- | ---: |\n| keys | 0 |",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a corpus folder."""
    return little_corpus.write(tmp_path_factory.mktemp("corpus") / "plants")


@pytest.fixture(scope="module")
def built(folder: Path) -> str:
    """Return the card of a corpus folder."""
    return (folder / "README.md").read_text(encoding="utf-8")


def released(built: str, there: str | None = None, **changes: Any) -> str:
    """Return the card of a release."""
    return released_card(built, there, replace(NOTES, **changes), "acme/plants: README.md").text


def data(card: str) -> dict[str, Any]:
    """Return the YAML block as the Hub's own class reads it."""
    parsed: Any = DatasetCard(card)
    block: dict[str, Any] = parsed.data.to_dict()
    return block


# ---- What a push writes ---------------------------------------------------------------------


def test_the_version_stands_with_every_configuration(built: str) -> None:
    """There `datasets` reads it, so that a consumer can assert it."""
    assert [each["version"] for each in data(released(built))["configs"]] == ["1.1.0"]


def test_the_changelog_has_an_entry_for_each_release_the_newest_first(built: str) -> None:
    """With the reasons of each."""
    changelog = released(built).split("## Changelog\n")[1].split(OWN_TEXT)[0]

    said = "### 1.1.0 - zero\\_shot: rows 1 added (7 now) ### 1.0.0 - first release"
    assert " ".join(changelog.split()) == said


def test_the_code_of_the_card_names_the_repository_and_the_tag(built: str) -> None:
    """Who copies it gets this release, and an error where it is another."""
    card = released(built)

    assert 'corpus = load_dataset("acme/plants", "zero_shot")\n' in card
    assert '"zero_shot", split="train", revision="v1.1.0")\n' in card
    assert 'assert str(corpus.info.version) == "1.1.0"\n' in card
    assert "PATH_OR_REPOSITORY" not in card


def test_without_a_licence_the_card_says_so_and_guesses_none(built: str) -> None:
    """An LLM's terms are the publisher's to know."""
    card = released(built)

    assert "license" not in data(card)
    assert "## Licence\n\nNot chosen." in card


def test_a_licence_that_is_chosen_stands_in_the_block_and_in_the_text(built: str) -> None:
    """As the publisher named it."""
    card = released(built, licence="cc-by-4.0")

    assert data(card)["license"] == "cc-by-4.0"
    assert "`cc-by-4.0`, as the publisher chose." in card


def test_a_release_of_a_pulled_folder_has_the_sections_of_a_release_once(built: str) -> None:
    """Its card has those of the release that was pulled; they go."""
    again = released(released(built), version="2.0.0", changelog={"2.0.0": ("first release",)})

    assert again.count("## Changelog") == again.count("## This release") == 1
    assert "1.1.0" not in again


# ---- Whose text stays -----------------------------------------------------------------------


@pytest.mark.parametrize("own", ["", "\n## Thanks\n\nTo the slugs.\n", "no end of line"])
def test_text_below_the_line_is_kept_to_the_letter(built: str, own: str) -> None:
    """It is what somebody wrote; the next release has it too."""
    there = released(built) + own

    again = released(built, there, version="2.0.0")

    assert again.split(f"{OWN_TEXT}\n")[1] == own == own_text(again)


def test_text_below_the_line_of_the_folder_is_released(built: str) -> None:
    """On a first release, and where nothing stands below the line on the Hub."""
    own = built + "\n## Thanks\n\nTo the slugs.\n"

    assert own_text(released(own)) == "\n## Thanks\n\nTo the slugs.\n"
    assert own_text(released(own, released(built))) == "\n## Thanks\n\nTo the slugs.\n"


def test_two_texts_below_the_line_are_refused_until_one_is_given_up(built: str) -> None:
    """Neither is lost in silence; white space makes no other text."""
    here, there = built + "Mine.\n", released(built) + "Theirs.\n"

    assert own_text(released(here, there.replace("Theirs.", " Mine.\r\n"))) == " Mine.\r\n\n"
    with pytest.raises(UserError, match=r"README\.md: has another text below .* card-edits"):
        released(here, there)
    assert own_text(released_card(here, there, NOTES, "x", replace=True).text) == "Mine.\n"


def test_a_card_of_somebodys_own_is_kept_below_the_line(built: str) -> None:
    """A repository that was made by hand keeps its words."""
    card = released(built, "---\nlanguage: en\n---\n# My plants\n\nSee the fern.\n")

    assert own_text(card) == "\n# My plants\n\nSee the fern.\n"
    assert data(card)["language"] == "en"


def test_a_licence_on_the_hub_is_kept_until_another_is_given(built: str) -> None:
    """Whoever wrote it into the card there chose it."""
    there = released(built, licence="mit")

    assert data(released(built, there))["license"] == "mit"
    assert data(released(released(built, licence="other"), there))["license"] == "mit"
    assert "`mit`, as the publisher chose." in released(built, there)
    assert data(released(built, there, licence="cc0-1.0"))["license"] == "cc0-1.0"


def test_tags_on_the_hub_are_kept_and_configurations_are_not(built: str) -> None:
    """Files and splits of another state of the repository would be wrong."""
    there = (
        "---\ntags: [garden, synthetic]\nconfigs: [{config_name: old, data_files: x}]\n"
        "dataset_info: {splits: [{name: train, num_examples: 99}]}\n---\n"
    )

    block = data(released(built, there))

    assert block["tags"] == ["synthetic", "understudy", "garden"]
    assert [each["config_name"] for each in block["configs"]] == ["zero_shot"]
    assert "dataset_info" not in block


def test_an_edit_above_the_line_is_told_from_text_below_it(built: str) -> None:
    """By a digest, to which white space and an editor's line ends do not count."""
    card = released_card(built, None, NOTES, "x")

    assert generated_digest(card.text + "\nmine\n") == card.digest
    assert generated_digest(card.text.replace("\n", "\r\n")) == card.digest
    assert generated_digest(card.text.replace("Nobody checked", "I checked")) != card.digest
    assert generated_digest("# By hand\n") is None


@pytest.mark.parametrize("block", ["license: [", "- a list", "a: b: c", "!!python/object:x {}"])
def test_a_block_on_the_hub_that_cannot_be_read_is_refused(built: str, block: str) -> None:
    """Nothing in it may be lost, so somebody has to mend it."""
    with pytest.raises(UserError, match=r"^acme/plants: README\.md: its YAML block .*; mend it$"):
        released(built, f"---\n{block}\n---\n# Mine\n")


# ---- Hostile words --------------------------------------------------------------------------


def test_a_hostile_task_breaks_neither_the_block_nor_the_page(tmp_path: Path) -> None:
    """Titles, labels and meanings that hold YAML, HTML and the card's own marks are text."""
    block = "x\n---\nlicense: mit\n---\n<script>alert(1)</script>"
    evil = f"{block}\n{OWN_TEXT}\n## Changelog {{{{ 1 }}}}"
    texts = {evil: little_corpus.TEXTS["sci/tech"], "b": little_corpus.TEXTS["out door"]}
    task = replace(little_corpus.TASK, title=evil, description=evil, labels={evil: evil, "b": evil})
    folder = little_corpus.write(tmp_path / "evil", texts, task=task)
    changes = {"1.1.0": (f"labels changed (with {evil})",)}

    card = released((folder / "README.md").read_text(encoding="utf-8"), changelog=changes)

    assert "license" not in data(card)
    assert data(card)["pretty_name"] == f"{evil}: synthetic texts"
    assert own_text(card) == ""
    lines = DatasetCard(card).text.splitlines()
    assert lines.count(OWN_TEXT) == 1
    assert [line for line in lines if line.startswith("## Changelog")] == ["## Changelog"]
    assert "{{ 1 }}" in card
    markup = [line for line in lines if "<script>" in line and "`" not in line]
    assert len(markup) == 1 and markup[0].startswith("  title = {x ---")  # inside a block of code


# ---- What is no corpus ----------------------------------------------------------------------


def test_hidden_files_are_no_part_of_a_release(tmp_path: Path) -> None:
    """Nor is anything else that a build did not write."""
    folder = little_corpus.write(tmp_path / "plants")
    (folder / ".lock").touch()
    (folder / "zero_shot" / ".token").write_text("hush")
    (folder / "notes.txt").write_text("mine")

    names = [path.partition("-")[0] for path in read_folder(folder).files]

    assert names == ["zero_shot/train", "zero_shot/corpus.json"]


@pytest.mark.parametrize("there", [None, "file", "empty", "card"])
def test_what_is_no_corpus_is_refused(tmp_path: Path, there: str | None) -> None:
    """With its path, and what to give instead."""
    place = tmp_path / "thing"
    if there == "file":
        place.touch()
    elif there is not None:
        place.mkdir()
    if there == "card":
        (place / "README.md").write_text("# Mine\n")

    with pytest.raises(UserError, match=r"thing: is no (corpus|folder); give .* build wrote"):
        read_folder(place)


def test_a_configuration_with_files_of_another_build_is_refused(tmp_path: Path) -> None:
    """A build that was killed between its files is run again first."""
    folder = little_corpus.write(tmp_path / "plants")
    (path,) = (folder / "zero_shot").glob("*.parquet")
    path.rename(path.with_name(f"train-{'0' * 16}-00000-of-00001.parquet"))

    with pytest.raises(UserError, match="its configuration zero_shot is not whole; build it again"):
        read_folder(folder)


def test_a_corpus_of_a_build_that_left_no_prompts_is_refused(tmp_path: Path) -> None:
    """Whether they changed could never be told."""
    folder = little_corpus.write(tmp_path / "plants")
    card = folder / "README.md"
    card.write_text(card.read_text().replace("understudy:\n", "other:\n"))

    with pytest.raises(UserError, match="does not say how the LLM was asked"):
        read_folder(folder)


def test_other_words_for_the_llm_are_another_recipe(tmp_path: Path) -> None:
    """The prompt, what a label means and how long a text is to be; not the title."""
    task = little_corpus.TASK

    def prompts(changed: Any) -> str:
        folder = little_corpus.write(tmp_path / str(id(changed)), task=changed)
        return read_folder(folder).configurations["zero_shot"].prompts

    before = prompts(task)
    assert prompts(replace(task, title="Flowers")) == before
    others = [
        replace(task, prompt=replace(task.prompt, context="You are a botanist.")),
        replace(task, prompt=replace(task.prompt, generate="{count} on {label}, please.")),
        replace(task, labels={**task.labels, "out door": "on a balcony"}),
        replace(task, length_words=(3, 13)),
    ]
    assert len({before, *map(prompts, others)}) == 5
