"""What each loss makes of synthetic corpora, by macro-F1 on real test texts.

    python benchmarks/losses.py --cells runs/losses/probe.jsonl [--seeds 5] [--only imdb ...]
    python benchmarks/losses.py --cells runs/losses/finetune.jsonl --trainer finetune --seeds 3

Needs `$UNDERSTUDY_DATA`: real texts and other people's corpora. Recorded corpora ship. Each loss is
held against cross-entropy on the same corpus, and against the plain use of the real texts that a
checker needs: adding them to the training texts. Real texts are drawn by the seed of a run, so that
every method of a seed has the same.

The estimated time is printed first. A cell is a corpus and a method, all seeds; it is a line of
the file `--cells` as soon as it is done, and what stands there is not done again, unless a text of
it, the encoder or a setting of the trainer has changed. The tables, in Markdown, come last;
`--tables` prints those of the file and runs nothing.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import get_args

import numpy as np
from losses_cells import Cell, append_cell, read_cells
from losses_corpora import Corpus, corpus_names, load_corpus
from losses_methods import METHODS, Asked
from losses_tables import tables
from losses_trainers import TRAINERS, Trainers

from trainers.base import Job
from trainers.finetuning.precision import meant_here
from trainers.finetuning.settings import Precision

Said = Callable[[str], object]


def key_of(corpus: Corpus, method: str, trainers: Trainers, asked: Asked) -> str:
    """Return everything that decides a cell."""
    trainer = trainers.make(METHODS[method].loss(), corpus.real.train, asked)
    decides = {
        "corpus": corpus.name,
        "method": method,
        "texts": corpus.texts.content_hash,
        "real": corpus.real.train.content_hash,
        "test": asked.test(corpus).content_hash,
        "real_per_label": asked.per_label,
        "most_per_label": asked.most_per_label,
        "seeds": asked.seeds,
        "trainer": trainer.name,
        "encoder": trainers.encoder.fingerprint,
        **trainer.settings,
    }
    return json.dumps(decides, sort_keys=True)


def run_cell(corpus: Corpus, method: str, trainers: Trainers, asked: Asked) -> Cell:
    """Train with every seed and predict the real test texts."""
    test, start = asked.test(corpus), time.perf_counter()
    trainer = trainers.make(METHODS[method].loss(), corpus.real.train, asked)
    jobs = [Job(asked.train(corpus, method, seed), seed) for seed in asked.seeds]
    outcomes = trainer.run_many(jobs, test)
    return Cell(
        key=key_of(corpus, method, trainers, asked),
        group=corpus.group,
        corpus=corpus.name,
        task=corpus.task,
        method=method,
        n_labels=len(test.label_names),
        n_train=len(jobs[0].train),
        left_out=float(np.mean([int(o.details.get("left_out", 0)) for o in outcomes])),
        references=np.asarray(test.labels, dtype=np.int64),
        predictions=np.stack([outcome.predictions for outcome in outcomes]),
        dropped=dict(corpus.dropped),
        seconds=round(time.perf_counter() - start, 1),
    )


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the options above."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cells", type=Path, required=True, help="the file of finished cells")
    parser.add_argument("--trainer", choices=TRAINERS, default="probe")
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--checker-per-label", type=int, default=50, help="real texts of a label")
    parser.add_argument("--most-per-label", type=int, help="texts of a label of a corpus at most")
    parser.add_argument("--max-test", type=int, help="test texts at most (stratified)")
    parser.add_argument("--epochs", type=float, default=5, help="of fine-tuning")
    parser.add_argument(
        "--precision", choices=get_args(Precision), default="fp32", help="of fine-tuning"
    )
    parser.add_argument("--only", nargs="+", default=[""], help="corpora with this in their names")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--tables", action="store_true", help="print the tables, run nothing")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Do what is missing, then print the tables."""
    options = make_parser().parse_args(arguments)
    data = Path(os.environ.get("UNDERSTUDY_DATA") or sys.exit("set UNDERSTUDY_DATA"))
    asked = Asked(
        trainer=options.trainer,
        seeds=tuple(range(options.seeds)),
        per_label=options.checker_per_label,
        max_test=options.max_test,
        epochs=options.epochs if options.trainer == "finetune" else None,
        most_per_label=options.most_per_label,
        precision=meant_here(options.precision),
    )
    corpora = [
        load_corpus(group, name, data)
        for group, name in corpus_names(data)
        if any(part in name for part in options.only)
    ]
    trainers = TRAINERS[asked.trainer]()
    wanted = {
        key_of(corpus, method, trainers, asked): (corpus, method)
        for corpus in corpora
        for method in options.methods
    }
    if not options.tables:
        fill(options.cells, wanted, trainers, asked)
    done = read_cells(options.cells)
    print(tables([done[key] for key in wanted if key in done], list(METHODS)))


def fill(
    path: Path,
    wanted: Mapping[str, tuple[Corpus, str]],
    trainers: Trainers,
    asked: Asked,
    said: Said = lambda line: print(line, file=sys.stderr, flush=True),
) -> None:
    """Do the cells that the file does not have, and add each to it as it is done."""
    done = read_cells(path)
    todo = [cell for key, cell in wanted.items() if key not in done]
    if not todo:
        return
    said(f"{len(todo)} cells, about {trainers.seconds(todo, asked) / 60:.0f} minutes")
    for i, (corpus, method) in enumerate(todo, 1):
        cell = run_cell(corpus, method, trainers, asked)
        append_cell(path, cell)
        said(f"{i}/{len(todo)} {corpus.name}: {method}: {cell.seconds:.0f} s")


if __name__ == "__main__":
    main()
