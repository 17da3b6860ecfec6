"""One classifier: trained on one arm, scored on real text, written as a model to be shared."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from builders.annotation import LabellingRecord
from builders.data import LabelledTexts
from builders.errors import NotAtHand, UserError
from builders.facts import CorpusRecord
from builders.real import load_real
from builders.tasks.base import Task
from evaluation.arms import LLM_LABELLED, parse_arm
from trainers.base import Outcome
from trainers.embeddings import Embeddings
from trainers.encoders import load_encoder
from trainers.finetune import Finetune
from trainers.losses import create_loss
from trainers.probe import Probe
from trainers.run_folder import TrainedRun, write_run
from trainers.scoring import public_source, scores_on
from understudy.gathering import gather
from understudy.llm_session import LLMSession
from understudy.materials import Materials
from understudy.progress import say
from understudy.settings import Grid, StudySettings, check_llm
from understudy.trainer_choice import create_trainer
from understudy.versions import versions
from understudy.writer import Writer


@dataclass(frozen=True)
class Training:
    """What is to be trained.

    Attributes:
        task: The task.
        arm: What it is trained on.
        seed: Draws the training texts, their order and the initial weights.
        settings: As of a study.
    """

    task: Task
    arm: str
    seed: int
    settings: StudySettings


def train_one(
    training: Training,
    out: Path,
    session: LLMSession | None = None,
    said: Callable[[str], object] = say,
) -> TrainedRun:
    """Train one classifier and write its folder, whole or not at all.

    Where no real test texts are at hand it is trained all the same; its record then has no scores.

    Args:
        training: What is to be trained.
        out: A new or empty folder.
        session: What is said of the LLM; None for that of the settings, a recording.
        said: Called with each line that a person should read.

    Raises:
        UserError: The folder is not empty, the classifier could not be saved, or the arm's texts
            or those of a checker are not at hand.
    """
    task, arm, settings = training.task, training.arm, training.settings
    check_out(out)
    trainer = _trainer(training)
    session = session or LLMSession(settings.llm)
    with session.opened() as (llm, live):
        check_llm(llm, Grid((task,), (arm,), (training.seed,)), settings)
        # With `agreement`, texts are written where there are no real ones to score on, too.
        wanted = replace(settings, agreement=True)
        materials = gather(task, (arm,), wanted, Writer(llm, live), said)
    if arm in materials.untrainable:
        raise UserError(f"{task.name} {arm}: nothing to train on: {materials.untrainable[arm]}")
    train = materials.train(arm, training.seed)
    test = materials.test or train.select(())
    if not len(test):
        said(f"{task.name} {arm}: not scored: {materials.absent.get(arm, 'no real test texts')}")
    with _whole(out) as staging:
        outcome = trainer.run_and_save(train, test, training.seed, staging)
        return write_run(_record(training, materials, train, trainer, outcome), staging)


def check_out(out: Path) -> None:
    """Refuse a folder that is not empty.

    Raises:
        UserError: It is not, or it is a file.
    """
    if out.exists() and not out.is_dir():
        raise UserError(f"--out {out}: is a file; name a folder")
    if out.is_dir() and any(out.iterdir()):
        raise UserError(f"--out {out}: is not empty; name a new folder")


def _trainer(training: Training) -> Probe | Finetune:
    settings = training.settings
    encoder = load_encoder(settings.encoder)
    embeddings = Embeddings(encoder, "first" if settings.pooling == "first" else "mean")
    pool = _checker_pool(training) if create_loss(settings.loss).needs_real else None
    trainer = create_trainer(settings, encoder, embeddings, pool)
    if isinstance(trainer, Probe):
        trainer.check_savable()
    return trainer


def _checker_pool(training: Training) -> LabelledTexts:
    """Return the real training texts, of which the seed draws those of a quality checker."""
    settings = training.settings
    try:
        return load_real(training.task, settings.real, allow_hub=settings.hub).train
    except NotAtHand as error:
        raise UserError(
            f"--loss {settings.loss}: its quality checker is trained on real texts: {error}"
        ) from error


def _record(
    training: Training,
    materials: Materials,
    train: LabelledTexts,
    trainer: Probe | Finetune,
    outcome: Outcome,
) -> TrainedRun:
    task, real = training.task, materials.real
    source = public_source(real.source) if real else ""
    return TrainedRun(
        task=task.name,
        title=task.title,
        description=task.description,
        labels=dict(task.labels),
        arm=training.arm,
        trainer=trainer.name,
        encoder=public_source(trainer.encoder.name),
        encoder_fingerprint=trainer.encoder.fingerprint,
        seed=training.seed,
        settings={**trainer.settings, **outcome.details},
        n_per_label=train.counts(),
        train_hash=train.content_hash,
        train_source="" if parse_arm(training.arm).synthetic else source,
        corpus=_corpus(materials, training.arm),
        labelling=_labelling(materials, training.arm),
        tests=(scores_on(source, materials.test, outcome.predictions),) if materials.test else (),
        versions=versions(),
    )


def _corpus(materials: Materials, arm: str) -> CorpusRecord | None:
    for strategy in parse_arm(arm).strategies:
        return replace(materials.compositions[strategy].record, path="", files="")
    return None


def _labelling(materials: Materials, arm: str) -> LabellingRecord | None:
    labelling = materials.labels.train
    if arm != LLM_LABELLED or labelling is None:
        return None
    return replace(labelling.record, source=public_source(labelling.record.source))


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """Give a working folder that becomes `out` at the end, or is gone."""
    out.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        yield staging
        staging.chmod(0o777 & ~_umask())
        os.replace(staging, out)  # an empty folder gives way
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
