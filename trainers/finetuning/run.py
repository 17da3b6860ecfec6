"""A fine-tuning run from a recipe to a folder: in one process or many, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from builders.errors import UserError
from builders.tasks import load_task
from builders.tasks.base import Task
from trainers.encoders import load_encoder
from trainers.finetuning.arguments import resolved, training_arguments
from trainers.finetuning.checkpoints import Resume, open_checkpoints
from trainers.finetuning.made_of import made_of
from trainers.finetuning.out_folder import RECIPE, check_out, claimed, finish, staging
from trainers.finetuning.plan import Plan
from trainers.finetuning.processes import check_processes, in_first
from trainers.finetuning.recipe import Recipe, settings_of
from trainers.finetuning.recipe_file import write_recipe
from trainers.finetuning.record import metrics_of, settings_in, trained_run
from trainers.finetuning.run_arguments import run_arguments
from trainers.finetuning.texts import RunTexts, gather_texts, test_texts
from trainers.finetuning.watched_run import WatchedRun
from trainers.finetuning.writing import writing
from trainers.losses import LabelSmoothing, Loss, create_loss
from trainers.run_folder import Scores, TrainedRun
from trainers.scoring import scores_on

Said = Callable[[str], object]


@dataclass(frozen=True)
class Asked:
    """What is to be run.

    Attributes:
        recipe: Our own options.
        arguments: The options of `TrainingArguments`, by name.
        written: Every option that is not at its default, and all of our own.
        stated: Names of the options that somebody gave.
    """

    recipe: Recipe
    arguments: Mapping[str, Any]
    written: Mapping[str, Any]
    stated: Collection[str] = ()


@dataclass(frozen=True)
class _Ready:
    """A run whose inputs are all at hand."""

    asked: Asked
    out: Path
    task: Task
    plan: Plan
    texts: RunTexts
    processes: int


def run(asked: Asked, said: Said) -> TrainedRun:
    """Train, score on real test texts, and write the folder.

    Args:
        asked: What is to be run.
        said: Called with each line that a person should read.

    Returns:
        What was written.

    Raises:
        UserError: Something is not at hand or does not fit; no model is written then.
    """
    from transformers.utils import logging

    logging.disable_progress_bar()  # of files; the bar of the training stays
    ready = _ready(asked, said)
    with writing(ready.out), _claimed(ready) as resume:
        watched = WatchedRun(
            ready.plan, ready.texts, asked.recipe, lambda: test_texts(ready.task, asked.recipe)
        )
        watched.train(resume, said)
        return _finished(ready, watched, said)


def _ready(asked: Asked, said: Said) -> _Ready:
    """Load and check all that is needed, the quick things first."""
    recipe, given = asked.recipe, dict(asked.arguments)
    check_processes(recipe.processes)
    if not given["output_dir"]:
        raise UserError("output_dir: is missing; say where the model is to go")
    out = Path(given["output_dir"]).resolve()
    check_out(out)
    loss, settings = _loss(recipe, given, asked.stated), settings_of(recipe, given)
    task = load_task(recipe.task)
    watched = recipe.validation != "none"
    values = run_arguments(given, out, watched=watched, stated=asked.stated)
    plan = Plan(load_encoder(recipe.encoder), settings, values, loss)
    processes = training_arguments(settings, values).world_size  # joins the processes
    texts = gather_texts(task, recipe, int(given["seed"]), said, checker=loss.needs_real)
    return _Ready(asked, out, task, plan, texts, processes)


def _loss(recipe: Recipe, given: dict[str, Any], stated: Collection[str]) -> Loss:
    """Return the loss; `label_smoothing_factor` says the epsilon of label smoothing."""
    epsilon = given.pop("label_smoothing_factor")
    if not epsilon and recipe.loss == LabelSmoothing.name and "label_smoothing_factor" in stated:
        raise UserError(
            f"label_smoothing_factor {epsilon:g}: smooths nothing; give a share above 0, or say "
            "loss: cross_entropy"
        )
    if not epsilon:
        return create_loss(recipe.loss)
    if recipe.loss not in ("cross_entropy", LabelSmoothing.name):
        raise UserError(
            f"label_smoothing_factor {epsilon}: is not of --loss {recipe.loss}; leave one out"
        )
    return LabelSmoothing(epsilon)


@contextmanager
def _claimed(ready: _Ready) -> Iterator[Resume | None]:
    """Hold the folder, and give where to go on; the first process does it for all."""
    with ExitStack() as held:

        def claim() -> Resume | None:
            held.enter_context(claimed(ready.out))
            decides = made_of(
                ready.task, ready.plan, ready.texts, ready.processes, ready.asked.written
            )
            decides["the curve's test texts"] = _curve_texts(ready)
            resume = open_checkpoints(ready.out, decides, ready.processes)
            versions = "understudy fine-tuning; python -m trainers.finetune takes it again"
            write_recipe(ready.asked.written, ready.out / RECIPE, versions)
            return resume

        yield in_first(claim)


def _curve_texts(ready: _Ready) -> str:
    """Return which test texts a learning curve is of, as one curve is of one set."""
    test = test_texts(ready.task, ready.asked.recipe) if ready.asked.recipe.curve_steps else None
    return test[1].content_hash if test else ""


def _finished(ready: _Ready, watched: WatchedRun, said: Said) -> TrainedRun:
    """Score and write what was trained."""
    test = test_texts(ready.task, ready.asked.recipe)
    scores: tuple[Scores, ...] = ()
    if test is not None:
        scores = (scores_on(*test, watched.predictions(test[1], said)),)
    place = in_first(lambda: staging(ready.out))
    watched.fitting.save(place)
    settings = settings_in(ready.asked.recipe, ready.plan, watched, ready.processes)
    plan = ready.plan
    seed = int(plan.arguments["seed"])
    record = trained_run(ready.task, ready.texts, plan.encoder, seed, settings, scores)
    metrics = metrics_of(watched, [asdict(each) for each in scores])
    arguments = resolved(watched.fitting.trainer.args)
    return in_first(lambda: finish(ready.out, record, metrics, arguments, watched.log))
