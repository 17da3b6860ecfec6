"""What a study measured of a corpus, for its card: the gap to real texts, diversity, similarity."""

from collections.abc import Sequence

from builders.card import markdown
from builders.errors import UserError
from builders.facts import BuildRecord
from evaluation.records import StudyRecords
from evaluation.report.measures import DIVERSITY, MEASURES, SIMILARITY, mean_measure
from evaluation.report.results import StudyResults, TaskResult
from evaluation.uncertainty.scores import Interval

_SHOWN = (*DIVERSITY, *SIMILARITY)

_NOTES = (
    "Macro-F1 on real test texts and the gap to a classifier trained on as many real texts, in "
    "points of 100, means over seeds with 95 % intervals (bootstrap over test texts and seeds); a "
    "gap above 0 is a loss. Remote Clique and Chamfer are cosine distances on unit vectors; top-5 "
    "cosine is the mean similarity of a real text to the five texts nearest to it. An empty cell "
    "was not measured."
)


def evidence_of(
    records: StudyRecords, results: StudyResults, corpus: Sequence[BuildRecord], what: str
) -> str:
    """Return Markdown of what a study measured of a corpus.

    Args:
        records: The study.
        results: Its scores.
        corpus: The records of the corpus's configurations.
        what: How messages name the study.

    Raises:
        UserError: The study has nothing of the corpus, or measured other texts.
    """
    rows = [_row(records, results, own, what) for own in corpus]
    if not any(rows):
        raise UserError(f"{what}: measured nothing of {corpus[0].task}; name a study that did")
    encoder, trainer = records.settings.get("encoder"), records.settings.get("trainer")
    head = [
        *("configuration", "training texts a label", "test texts", "seeds", "macro-F1"),
        *("gap", *(MEASURES[measure] for measure in _SHOWN)),
    ]
    table = [head, ["---", *["---:"] * (len(head) - 1)], *filter(None, rows)]
    lines = [f"| {' | '.join(row)} |" for row in table]
    return "\n".join([*lines, "", f"{_NOTES} Trainer: {trainer}; encoder: {encoder}."])


def _row(
    records: StudyRecords, results: StudyResults, own: BuildRecord, what: str
) -> list[str] | None:
    """Return one configuration's row, None where the study has nothing of it."""
    same = [c for c in records.corpora if (c.task, c.strategy) == (own.task, own.strategy)]
    if not same:
        return None
    if all(each.content_hash != own.content_hash for each in same):
        raise UserError(
            f"{what}: its {own.strategy} of {own.task} are other texts than those that are pushed; "
            "push the corpus of the study, or run the study with this one"
        )
    task = next((t for t in results.on_real if t.facts.task == own.task), None)
    return [markdown(own.strategy), *_scores(task, own.strategy), *_measures(records, own)]


def _scores(task: TaskResult | None, strategy: str) -> list[str]:
    arm = task.arm(strategy) if task else None
    if arm is None:
        return [""] * 5
    sizes = sorted({n for seed in arm.n_per_label for n in seed.values()})
    between = str(sizes[0]) if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    scores = [_points(arm.macro_f1), _points(arm.gap)]
    return [between, f"{arm.n_test:,}", str(len(arm.seeds)), *scores]


def _measures(records: StudyRecords, own: BuildRecord) -> list[str]:
    values = [mean_measure(records, own.task, own.strategy, measure) for measure in _SHOWN]
    return ["" if value is None else f"{value:.3f}" for value in values]


def _points(interval: Interval | None) -> str:
    if interval is None:
        return ""
    low, high = 100 * interval.low, 100 * interval.high
    return f"{100 * interval.value:.1f} ({low:.1f} to {high:.1f})"
