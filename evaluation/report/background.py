"""What surrounds the scores: runs that are not there, how to read the page, settings, versions."""

from collections.abc import Iterable, Mapping

from evaluation.arms import REAL, REAL_FULL
from evaluation.records import StudyRecords
from evaluation.report.results import StudyResults
from evaluation.report.section import Entry
from evaluation.report.wording import listed


def absent_runs(records: StudyRecords) -> tuple[Entry, ...]:
    """Name every planned run that has no score: skipped with its reason, or missing."""
    titles = {facts.task: facts.title for facts in records.tasks}
    skipped: dict[tuple[str, str, str], list[int]] = {}
    for run in records.runs:
        if run.status == "skipped":
            skipped.setdefault((run.task, run.arm, run.reason), []).append(run.seed)
    missing: dict[tuple[str, str], list[int]] = {}
    for task, arm, seed in records.missing:
        missing.setdefault((task, arm), []).append(seed)
    return (
        *(
            Entry(f"{titles.get(task, task)}, {arm}", f"skipped ({_seeds(seeds)}): {reason}")
            for (task, arm, reason), seeds in skipped.items()
        ),
        *(
            Entry(f"{titles.get(task, task)}, {arm}", f"not run yet ({_seeds(seeds)})")
            for (task, arm), seeds in missing.items()
        ),
    )


def _seeds(seeds: Iterable[int]) -> str:
    ordered = [str(seed) for seed in sorted(set(seeds))]
    return f"{'seed' if len(ordered) == 1 else 'seeds'} {listed(ordered)}"


_ARMS = {
    "zero_shot": "an LLM was asked for texts and shown no examples",
    "few_shot": "an LLM was asked for texts and shown real examples",
    REAL: "real training texts, as many of each label as the synthetic arms have",
    REAL_FULL: "all real training texts",
}


def method(results: StudyResults) -> tuple[Entry, ...]:
    """Explain the words of the report, only those that this report uses."""
    entries = [
        Entry("Task", "a classification problem: its labels and what each means."),
        Entry("Arm", "what a classifier is trained on."),
        *(Entry(arm, f"{_ARMS[arm]}.") for arm in results.arms if arm in _ARMS),
        Entry(
            "Run",
            "one task, arm and seed. The seed draws which texts are used where there are more than "
            "needed, their order and the classifier's initial weights.",
        ),
        Entry(
            "Macro-F1",
            "the mean over labels of F1, the harmonic mean of precision and recall. Every label "
            "counts the same, however rare it is.",
        ),
    ]
    if results.any_real:
        entries += [
            Entry(
                "Gap",
                "macro-F1 of the arm real minus that of a synthetic arm, on the same real test "
                "texts. It is what LLM text costs in place of as many real texts.",
            ),
            Entry(
                "Interval",
                "where the figure could have come out with other test texts and other seeds. An "
                "interval that holds 0 shows no difference; it does not prove that there is none. "
                "With two or three seeds that differ much, intervals are too narrow.",
            ),
            Entry(
                "Worth",
                "the number of real texts of each label whose classifier scores as the synthetic "
                "arm's does.",
            ),
            Entry(
                "Best arm",
                "a verdict takes the synthetic arm that scores highest on these same test texts, "
                "which flatters it a little.",
            ),
        ]
    else:
        entries.append(
            Entry(
                "Agreement between corpora",
                "the score of a classifier trained on one synthetic corpus and tested on another. "
                "It is no estimate of a score on real text.",
            )
        )
    return tuple(entries)


def settings(records: StudyRecords) -> tuple[Entry, ...]:
    """List the study's settings and those of its trainer."""
    entries = [
        Entry(key, "none" if value is None else str(value))
        for key, value in sorted(records.settings.items())
    ]
    done = [run for run in records.runs if run.status == "done"]
    for term, values in (
        ("trainer of the runs", [run.trainer for run in done]),
        ("encoder of the runs", [run.encoder for run in done]),
        ("finished runs", [f"{len(done):,}"]),
    ):
        entries.append(Entry(term, listed(sorted(set(values))) or "none"))
    return (*entries, *_seen("trainer: ", (run.settings for run in done)))


def versions(records: StudyRecords) -> tuple[Entry, ...]:
    """List the versions that the runs recorded; several of a package stand side by side."""
    return _seen("", (run.versions for run in records.runs if run.status == "done"))


def _seen(prefix: str, mappings: Iterable[Mapping[str, object]]) -> tuple[Entry, ...]:
    seen: dict[str, set[str]] = {}
    for mapping in mappings:
        for key, value in mapping.items():
            seen.setdefault(key, set()).add(str(value))
    return tuple(Entry(f"{prefix}{key}", ", ".join(sorted(seen[key]))) for key in sorted(seen))
