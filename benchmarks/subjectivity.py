"""Subjectivity of tasks and of texts: the tables of docs/results/subjectivity.md.

    python benchmarks/subjectivity.py [--seeds 5] > tables.md

The recorded judgements of pairs are ranked. For each set of votes whose description ships, the
probe (frozen all-MiniLM-L6-v2) is trained on the arms real, zero_shot and few_shot, as many texts
of each label in all three, and predicts the texts that were voted on. None of those stands in the
task's real training texts or in its corpora. Real texts and votes come from `$UNDERSTUDY_DATA`.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from builders.composition import Order, compose
from builders.data import LabelledTexts
from builders.llms.recording import Recording
from builders.real import load_real
from builders.tasks import Task, list_tasks, load_task
from evaluation.report.agreement_tables import (
    curve_table,
    levels_table,
    trend_table,
    votes_table,
)
from evaluation.report.judgement_tables import ranking_table
from evaluation.report.table import Cell, Column, Table
from evaluation.report.wording import hundredths, with_spread
from evaluation.subjectivity.agreement_curve import (
    AgreementCurve,
    agreement_curve,
    slope_difference,
)
from evaluation.subjectivity.agreement_levels import (
    AccuracyByLevel,
    accuracy_by_level,
    rise_difference,
)
from evaluation.subjectivity.judge_agreement import judge_agreement
from evaluation.subjectivity.judgements import recorded_judgements
from evaluation.subjectivity.ranking import rank_tasks
from evaluation.subjectivity.vote_reading import read_votes, votes_file
from evaluation.subjectivity.vote_source import load_vote_source, shipped_sources
from evaluation.subjectivity.votes import RatedTexts, VoteSummary, rate, summarise
from evaluation.uncertainty.scores import accuracy_interval
from evaluation.undefined import Undefined
from trainers.embeddings import Embeddings
from trainers.encoders import EMBEDDED, load_encoder
from trainers.probe import Probe

ARMS = ("real", "zero_shot", "few_shot")


@dataclass(frozen=True)
class Scored:
    """One set of votes, with what each arm predicted.

    Attributes:
        rated: The texts.
        predictions: Arm -> predicted label indices (n_seeds, n).
        n_train: Training texts of each arm.
    """

    rated: RatedTexts
    predictions: dict[str, NDArray[np.int64]]
    n_train: int

    @property
    def labels(self) -> NDArray[np.int64]:
        """Label index of each text (n,)."""
        return np.asarray(self.rated.texts.labels, dtype=np.int64)

    def curves(self, of_label: int | None = None) -> dict[str, AgreementCurve]:
        """Return each arm's curve, of the texts of one label or of all."""
        own = np.ones(len(self.labels), dtype=bool)
        if of_label is not None:
            own = self.labels == of_label
        return {
            arm: agreement_curve(self.labels[own], said[:, own], self.rated.agreement[own])
            for arm, said in self.predictions.items()
        }

    def levels(self) -> dict[str, AccuracyByLevel]:
        """Return each arm's accuracy at each level."""
        return {
            arm: accuracy_by_level(self.labels, said, self.rated.agreement)
            for arm, said in self.predictions.items()
        }


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, score, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="runs of each arm")
    options = parser.parse_args(arguments)
    encoder = load_encoder(EMBEDDED)
    probe = Probe(encoder, Embeddings(encoder))
    summaries: dict[str, VoteSummary] = {}
    scored: dict[str, Scored] = {}
    for name in shipped_sources():
        source = load_vote_source(name)
        task = load_task(source.task)
        votes = read_votes(source, task, votes_file(source))
        if not isinstance(votes, RatedTexts):
            summaries[name] = summarise(votes)
            votes = rate(votes)
        scored[name] = _scored(task, votes, probe, options.seeds)
    tables = [_ranking(), votes_table(summaries), _set_table(scored), _predicted_table(scored)]
    for table in [*tables, *_curves(scored)]:
        sys.stdout.write(_markdown(table))


def _scored(task: Task, rated: RatedTexts, probe: Probe, seeds: int) -> Scored:
    real = load_real(task)
    recording = Recording()
    sources = {"real": real.train}
    for arm in ARMS[1:]:
        sources[arm] = compose(
            task, Order(arm), recording, train=real.train, real_test_texts=real.test.texts
        ).texts
    for texts in sources.values():
        rated = rated.without(texts)
    counts = [texts.counts() for texts in sources.values()]
    size = {label: min(*(each[label] for each in counts), 200) for label in task.label_names}
    said = {
        arm: np.array([_predicted(probe, texts, size, rated, seed) for seed in range(seeds)])
        for arm, texts in sources.items()
    }
    return Scored(rated, said, sum(size.values()))


def _predicted(
    probe: Probe, texts: LabelledTexts, size: dict[str, int], rated: RatedTexts, seed: int
) -> NDArray[np.int64]:
    return probe.run(texts.sample_per_label(size, seed), rated.texts, seed).predictions


def _ranking() -> Table:
    judgements = recorded_judgements()
    remembered = {task.name: task.subjectivity_rank_remembered for task in list_tasks()}
    return ranking_table(rank_tasks(judgements), judge_agreement(judgements), remembered)


def _set_table(scored: dict[str, Scored]) -> Table:
    rows = []
    for name, each in scored.items():
        counts = ", ".join(f"{label} {n:,}" for label, n in each.rated.texts.counts().items())
        left_out = "; ".join(f"{reason} {n:,}" for reason, n in each.rated.left_out.items())
        rows.append((Cell(name), Cell(counts), Cell(str(each.n_train)), Cell(left_out)))
    return Table(
        key="sets",
        title="Texts that are scored",
        columns=(
            Column("votes", number=False),
            Column("texts", number=False),
            Column("training texts"),
            Column("left out", number=False, wide=True),
        ),
        rows=tuple(rows),
    )


def _predicted_table(scored: dict[str, Scored]) -> Table:
    rows = []
    for name, each in scored.items():
        names = each.rated.texts.label_names
        for arm, said in each.predictions.items():
            accuracy = accuracy_interval(each.labels, said, len(names))
            shares = [(said == index).mean() for index in range(len(names))]
            told = zip(names, map(hundredths, shares), strict=True)
            predicted = ", ".join(f"{label} {share}" for label, share in told)
            rows.append((Cell(name), Cell(arm), Cell(with_spread(accuracy)), Cell(predicted)))
    titles = ("votes", "arm", "accuracy (%)", "predicted labels (%)")
    return Table(
        key="predicted",
        title="What the arms predict",
        columns=tuple(Column(title, number=title.startswith("acc")) for title in titles),
        rows=tuple(rows),
    )


def _curves(scored: dict[str, Scored]) -> list[Table]:
    by_threshold: list[Table] = []
    by_level: list[Table] = []
    trends: dict[tuple[str, str], AgreementCurve] = {}
    for name, each in scored.items():
        curves = each.curves()
        trends |= {(name, arm): curve for arm, curve in curves.items()}
        if any(isinstance(curve.trend, Undefined) for curve in curves.values()):
            by_level.append(levels_table(name, each.levels(), {}))
            continue
        by_threshold.append(curve_table(name, curves))
        for index, label in enumerate(each.rated.texts.label_names):
            own = each.curves(index)
            trends |= {(f"{name}, only {label}", arm): curve for arm, curve in own.items()}
    return [*by_threshold, trend_table(trends, {}), *by_level, _differences(scored)]


def _differences(scored: dict[str, Scored]) -> Table:
    """Compare the arms: by their slopes where there are lines, else by their rises."""
    rows = []
    for name, each in scored.items():
        for arm in ARMS[1:]:
            given = (each.labels, each.predictions[arm], each.predictions["real"])
            measure, found = "slope", slope_difference(*given, each.rated.agreement)
            if isinstance(found, Undefined):
                measure, found = "rise", rise_difference(*given, each.rated.agreement)
            told = str(found) if isinstance(found, Undefined) else with_spread(found)
            rows.append((Cell(name), Cell(f"{arm} minus real"), Cell(measure), Cell(told)))
    return Table(
        key="slopes",
        title="Does a synthetic arm depend more on agreement than the real one?",
        columns=(
            *(Column(title, number=False) for title in ("votes", "arms", "of")),
            Column("difference"),
        ),
        rows=tuple(rows),
        notes=("In points; both arms on the same drawn texts and seeds.",),
    )


def _markdown(table: Table) -> str:
    from jinja2 import Environment, PackageLoader

    environment = Environment(
        loader=PackageLoader("evaluation.report"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("table.md.j2").render(table=table)


if __name__ == "__main__":
    main()
