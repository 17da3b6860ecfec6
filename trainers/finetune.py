r"""Fine-tune an encoder on a corpus, on real texts, or on both; in one process or in many.

    python -m trainers.finetune trainers/recipes/cpu.yaml --task sms_spam \
        --corpus corpora/sms_spam --config few_shot --output_dir models/sms

    torchrun --nproc_per_node 2 --standalone -m trainers.finetune RECIPE --processes 2
    accelerate launch --config_file GPUS.yaml -m trainers.finetune RECIPE

A recipe is a YAML file of options; an option on the command line wins over it. Options are ours
(`trainers.finetuning.recipe`) and those of `transformers.TrainingArguments`. The same command goes
on where a run was killed. What it writes says `trainers.finetuning.out_folder`; how to use it says
`docs/training.md`, and where GPUS.yaml is: in `trainers/recipes/accelerate`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from builders.errors import UserError
from trainers.finetuning.classifier import Finetune
from trainers.finetuning.command_line import make_parser, parse
from trainers.finetuning.processes import end, leave, lost_another, rank, wait_for_the_first
from trainers.finetuning.settings import FinetuneSettings
from trainers.run_folder import RECORD

__all__ = ["Finetune", "FinetuneSettings", "main", "make_parser", "parse"]


def main(words: Sequence[str] | None = None) -> int:
    """Train what a command line asks for; return the exit code."""

    def said(line: str) -> None:
        if rank() == 0:
            print(line, file=sys.stderr, flush=True)

    from trainers.finetuning.run import run

    out = ""
    try:
        # 1. What is asked for
        asked = parse(sys.argv[1:] if words is None else words)
        out = asked.arguments["output_dir"] or ""
        # 2. Texts, model, training, scores, folder
        trained = run(asked, said)
        # 3. What came of it
        if rank() == 0:
            print("\n".join(trained.summary(Path(out))))
        leave()
        return 0
    except UserError as error:
        return _failed(str(error))
    except OSError as error:
        if error.errno is None:
            raise  # not the system's, so not the user's to mend
        return _failed(f"{error.filename or 'output'}: {error.strerror}; see to it and start again")
    except RuntimeError as error:
        if not lost_another(error):
            raise
        return _failed("another process ended; the same command goes on from its last checkpoint")
    except KeyboardInterrupt:
        said(f"trainers.finetune: stopped; {_left(out)}")
        return 130


def _left(out: str) -> str:
    """Say what a run that was stopped left in its folder, if that was named by then."""
    if out and (Path(out) / RECORD).is_file():
        return f"{out} holds the finished model"
    return "the same command goes on from its last checkpoint"


def _failed(line: str) -> int:
    """Say in one line why there is no model: once, whatever the number of processes."""
    wait_for_the_first()
    print(f"trainers.finetune: {' '.join(line.split())}", file=sys.stderr, flush=True)
    return 2


if __name__ == "__main__":
    end(main())
