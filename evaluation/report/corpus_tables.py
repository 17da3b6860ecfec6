"""The tables about where the texts come from: corpora and real data."""

from collections.abc import Sequence

from evaluation.records import CorpusRecord, StudyRecords, TaskFacts
from evaluation.report.cut_texts import cut_texts
from evaluation.report.scoring import in_table_order
from evaluation.report.table import Cell, Column, Table
from evaluation.report.wording import counted

NOT_CHECKED = "not checked"


def corpora_table(records: StudyRecords) -> Table:
    """Build the table of what building each corpus gave, with every reason and shortfall."""
    columns = (
        Column("task", number=False),
        Column("strategy", number=False),
        Column("candidates"),
        Column("kept"),
        Column("surplus"),
        Column("rejected, by reason", number=False, wide=True),
        Column("warnings", number=False, wide=True),
        Column("shortfall", number=False, wide=True),
    )
    llms = list(dict.fromkeys((corpus.llm, corpus.caveats) for corpus in records.corpora))
    rows = []
    for facts in in_table_order(records.tasks):
        for corpus in records.corpora:
            if corpus.task != facts.task:
                continue
            number = llms.index((corpus.llm, corpus.caveats)) + 1
            strategy = Cell(corpus.strategy, f"LLM {number}" if len(llms) > 1 else "")
            rows.append((Cell(facts.title), strategy, *_corpus(corpus, facts)))
    return Table("corpora", "Corpora", columns, tuple(rows), _corpora_notes(records, llms))


def _corpora_notes(
    records: StudyRecords, llms: Sequence[tuple[str, tuple[str, ...]]]
) -> tuple[str, ...]:
    notes = []
    for number, (llm, caveats) in enumerate(llms, start=1):
        which = f"LLM {number}" if len(llms) > 1 else "LLM of every corpus"
        notes.append(" ".join(f"{part.rstrip('.')}." for part in (f"{which}: {llm}", *caveats)))
    notes.append(
        "Candidates are the texts parsed out of the answers. Every rejected one has a reason. "
        "Surplus texts passed but were not needed; warned texts were kept."
    )
    if any(NOT_CHECKED in corpus.statuses.values() for corpus in records.corpora):
        notes.append(
            f"{NOT_CHECKED.capitalize()} means that what the check compares with was not at hand: "
            "nothing is known about it."
        )
    return tuple(notes)


def _corpus(corpus: CorpusRecord, facts: TaskFacts) -> tuple[Cell, ...]:
    totals: dict[str, int] = {}
    for reasons in corpus.rejected.values():
        for reason, count in reasons.items():
            totals[reason] = totals.get(reason, 0) + count
    unchecked = [reason for reason, status in corpus.statuses.items() if status == NOT_CHECKED]
    rejected = [counted(totals) or "none"]
    if unchecked:
        rejected.append(f"{NOT_CHECKED}: {', '.join(unchecked)}")
    failed = counted(corpus.failed_requests)
    if failed:
        rejected.append(f"answers without a usable text: {failed}")
    return (
        Cell(f"{corpus.candidates:,}"),
        Cell(f"{sum(corpus.kept.values()):,}"),
        Cell(f"{sum(corpus.surplus.values()):,}"),
        Cell(rejected[0], "; ".join(rejected[1:])),
        Cell(counted(corpus.warnings) or "none"),
        Cell(_shortfall(corpus, facts) or "none"),
    )


def _shortfall(corpus: CorpusRecord, facts: TaskFacts) -> str:
    asked = corpus.requested_per_label
    parts = []
    for name in dict.fromkeys((*facts.label_names, *corpus.kept)):
        kept = corpus.kept.get(name, 0)
        if kept < asked:
            why = counted(corpus.rejected.get(name, {}))
            because = f", rejected: {why}" if why else ""
            parts.append(f"{name} {asked - kept:,} ({kept:,} of {asked:,}{because})")
    return "; ".join(parts)


def real_data_table(records: StudyRecords) -> Table:
    """Build the table of the real data: source, sizes, what was dropped or removed."""
    columns = (
        Column("task", number=False),
        Column("source", number=False, wide=True),
        Column("training texts"),
        Column("test texts"),
        Column("dropped values (rows)", number=False, wide=True),
        Column("removed from training"),
    )
    rows = []
    for facts in in_table_order(records.tasks):
        source = facts.real_source
        rows.append(
            (
                Cell(facts.title),
                Cell(source or "not at hand"),
                Cell(f"{facts.n_real_train:,}" if source else "-"),
                Cell(f"{facts.n_real_test:,}" if source else "-"),
                Cell((counted(facts.dropped) or "none") if source else "-"),
                Cell(f"{facts.moved:,}" if source else "-"),
            )
        )
    notes = (
        "Dropped: rows whose value the task has no label for.",
        "Removed: training texts that the test split holds too (case and punctuation ignored).",
        *cut_texts(records),
    )
    return Table("real-data", "Real data", columns, tuple(rows), notes)
