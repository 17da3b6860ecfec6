"""Writes what a forecast rests on: gaps of a finished study, and what is known without real text.

    understudy study --tasks all --arms main --seeds 5 --out runs/ten-tasks
    python benchmarks/forecast_reference.py runs/ten-tasks > evaluation/worth/reference/gaps.csv

Gaps and diversity are those of the study; subjectivity is that of the recorded judgements.
Agreement between corpora is measured here: a probe trained on all texts of one strategy of the
recording is scored on those of the other. Then, for information, what the forecast errs on these
same tasks, each left out in turn, goes to standard error.
"""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from builders.composition import Order, compose
from builders.data import LabelledTexts
from builders.llms.recording import Recording
from builders.real.splitting import without
from builders.strategies import STRATEGIES
from builders.tasks import load_task
from evaluation.report import read_results
from evaluation.report.gap_figure import judged_scores
from evaluation.report.measures import mean_measure
from evaluation.subjectivity.judgements import recorded_judgements
from evaluation.subjectivity.ranking import rank_tasks
from evaluation.uncertainty.scores import macro_f1_interval
from evaluation.undefined import Undefined
from evaluation.worth.forecast import PREDICTORS, KnownGap, forecast
from trainers.embeddings import Embeddings
from trainers.encoders import EMBEDDED, load_encoder
from trainers.probe import Probe
from understudy.reporting import read_study

SEEDS = 3


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="the study's folder")
    known = measured(parser.parse_args(arguments).out)
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["task", "arm", "gap", *PREDICTORS])
    for each in known:
        told = [f"{each.predictors[n]:.4f}" if n in each.predictors else "" for n in PREDICTORS]
        rows.writerow([each.task, each.arm, f"{each.gap:.4f}", *told])
    for arm in STRATEGIES:
        for names in ([], *([name] for name in PREDICTORS), list(PREDICTORS)):
            middle = {n: float(np.mean([e.predictors.get(n, 0) for e in known])) for n in names}
            found = forecast(arm, middle, known)
            if not isinstance(found, Undefined):
                sys.stderr.write(
                    f"{arm} from {names or 'the mean'}: error {100 * found.error:.1f} points, of "
                    f"the mean {100 * found.error_of_mean:.1f}, used {found.used}\n"
                )


def measured(out: Path) -> list[KnownGap]:
    """Return the gaps of the study, with what is known without real text."""
    records = read_study(out)
    scores = judged_scores(rank_tasks(recorded_judgements()))
    encoder = load_encoder(EMBEDDED)
    probe = Probe(encoder, Embeddings(encoder))
    found = []
    for task in read_results(records, out).on_real:
        name = task.facts.task
        corpora = {s: compose(load_task(name), Order(s), Recording()).texts for s in STRATEGIES}
        for arm, other in (tuple(STRATEGIES), tuple(reversed(tuple(STRATEGIES)))):
            result = task.arm(arm)
            if result is None or result.gap is None:
                continue
            predictors = {"agreement": agreement(probe, corpora[arm], corpora[other])}
            if name in scores:
                predictors["subjectivity"] = -scores[name].value
            diversity = mean_measure(records, name, arm, "remote_clique")
            if diversity is not None:
                predictors["remote_clique"] = diversity
            found.append(KnownGap(name, arm, result.gap.value, predictors))
    return found


def agreement(probe: Probe, train: LabelledTexts, other: LabelledTexts) -> float:
    """Return the mean macro-F1 on the other corpus, as a study without real text scores it."""
    test = without(other, train)
    said = np.array([probe.run(train, test, seed).predictions for seed in range(SEEDS)])
    return macro_f1_interval(test.labels, said, len(test.label_names), replicates=1).value


if __name__ == "__main__":
    main()
