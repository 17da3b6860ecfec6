"""Texts that are longer than the encoder takes: their ends teach and tell nothing."""

from collections.abc import Iterator

from evaluation.arms import REAL
from evaluation.records import WORD_PIECES, StudyRecords
from evaluation.report.wording import listed


def cut_texts(records: StudyRecords) -> tuple[str, ...]:
    """Say, for each limit of tokens, how many texts of which task are longer; nothing if none."""
    return tuple(_sentences(records))


def _sentences(records: StudyRecords) -> Iterator[str]:
    titles = {facts.task: facts.title for facts in records.tasks}
    longer: dict[tuple[str, int], list[str]] = {}
    for each in records.findings:
        values = each.values
        if each.kind == WORD_PIECES and values.get("cut"):
            what = "real test texts" if each.arm == REAL else f"{each.arm} texts"
            longer.setdefault((values["encoder"], values["limit"]), []).append(
                f"{values['cut']:,} of {values['texts']:,} {what} of "
                f"{titles.get(each.task, each.task)}"
            )
    for (encoder, limit), texts in longer.items():
        yield (
            f"The encoder {encoder} is given {limit:,} tokens of a text at most. Longer, and not "
            f"read to the end: {listed(texts)}."
        )
