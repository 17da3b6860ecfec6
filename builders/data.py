"""Texts and their labels: what flows between real data, corpora, trainers and evaluation."""

import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Texts:
    """Texts without labels, in a fixed order.

    Attributes:
        texts: The texts.
        ids: For each text a name that is unique in its source.
    """

    texts: tuple[str, ...]
    ids: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.texts) != len(self.ids):
            raise ValueError(f"{len(self.texts)} texts and {len(self.ids)} ids")

    def __len__(self) -> int:
        return len(self.texts)

    def select(self, indices: Sequence[int]) -> "Texts":
        """Return the texts at `indices`, in that order."""
        return Texts(tuple(self.texts[i] for i in indices), tuple(self.ids[i] for i in indices))


@dataclass(frozen=True)
class LabelledTexts:
    """Texts with their labels, in a fixed order.

    Attributes:
        texts: The texts.
        labels: For each text the index of its label in `label_names`.
        label_names: The task's labels, in the task's order.
        ids: For each text a name that is unique in its source.
    """

    texts: tuple[str, ...]
    labels: tuple[int, ...]
    label_names: tuple[str, ...]
    ids: tuple[str, ...]

    def __post_init__(self) -> None:
        if not len(self.texts) == len(self.labels) == len(self.ids):
            raise ValueError(
                f"{len(self.texts)} texts, {len(self.labels)} labels and {len(self.ids)} ids"
            )

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over label names, texts and labels in their order (hex, 64 characters)."""
        digest = hashlib.sha256()
        for part in (*self.label_names, "\x00", *(f"{la}\x1f{te}" for la, te in self.pairs())):
            encoded = part.encode()
            digest.update(len(encoded).to_bytes(8, "big") + encoded)
        return digest.hexdigest()

    def pairs(self) -> Iterable[tuple[int, str]]:
        """Yield (label index, text)."""
        return zip(self.labels, self.texts, strict=True)

    def counts(self) -> dict[str, int]:
        """Texts per label name; a label without texts counts 0."""
        counts = dict.fromkeys(self.label_names, 0)
        for label in self.labels:
            counts[self.label_names[label]] += 1
        return counts

    def select(self, indices: Sequence[int]) -> "LabelledTexts":
        """Return the texts at `indices`, in that order."""
        return LabelledTexts(
            texts=tuple(self.texts[i] for i in indices),
            labels=tuple(self.labels[i] for i in indices),
            label_names=self.label_names,
            ids=tuple(self.ids[i] for i in indices),
        )

    def joined(self, *others: "LabelledTexts") -> "LabelledTexts":
        """Return these texts and then those of `others`, which have the same labels."""
        every = (self, *others)
        return LabelledTexts(
            texts=tuple(text for each in every for text in each.texts),
            labels=tuple(label for each in every for label in each.labels),
            label_names=self.label_names,
            ids=tuple(name for each in every for name in each.ids),
        )

    def sample_per_label(self, n: int | Mapping[str, int], seed: int) -> "LabelledTexts":
        """Return `n` texts of every label (all of a label that has fewer), drawn by `seed`.

        The draw of one label does not depend on the others. The order is the source's.

        Args:
            n: Texts of every label, or label name -> texts of it.
            seed: Draws the texts.
        """
        chosen: list[int] = []
        for index, name in enumerate(self.label_names):
            own = [i for i, label in enumerate(self.labels) if label == index]
            wanted = n if isinstance(n, int) else n[name]
            rng = random.Random(f"{seed}/{name}")
            chosen += own if len(own) <= wanted else rng.sample(own, wanted)
        return self.select(sorted(chosen))
