"""Texts in a language that an encoder may not know: a warning above everything."""

from collections.abc import Iterator

from evaluation.arms import REAL
from evaluation.records import WORD_PIECES, StudyRecords
from evaluation.report.wording import listed


def foreign_texts(records: StudyRecords) -> str:
    """Name the tasks whose texts an encoder cuts as it would a foreign language; empty if none."""
    return " ".join(_sentences(records))


def _sentences(records: StudyRecords) -> Iterator[str]:
    titles = {facts.task: facts.title for facts in records.tasks}
    foreign: dict[tuple[str, str], list[str]] = {}
    for each in records.findings:
        if each.kind == WORD_PIECES and each.values.get("foreign"):
            what = "real texts" if each.arm == REAL else f"{each.arm} texts"
            if each.values["words"]:
                pieces, unknown = each.values["pieces"], 100 * each.values["unknown"]
                what += f" ({pieces:.1f} pieces a word, {unknown:.0f} % of the words unknown)"
            else:
                what += " (nothing that it takes for a word)"
            foreign.setdefault((each.task, each.values["encoder"]), []).append(what)
    for (task, encoder), texts in foreign.items():
        yield (
            f"The encoder {encoder} may not know the language of {titles.get(task, task)}: "
            f"{listed(texts)}. What it scores and measures there says little; choose one for the "
            "language with --encoder."
        )
