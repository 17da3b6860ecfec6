"""What a study measured of a corpus, as its card says it; and what it may not be said of."""

from dataclasses import replace
from pathlib import Path

import pytest
from little_corpus import TASK, write

from builders.corpus import CARD, read_records
from builders.errors import UserError
from builders.facts import CorpusRecord
from evaluation.records import MeasureRecord, StudyRecords, TaskFacts
from evaluation.report.results import ArmResult, StudyResults, TaskResult
from evaluation.uncertainty.scores import Interval
from push_scripts.corpus_difference import with_card
from push_scripts.evidence import evidence_of
from push_scripts.hub_card import ReleaseNotes, evidence_in, released_card
from push_scripts.versions import Change, Level

FACTS = TaskFacts(TASK.name, TASK.title, TASK.label_names, None, "files", 40, 60, {}, 0, "real")
SCORES = ArmResult(
    arm="zero_shot",
    evaluated_on="real",
    seeds=(0, 1),
    macro_f1=Interval(0.8125, 0.75, 0.875, 0.95),
    accuracy=Interval(0.9, 0.8, 0.95, 0.95),
    gap=Interval(0.0625, -0.01, 0.125, 0.95),
    n_train=(6, 6),
    n_per_label=({"sci/tech": 3, "out door": 3}, {"sci/tech": 3, "out door": 3}),
    n_test=1200,
)


@pytest.fixture
def corpus(tmp_path: Path) -> list[CorpusRecord]:
    """Return the record of a corpus of one configuration."""
    records = read_records(write(tmp_path / "corpus"))
    return [each for each in records if isinstance(each, CorpusRecord)]


def study(corpora: list[CorpusRecord]) -> tuple[StudyRecords, StudyResults]:
    """Return a study of these corpora with one task and one measure."""
    measure = MeasureRecord("k", TASK.name, "zero_shot", "remote_clique", 0.8765, 6)
    settings: dict[str, str | int | float | bool | None] = {"encoder": "minilm", "trainer": "probe"}
    records = StudyRecords(settings, (FACTS,), ("zero_shot",), (), (), (measure,), tuple(corpora))
    task = TaskResult(FACTS, (SCORES,))
    return records, StudyResults(on_real=(task,), on_corpora=(), arms=("zero_shot",))


def test_gap_diversity_and_similarity_stand_in_one_row(corpus: list[CorpusRecord]) -> None:
    """Points of 100 with intervals; what was not measured is empty, not 0."""
    row = evidence_of(*study(corpus), corpus, "--study one").splitlines()[2]

    assert row == (
        r"| zero\_shot | 3 | 1,200 | 2 | 81.2 (75.0 to 87.5) | 6.2 (-1.0 to 12.5) | 0.876 |  |  |"
    )


def test_a_study_of_other_texts_is_refused(corpus: list[CorpusRecord]) -> None:
    """A card never gives the scores of texts that are not in the corpus."""
    other = [replace(corpus[0], content_hash="0" * 64)]

    with pytest.raises(UserError, match="--study one: its zero_shot of plants are other texts"):
        evidence_of(*study(other), corpus, "--study one")


def test_a_study_without_the_corpus_is_refused(corpus: list[CorpusRecord]) -> None:
    """It is named, so that another one can be."""
    with pytest.raises(UserError, match="--study one: measured nothing of plants"):
        evidence_of(*study([]), corpus, "--study one")


def test_the_card_has_the_evidence_only_where_a_study_was_named(
    corpus: list[CorpusRecord], tmp_path: Path
) -> None:
    """A section of its own, above the line for the user's own text."""
    built = (tmp_path / "corpus" / CARD).read_text(encoding="utf-8")
    without = ReleaseNotes("acme/plants", "1.0.0", None, {"1.0.0": ("first",)}, "none found")
    measured = replace(without, evidence=evidence_of(*study(corpus), corpus, "--study one"))

    cards = [released_card(built, None, notes, "card").text for notes in (without, measured)]

    assert "## Measured on real text" not in cards[0]
    assert "## Measured on real text" in cards[1]
    assert "6.2 (-1.0 to 12.5)" in cards[1]


def test_evidence_that_a_release_does_not_have_is_a_patch(
    corpus: list[CorpusRecord], tmp_path: Path
) -> None:
    """The same again is none, and none keeps what the release has."""
    built = (tmp_path / "corpus" / CARD).read_text(encoding="utf-8")
    evidence = evidence_of(*study(corpus), corpus, "--study one")
    notes = ReleaseNotes("acme/plants", "1.0.0", None, {"1.0.0": ("first",)}, "none found")
    bare = released_card(built, None, notes, "card").text
    card = released_card(built, None, replace(notes, evidence=evidence), "card").text
    same = Change(Level.NONE, ())

    said = with_card(same, bare, None, evidence, "card")

    assert said == Change(Level.PATCH, ("what a study measured of it changed",))
    assert with_card(same, card, None, evidence, "card") == same
    assert with_card(same, card, None, "", "card") == same
    assert (evidence_in(bare), evidence_in(card)) == ("", evidence)
