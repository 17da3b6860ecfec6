"""Quality checkers of earlier runs, which judge the texts of later ones too."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

from builders.data import LabelledTexts
from trainers.finetuning.plan import Plan


class QualityCheckers:
    """Quality checkers that are trained already, to judge the texts of further runs.

    A study's arms of one seed have the same one. They are folders that end with this object; sent
    to another process it has none there.
    """

    def __reduce__(self) -> tuple[type[QualityCheckers], tuple[()]]:
        return QualityCheckers, ()

    @cached_property
    def folder(self) -> Path:
        """Where they are; made when the first is asked for."""
        made = tempfile.mkdtemp()
        weakref.finalize(self, shutil.rmtree, made, ignore_errors=True)
        return Path(made)

    def place(self, plan: Plan, real: LabelledTexts) -> Path:
        """Return the folder of the checker that a plan makes of these texts; it may be missing."""
        seed = plan.arguments.get("seed")
        decides = (plan.encoder.fingerprint, asdict(plan.settings), seed, real.content_hash)
        return self.folder / hashlib.sha256(repr(decides).encode()).hexdigest()
