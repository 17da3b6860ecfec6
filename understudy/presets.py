"""Presets of a study: what each option is where the user says nothing of it."""

from dataclasses import dataclass
from pathlib import Path

from builders.errors import UserError
from trainers.finetuning.study_recipe import PAPER


@dataclass(frozen=True)
class Preset:
    """Options of a study, as a user would give them.

    Attributes:
        trainer: `--trainer`.
        encoder: `--encoder`.
        seeds: `--seeds`.
        arms: `--arms`; None for those that are usual with the trainer.
        per_label: `--per-label`; None for the LLM's default.
        recipe: `--recipe`, of fine-tuning alone; None for none.
    """

    trainer: str = "probe"
    encoder: str = "minilm"
    seeds: str = "3"
    arms: str | None = None
    per_label: int | None = None
    recipe: Path | None = None


USUAL = Preset()

PRESETS = {
    # Li et al. (2023), sections 4.1 and 4.3, as far as they are known. The recipe is the source of
    # how they fine-tuned.
    "paper": Preset(
        trainer="finetune",
        encoder="bert-base-uncased,roberta-base",
        seeds="3",
        arms="main",
        per_label=3000,
        recipe=PAPER,
    ),
}
"""Name -> what it sets."""


def load_preset(name: str | None) -> Preset:
    """Return the preset of that name; None for the usual options.

    Raises:
        UserError: There is none of that name.
    """
    if name is None:
        return USUAL
    if name not in PRESETS:
        raise UserError(f"--preset {name}: unknown preset; use one of {', '.join(PRESETS)}")
    return PRESETS[name]
