"""From a study's folder to its report."""

from pathlib import Path
from typing import Any

from builders.annotation import LabellingRecord
from builders.errors import UserError
from builders.facts import CorpusRecord
from evaluation.arms import in_order
from evaluation.records import StudyRecords, TaskFacts, VotedFacts
from understudy.study_folder import PLAN, StudyFolder


def read_study(out: Path) -> StudyRecords:
    """Return what a report of the study in `out` is made of.

    Only planned runs count: a run of older data, or of an arm whose size changed, does not.

    Raises:
        UserError: The folder holds no study, or a damaged one.
    """
    folder = StudyFolder(out)
    plan = folder.plan()
    if plan is None:
        raise UserError(f"{out}: holds no study; make one with understudy study --out {out}")
    known, measures, findings = folder.runs(), folder.measures(), folder.findings()
    tasks: dict[str, Any] = plan["tasks"]
    planned = [(name, *run) for name, task in tasks.items() for run in task["runs"]]
    arms = {arm for _, arm, _, _ in planned}
    try:
        facts = tuple(_facts(task["facts"]) for task in tasks.values())
        corpora = tuple(CorpusRecord.from_dict(c) for t in tasks.values() for c in t["corpora"])
        labellings = tuple(
            LabellingRecord.from_dict(each) for t in tasks.values() for each in t["labellings"]
        )
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{out / PLAN}: is no plan of this version ({error}); run the study again in another "
            "folder"
        ) from error
    return StudyRecords(
        settings=plan["settings"],
        tasks=facts,
        arms=in_order(arms),
        runs=tuple(known[key] for _, _, _, key in planned if key in known),
        missing=tuple((name, arm, seed) for name, arm, seed, key in planned if key not in known),
        measures=tuple(
            measures[key] for t in tasks.values() for key in t["measures"] if key in measures
        ),
        corpora=corpora,
        labellings=labellings,
        findings=tuple(
            findings[key] for t in tasks.values() for key in t["findings"] if key in findings
        ),
    )


def _facts(values: dict[str, Any]) -> TaskFacts:
    voted = tuple(VotedFacts(**each) for each in values["voted"])
    return TaskFacts(**{**values, "label_names": tuple(values["label_names"]), "voted": voted})
