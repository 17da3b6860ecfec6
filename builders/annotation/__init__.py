"""An LLM labels real texts: as training data, or, on test texts, as the classifier itself."""

from builders.annotation.annotate import label_texts
from builders.annotation.labelling import Labelling, Outcome
from builders.annotation.membership import Membership, membership
from builders.annotation.order import LabelOrder, drawn_texts
from builders.annotation.record import CONFIGURATION, Agreement, LabellingRecord
from builders.annotation.recorded import recorded_ids

__all__ = [
    "CONFIGURATION",
    "Agreement",
    "LabelOrder",
    "Labelling",
    "LabellingRecord",
    "Membership",
    "Outcome",
    "drawn_texts",
    "label_texts",
    "membership",
    "recorded_ids",
]
