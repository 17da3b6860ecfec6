"""What an encoder does not read of the texts of a study, in words."""

from dataclasses import replace

from evaluation.records import WORD_PIECES, FindingRecord, StudyRecords, TaskFacts
from evaluation.report.corpus_tables import real_data_table
from evaluation.report.cut_texts import cut_texts

FACTS = TaskFacts("films", "Films", ("bad", "good"), 3, "own", 400, 100, {}, 0, "real")


def study(*cut: tuple[str, int]) -> StudyRecords:
    """Return a study in which so many texts of each arm are longer than 256 tokens."""
    findings = tuple(
        FindingRecord(
            arm,
            "films",
            WORD_PIECES,
            arm,
            {"encoder": "minilm", "texts": 1500, "cut": n, "limit": 256},
        )
        for arm, n in cut
    )
    return StudyRecords({}, (FACTS,), (), (), (), (), (), findings=findings)


def test_each_arm_with_longer_texts_is_named() -> None:
    """The table of the real data says it in a note; an arm without any is left out."""
    records = study(("real", 1234), ("zero_shot", 0), ("few_shot", 3))

    (said,) = cut_texts(records)

    assert said == (
        "The encoder minilm is given 256 tokens of a text at most. Longer, and not read to the "
        "end: 1,234 of 1,500 real test texts of Films and 3 of 1,500 few_shot texts of Films."
    )
    assert said in real_data_table(records).notes


def test_nothing_is_said_where_all_is_read() -> None:
    """Nor of an encoder that only measures, of which nobody counted it."""
    measured = FindingRecord("k", "films", WORD_PIECES, "real", {"encoder": "minilm", "words": 9})

    assert cut_texts(study(("real", 0))) == ()
    assert cut_texts(replace(study(), findings=(measured,))) == ()
