"""Other ways to spend the same LLM: it labels real texts, or classifies by itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from builders.annotation import LabellingRecord, membership
from builders.facts import BuildRecord
from builders.strategies import STRATEGIES
from evaluation.arms import GOLD_LABELLED, LLM, LLM_LABELLED, REAL
from evaluation.records import CorpusRecord, StudyRecords
from evaluation.report.results import StudyResults, TaskResult
from evaluation.report.score_tables import NONE, interval_cell, task_cell
from evaluation.report.section import Block, Entry, Section
from evaluation.report.table import Cell, Column, Table
from evaluation.report.verdict import Finding, finding_of
from evaluation.report.wording import listed
from evaluation.uncertainty.scores import Interval
from evaluation.worth.spending import matched_sizes


@dataclass(frozen=True)
class Comparison:
    """Labelled real texts against written ones of one strategy, on the same test texts.

    Attributes:
        strategy: The strategy.
        per_label: Written texts of each label.
        written: Macro-F1 of the written texts.
        lead: Macro-F1 of the labelled texts minus that; above 0, labelling is the better use.
    """

    strategy: str
    per_label: int
    written: Interval
    lead: Interval


def comparisons(
    task: TaskResult, records: StudyRecords, *, by_cost: bool
) -> tuple[Comparison, ...]:
    """Compare labelled real texts with as many written ones, or with those of the same cost."""
    bootstrap, labelling = task.bootstrap, labelling_of(records, task.facts.task, "train")
    if bootstrap is None or labelling is None or LLM_LABELLED not in bootstrap:
        return ()
    found = []
    for strategy in STRATEGIES:
        corpus = _corpus_of(records, task.facts.task, strategy)
        if corpus is None:
            continue
        sizes = matched_sizes(labelling, corpus)
        size = sizes.cost if by_cost else sizes.number
        arm = f"{strategy}@{size}"
        if size is not None and arm in bootstrap:
            lead = bootstrap.macro_f1(LLM_LABELLED) - bootstrap.macro_f1(arm)
            written = bootstrap.macro_f1(arm).interval()
            found.append(Comparison(strategy, size, written, lead.interval()))
    return tuple(found)


def labelling_of(records: StudyRecords, task: str, split: str) -> LabellingRecord | None:
    """Return what labelling the `train` or `test` texts of a task gave."""
    wanted = (task, split)
    return next((each for each in records.labellings if (each.task, each.split) == wanted), None)


def alternatives_section(records: StudyRecords, results: StudyResults) -> tuple[Section, ...]:
    """Compare the ways; nothing where the LLM labelled and classified nothing."""
    tables = [
        *_labelled(records, results, by_cost=False),
        *_labelled(records, results, by_cost=True),
        *_classified(records, results),
    ]
    if not tables:
        return ()
    blocks = [Block(text=sentence) for sentence in _sentences(records, results)]
    blocks += [Block(table=table) for table in tables]
    known = _membership(records)
    if known:
        blocks += [Block(heading="Does the LLM know the test texts?"), Block(entries=known)]
    return (Section("ways", "Other ways to spend the same LLM", "Other ways", tuple(blocks)),)


def _sentences(records: StudyRecords, results: StudyResults) -> Iterator[str]:
    """Say on how many tasks labelling beats writing."""
    for by_cost, at in ((False, "At equal number"), (True, "At equal cost")):
        leads: dict[str, list[Finding]] = {}
        for task in results.on_real:
            for each in comparisons(task, records, by_cost=by_cost):
                leads.setdefault(each.strategy, []).append(finding_of(each.lead))
        parts = [
            f"against {strategy} text on {found.count(Finding.LOSS)} of {len(found)} tasks (and "
            f"worse on {found.count(Finding.GAIN)})"
            for strategy, found in leads.items()
        ]
        if parts:
            yield (
                f"{at}, real texts with the LLM's labels give a better classifier {listed(parts)}; "
                "on the others the interval of the difference holds 0."
            )


def _labelled(records: StudyRecords, results: StudyResults, *, by_cost: bool) -> Iterator[Table]:
    found = {
        task.facts.task: {c.strategy: c for c in comparisons(task, records, by_cost=by_cost)}
        for task in results.on_real
    }
    strategies = [name for name in STRATEGIES if any(name in own for own in found.values())]
    if not strategies:
        return
    columns = [Column("task", number=False), Column("labelled texts"), Column(LLM_LABELLED)]
    if not by_cost:
        columns += [Column(GOLD_LABELLED), Column("cost of its mistakes")]
    for strategy in strategies:
        columns += [
            Column("texts a label", group=strategy),
            Column("macro-F1", group=strategy),
            Column("labelled minus written", group=strategy),
        ]
    rows, left_out = [], []
    for task in results.on_real:
        own = found[task.facts.task]
        labelling = labelling_of(records, task.facts.task, "train")
        if labelling is None:
            continue
        if not own:
            left_out.append(task.facts.title)
            continue
        row = [task_cell(task), Cell(f"{labelling.labelled:,}"), _score(task, LLM_LABELLED)]
        if not by_cost:
            row += [_score(task, GOLD_LABELLED), _difference(task, GOLD_LABELLED, LLM_LABELLED)]
        for strategy in strategies:
            row += _compared(own.get(strategy))
        rows.append(tuple(row))
    what = "the same cost" if by_cost else "equal number"
    yield Table(
        "ways-cost" if by_cost else "ways-number",
        f"Labelled against written texts at {what}: macro-F1 on real text (%)",
        tuple(columns),
        tuple(rows),
        (*_labelled_notes(by_cost), *_left_out(left_out)),
    )


def _labelled_notes(by_cost: bool) -> tuple[str, ...]:
    if by_cost:
        return (
            "So many written texts cost as much as the labelled ones did. Tokens are as servers "
            "counted them, estimated at four bytes a token where they did not; a token of an "
            "answer counts as four of a prompt.",
        )
    return (
        f"{LLM_LABELLED}: real texts in their natural mix with the labels that the LLM gave them. "
        f"{GOLD_LABELLED}: the same texts with their own labels; what the LLM's mistakes cost is "
        "the difference. Written texts: as many in all, or up to a tenth fewer where the corpus "
        "has no more, in equal parts of each label.",
        "Labelling takes real texts without labels; writing takes none (few_shot: some with "
        "labels).",
    )


def _left_out(titles: list[str]) -> tuple[str, ...]:
    """Name the tasks whose labelled texts have nothing to be compared with."""
    if not titles:
        return ()
    return (f"Not compared, as too few texts were written or runs are missing: {listed(titles)}.",)


def _compared(found: Comparison | None) -> list[Cell]:
    if found is None:
        return [NONE] * 3
    return [Cell(str(found.per_label)), interval_cell(found.written), interval_cell(found.lead)]


def _score(task: TaskResult, arm: str) -> Cell:
    result = task.arm(arm)
    return interval_cell(result.macro_f1 if result else None)


def _difference(task: TaskResult, reference: str, other: str) -> Cell:
    bootstrap = task.bootstrap
    if bootstrap is None or reference not in bootstrap or other not in bootstrap:
        return NONE
    return interval_cell(bootstrap.gap(reference, other).interval())


def _classified(records: StudyRecords, results: StudyResults) -> Iterator[Table]:
    """Yield the table of the LLM itself beside the other arms, on the texts that it classified."""
    tasks = [task for task in results.on_real if task.classified is not None]
    if not tasks:
        return
    shown = (REAL, *STRATEGIES, LLM_LABELLED)
    arms = [arm for arm in shown if any(t.classified and arm in t.classified for t in tasks)]
    rows = []
    for task in tasks:
        scores, record = task.classified, labelling_of(records, task.facts.task, "test")
        if scores is None or record is None:
            continue
        cells = [interval_cell(scores.macro_f1(LLM).interval())]
        for arm in arms:
            there = arm in scores
            cells.append(interval_cell(scores.macro_f1(arm).interval() if there else None))
        rows.append((task_cell(task), Cell(f"{record.asked:,}"), *cells, _tokens(record)))
    yield Table(
        "ways-classifier",
        "The LLM itself as the classifier, every arm on the same test texts: macro-F1 (%)",
        (
            Column("task", number=False),
            Column("test texts"),
            Column(LLM),
            *(Column(arm) for arm in arms),
            Column("tokens for 1,000 texts"),
        ),
        tuple(rows),
        (
            "A text without a usable answer counts as wrong. Intervals of the LLM are over test "
            "texts only; one without width, as where every answer is right, is no certainty. "
            "Tokens: of prompts and, smaller, of answers; a trained classifier takes "
            "none.",
        ),
    )


def _tokens(record: BuildRecord) -> Cell:
    texts = sum(record.kept.values())
    if not texts:
        return NONE
    cost = record.use.per_text(texts)
    about = "about " if cost.estimated else ""
    return Cell(
        f"{about}{_rounded(1000 * cost.prompt)}", f"{about}{_rounded(1000 * cost.answer)} answered"
    )


def _rounded(tokens: float) -> str:
    return f"{round(tokens, -2):,.0f}"


def _membership(records: StudyRecords) -> tuple[Entry, ...]:
    """Say for each task what speaks for it that the LLM knows its test texts."""
    entries = []
    for facts in records.tasks:
        sides: Mapping[str, LabellingRecord | None] = {
            split: labelling_of(records, facts.task, split) for split in ("train", "test")
        }
        train, test = (each.agreement if each else None for each in sides.values())
        if train is None or test is None or not train.texts or not test.texts:
            continue
        written = _corpora_of(records, facts.task)
        entries.append(Entry(facts.title, membership(train, test, written).sentence()))
    return tuple(entries)


def _corpora_of(records: StudyRecords, task: str) -> Sequence[CorpusRecord]:
    return [each for each in records.corpora if each.task == task]


def _corpus_of(records: StudyRecords, task: str, strategy: str) -> CorpusRecord | None:
    return next((c for c in _corpora_of(records, task) if c.strategy == strategy), None)
