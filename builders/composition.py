"""From a task to the texts of a corpus: asks, parses, filters, chooses. Pure but for the LLM."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from builders.data import LabelledTexts
from builders.errors import UserError
from builders.facts import CorpusRecord
from builders.filters.base import Candidate
from builders.filters.chain import build_chain
from builders.filters.copies import CopyIndex
from builders.generation import Answer, Generation, failures
from builders.ledger import Ledger
from builders.llms.base import LLM
from builders.parsing import parse_completion
from builders.strategies import create_strategy
from builders.strategies.base import Plan
from builders.tasks.base import Task


@dataclass(frozen=True)
class Order:
    """What a user asks of a build.

    Attributes:
        strategy: Name of the strategy.
        per_label: Accepted texts wanted of each label; None for the LLM's default.
        texts_per_request: Texts that one request asks for; None for the LLM's default.
        seed: Draws examples, and the texts where fewer are wanted than were accepted.
    """

    strategy: str
    per_label: int | None = None
    texts_per_request: int | None = None
    seed: int = 0


@dataclass(frozen=True)
class Composition:
    """The texts of a corpus with their provenance, and how they came about.

    Attributes:
        task: The task.
        kept: The corpus's texts, in the order of the requests.
        record: Counts and reasons.
    """

    task: Task
    kept: tuple[Candidate, ...]
    record: CorpusRecord

    @property
    def texts(self) -> LabelledTexts:
        """The kept texts without their provenance."""
        return labelled_texts(self.task, self.kept)


def compose(
    task: Task,
    order: Order,
    llm: LLM,
    *,
    train: LabelledTexts | None = None,
    real_test_texts: Sequence[str] | CopyIndex | None = None,
    ledger: Ledger | None = None,
    progress: Callable[[], object] = lambda: None,
) -> Composition:
    """Ask `llm` for the texts of a corpus and keep those that pass the filters.

    Args:
        task: The task.
        order: What is asked for.
        llm: What answers.
        train: Real training texts that a strategy may draw examples from.
        real_test_texts: Texts that no corpus may copy, or an index of them that several builds
            share; None where there are none at hand.
        ledger: Where completions are kept; None for a recording, which is one.
        progress: Called once for every answered request.

    Raises:
        UserError: The LLM cannot give what is asked for; nothing was done then.
    """
    # A recording's prompts were sent long ago: examples drawn now were never shown to it.
    pool = None if llm.ignores_messages else train
    strategy = create_strategy(order.strategy, pool, order.seed)
    if strategy.shows_examples and not pool and not llm.ignores_messages:
        raise UserError(
            f"{order.strategy} shows real training texts of {task.name}, and none are at hand: "
            "give --real PATH, or use zero_shot"
        )
    quota = llm.quota(task, order.strategy, order.per_label, order.texts_per_request)
    plan = Plan(quota.texts_per_request, order.seed)
    answers = Generation(task, strategy, llm, plan, ledger, progress).run(quota)
    candidates, failed = _candidates(answers)
    shown = None
    if strategy.shows_examples:
        shown = llm.shown_examples([answer.request for answer in answers])
    chain = build_chain(
        task,
        seed_examples=shown,
        shows_examples=strategy.shows_examples,
        real_test_texts=real_test_texts,
    )
    result = chain.run(candidates)
    kept = _chosen(task, result.kept, quota.per_label, order.seed)
    accepted, used = _per_label(task, result.kept), _per_label(task, kept)
    record = CorpusRecord(
        task=task.name,
        strategy=order.strategy,
        llm=llm.description,
        requested_per_label=quota.per_label,
        candidates=len(candidates),
        kept=used,
        surplus={label: n - used[label] for label, n in accepted.items()},
        rejected={label: result.rejected_by_reason(label) for label in task.label_names},
        failed_requests=failed,
        warnings=chain.warnings(kept),
        statuses=dict(result.statuses),
        content_hash=labelled_texts(task, kept).content_hash,
        path="",
        recorded=llm.ignores_messages,
        models=tuple(sorted({c.model for c in kept if c.model})),
        caveats=llm.caveats,
        seed=order.seed,
        texts_per_request=quota.texts_per_request,
    )
    return Composition(task, kept, record)


def labelled_texts(task: Task, kept: Sequence[Candidate]) -> LabelledTexts:
    """Return candidates as labelled texts of `task`."""
    names = task.label_names
    return LabelledTexts(
        texts=tuple(c.text for c in kept),
        labels=tuple(names.index(c.label) for c in kept),
        label_names=names,
        ids=tuple(c.id for c in kept),
    )


def _candidates(answers: Sequence[Answer]) -> tuple[list[Candidate], dict[str, int]]:
    """Parse the answers in order; count the requests that gave no text, by reason."""
    failed = Counter(failures(answers))
    found: list[Candidate] = []
    for answer in answers:
        if answer.completion is None:
            continue
        parsed = parse_completion(answer.completion, n_texts=answer.request.n_texts)
        if parsed.failure is not None:
            failed[parsed.failure] += 1
        model = answer.completion.model
        found += [
            Candidate(text, answer.request.id, i, model) for i, text in enumerate(parsed.texts)
        ]
    return found, dict(failed)


def _chosen(
    task: Task, accepted: Sequence[Candidate], per_label: int, seed: int
) -> tuple[Candidate, ...]:
    """Draw `per_label` of each label where more were accepted; keep the order."""
    chosen: set[str] = set()
    for label in task.label_names:
        own = [c.id for c in accepted if c.label == label]
        rng = random.Random(f"{seed}/{task.name}/{label}")
        chosen.update(own if len(own) <= per_label else rng.sample(own, per_label))
    return tuple(c for c in accepted if c.id in chosen)


def _per_label(task: Task, candidates: Sequence[Candidate]) -> dict[str, int]:
    counts = Counter(c.label for c in candidates)
    return {label: counts[label] for label in task.label_names}
