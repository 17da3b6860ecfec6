"""From answers to accepted texts: parses and filters them, and counts what became of each."""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import cached_property

from builders.filters.base import Candidate, FilterChain
from builders.generation.asking import Answer
from builders.parsing import parse_completion
from builders.tasks.base import Task
from builders.token_use import TokenUse


class Sieve:
    """Takes answers in, in the order in which they decide, and keeps what passes the filters.

    Args:
        task: The task.
        filters: Makes the filters; called once, when there is something to filter.

    Attributes:
        kept: The accepted texts.
        candidates: Texts that answers held.
        failed: Reason -> requests without a usable text.
        use: Tokens of the requests that were answered.
    """

    def __init__(self, task: Task, filters: Callable[[], FilterChain]) -> None:
        self.task = task
        self._filters = filters
        self.kept: list[Candidate] = []
        self.candidates = 0
        self.failed: Counter[str] = Counter()
        self.use = TokenUse()
        self._rejected: dict[str, Counter[str]] = {name: Counter() for name in task.label_names}

    @cached_property
    def chain(self) -> FilterChain:
        """The filters."""
        return self._filters()

    @property
    def rejected(self) -> dict[str, dict[str, int]]:
        """Label -> reason -> rejected texts."""
        return {label: dict(reasons) for label, reasons in self._rejected.items()}

    @property
    def accepted(self) -> dict[str, int]:
        """Label -> accepted texts."""
        counts = Counter(each.label for each in self.kept)
        return {label: counts[label] for label in self.task.label_names}

    def reasons(self, labels: Iterable[str]) -> list[str]:
        """Return why requests failed and texts of `labels` were rejected, the commonest first."""
        counts = self.failed.copy()
        for label in labels:
            counts.update(self._rejected[label])
        return [reason for reason, _ in counts.most_common()]

    def take(self, answers: Iterable[Answer]) -> None:
        """Sift further answers."""
        examples: dict[str, None] = {}
        found: list[Candidate] = []
        for answer in answers:
            examples.update(dict.fromkeys(answer.request.examples))
            found += self._parsed(answer)
        self.chain.shown(examples)
        self.candidates += len(found)
        result = self.chain.run(found)
        self.kept += result.kept
        for candidate, reason in result.rejected:
            self._rejected[candidate.label][reason] += 1

    def _parsed(self, answer: Answer) -> list[Candidate]:
        completion, request = answer.completion, answer.request
        if completion is None:
            self.failed[answer.failure] += 1
            return []
        self.use += TokenUse.of(request, completion)
        parsed = parse_completion(completion, n_texts=request.n_texts)
        if parsed.failure is not None:
            self.failed[parsed.failure] += 1
        return [
            Candidate(text, request.id, i, completion.model) for i, text in enumerate(parsed.texts)
        ]
