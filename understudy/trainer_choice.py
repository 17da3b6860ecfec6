"""The trainer that a user's settings ask for."""

from collections.abc import Callable
from dataclasses import replace

from builders.data import LabelledTexts
from trainers.embeddings import Embeddings
from trainers.encoders import Encoder
from trainers.finetuning.classifier import Finetune
from trainers.finetuning.precision import meant_here
from trainers.finetuning.settings import FinetuneSettings
from trainers.losses import create_loss
from trainers.probe import Probe
from understudy.settings import StudySettings


def create_trainer(
    settings: StudySettings,
    encoder: Encoder,
    embeddings: Embeddings,
    real: LabelledTexts | None,
    stepped: Callable[[int, int], object] = lambda done, of: None,
) -> Probe | Finetune:
    """Return what trains the classifiers of one task.

    Args:
        settings: As the user gave them.
        encoder: The encoder.
        embeddings: Its vectors, for a probe.
        real: Real training texts, for the checker of a loss that needs one; None without any.
        stepped: Called after each step of fine-tuning with the steps done and the steps in all.

    Raises:
        UserError: There is no such loss, or it needs real texts and there are none of a label.
    """
    loss, n = create_loss(settings.loss), settings.checker_per_label
    pool = real if loss.needs_real else None
    curve = settings.curve_steps
    if settings.trainer == "finetune":
        how = settings.finetuning or FinetuneSettings()
        return Finetune(
            encoder,
            # What `auto` comes to decides the result, so that it has to be in a run's key.
            replace(how, precision=meant_here(how.precision)),
            stepped,
            loss,
            pool,
            n,
            curve_steps=curve,
            pass_size=settings.pass_size,
        )
    return Probe(encoder, embeddings, loss=loss, real=pool, checker_per_label=n, curve_steps=curve)
