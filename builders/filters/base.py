"""The contract of a filter, and the chain that runs them, counts and keeps the reasons."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from builders.requests import RequestId

Status = Literal["checked", "not checked", "not applicable"]


@dataclass(frozen=True)
class Candidate:
    """One text parsed out of a completion.

    Attributes:
        text: The text, stripped.
        request: The request whose answer held it.
        index: Its place in that answer, from 0.
        model: The model as it named itself in the answer.
    """

    text: str
    request: RequestId
    index: int
    model: str | None = None

    @property
    def id(self) -> str:
        """A name that is unique in a corpus."""
        return f"{self.request}/{self.index}"

    @property
    def label(self) -> str:
        """The label that the text was asked for."""
        return self.request.label


class Filter(ABC):
    """Keeps a candidate or rejects it for the one `reason` that the class names.

    Filters see candidates in the order of their requests, never in the order of arrival, so a
    corpus is the same whatever the timing. A filter sees only what the filters before it kept.
    """

    reason: ClassVar[str]
    status: Status = "checked"

    @abstractmethod
    def keeps(self, candidate: Candidate) -> bool:
        """Say whether `candidate` stays."""

    def admitted(self, candidate: Candidate) -> None:
        """Hear that every filter kept `candidate`: one that compares texts remembers it here."""
        del candidate

    def shown(self, examples: Iterable[str]) -> None:
        """Hear which real examples the prompts of the candidates to come have shown."""
        del examples

    def warns(self, candidate: Candidate) -> bool:
        """Say whether a candidate that stays is odd in what this filter looks at."""
        del candidate
        return False


@dataclass(frozen=True)
class FilterResult:
    """What a chain kept and what it rejected, each with its reason.

    Attributes:
        kept: The candidates that every filter kept.
        rejected: The others, each with the reason of the first filter that did not keep it.
        statuses: Filter's reason -> whether it could check anything.
    """

    kept: tuple[Candidate, ...]
    rejected: tuple[tuple[Candidate, str], ...]
    statuses: dict[str, Status] = field(default_factory=dict)

    def rejected_by_reason(self, label: str | None = None) -> dict[str, int]:
        """Count the rejected candidates by reason, of one label or of all."""
        return dict(Counter(r for c, r in self.rejected if label is None or c.label == label))


class FilterChain:
    """Runs filters in order; the first that does not keep a candidate names the reason."""

    def __init__(self, filters: Sequence[Filter]) -> None:
        self.filters = tuple(filters)

    def shown(self, examples: Iterable[str]) -> None:
        """Tell every filter which real examples the prompts of the candidates to come showed."""
        examples = tuple(examples)
        for each in self.filters:
            each.shown(examples)

    def statuses(self) -> dict[str, Status]:
        """Return each filter's reason with whether it could check anything so far."""
        return {each.reason: each.status for each in self.filters}

    def run(self, candidates: Iterable[Candidate]) -> FilterResult:
        """Decide on every candidate.

        Calls may follow one another: filters remember what they kept.
        """
        kept: list[Candidate] = []
        rejected: list[tuple[Candidate, str]] = []
        for candidate in candidates:
            reason = next((f.reason for f in self.filters if not f.keeps(candidate)), None)
            if reason is not None:
                rejected.append((candidate, reason))
                continue
            for each in self.filters:
                each.admitted(candidate)
            kept.append(candidate)
        return FilterResult(
            kept=tuple(kept),
            rejected=tuple(rejected),
            statuses=self.statuses(),
        )

    def warnings(self, kept: Iterable[Candidate]) -> dict[str, int]:
        """Count, by a filter's reason, the candidates that stay though they are odd."""
        return dict(Counter(f.reason for c in kept for f in self.filters if f.warns(c)))
