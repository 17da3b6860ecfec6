"""What is remembered of batches whose answers are not all in the ledger yet."""

import hashlib
import json
import time
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field

from builders.llms.batch_files import TAIL
from builders.llms.memory import Memory


@dataclass
class OpenBatch:
    """One batch.

    Attributes:
        digest: Identifies its requests; the server keeps it with the batch.
        asked: The digests at the ends of its requests' ids.
        batch: Its name at the server; empty until that is known.
        made: When it was made, in seconds since 1970.
    """

    digest: str
    asked: frozenset[str]
    batch: str = ""
    made: float = field(default_factory=time.time)

    @classmethod
    def of(cls, names: Collection[str]) -> "OpenBatch":
        """Return a batch of the requests with these ids."""
        asked = frozenset(name[-TAIL:] for name in names)
        return cls(hashlib.sha256("".join(sorted(asked)).encode()).hexdigest(), asked)

    def share(self, names: Iterable[str]) -> list[str]:
        """Return the ids among `names` that are in the batch."""
        return [name for name in names if name[-TAIL:] in self.asked]


class OpenBatches:
    """The open batches of one endpoint and model, kept for later runs.

    A batch is noted before it is made, so that one that was made just before a kill is known too.

    Args:
        memory: Keeps notes; None for this process alone.
        endpoint: Where the batches are.
        model: The model's name.
    """

    def __init__(self, memory: Memory | None, endpoint: str, model: str) -> None:
        self._memory = memory
        self._name = f"batches of {model} at {endpoint}"
        self._own: str | None = None

    def holding(self, names: Iterable[str]) -> list[OpenBatch]:
        """Return the batches that hold any of the requests with these ids."""
        tails = {name[-TAIL:] for name in names}
        return [each for each in self._read() if not tails.isdisjoint(each.asked)]

    def keep(self, batch: OpenBatch) -> None:
        """Note the batch, or what is new of it."""
        self._replace(batch, [batch])

    def close(self, batch: OpenBatch, names: Iterable[str]) -> None:
        """Forget a batch, but for requests that are not among `names`: they are read later."""
        left = batch.asked - {name[-TAIL:] for name in names}
        rest = [OpenBatch(batch.digest, left, batch.batch, batch.made)] if left else []
        self._replace(batch, rest)

    def _replace(self, batch: OpenBatch, new: list[OpenBatch]) -> None:
        def changed(note: str | None) -> str:
            others = [each for each in _batches(note) if each.digest != batch.digest]
            return _note([*others, *new])

        if self._memory is None:
            self._own = changed(self._own)
        else:  # several processes may share it
            self._memory.change_note(self._name, changed)

    def _read(self) -> list[OpenBatch]:
        if self._memory is None:
            return _batches(self._own)
        return _batches(self._memory.note(self._name))


def _batches(note: str | None) -> list[OpenBatch]:
    rows = json.loads(note or "[]")
    return [OpenBatch(**{**row, "asked": frozenset(row["asked"])}) for row in rows]


def _note(batches: list[OpenBatch]) -> str:
    """Return what is noted of batches, nothing where there are none."""
    rows = [{**asdict(each), "asked": sorted(each.asked)} for each in batches]
    return json.dumps(rows) if rows else ""
