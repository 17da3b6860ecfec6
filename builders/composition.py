"""From a task to the texts of a corpus: asks, parses, filters, chooses. Pure but for the LLM."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

from builders.choosing import chosen_texts, counts_per_label, labelled_texts
from builders.data import LabelledTexts
from builders.errors import UserError
from builders.facts import CorpusRecord
from builders.filters.base import Candidate
from builders.filters.chain import build_chain
from builders.filters.copies import CopyIndex
from builders.generation import Asking, Budget, Generation, Interrupted, Progress, Rounds, Stretch
from builders.generation.rounds import FUTILE
from builders.ledger import Ledger
from builders.llms.base import LLM, BudgetMet, Exhausted, LiveLLM, Quota, RecordedLLM, answer_bound
from builders.prompts_digest import prompts_digest
from builders.requests import MOST_SEED
from builders.sifting import Sieve
from builders.strategies import create_strategy
from builders.strategies.base import Plan
from builders.tasks.base import Task
from builders.token_use import TokenUse


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
class Halt:
    """What ended a build before its quota was met.

    Attributes:
        why: What it was.
        signal: The number of the signal that asked for it, None if none did.
        futile: Whether it was that the LLM wrote no new text, so that going on is of no use.
        capped: Whether it was a cap of the user's.
    """

    why: str
    signal: int | None = None
    futile: bool = False
    capped: bool = False

    @property
    def remedy(self) -> str:
        """How to go on."""
        if self.futile:
            return "asking on in the same way is of no use; change the prompts, or the LLM"
        return f"the same command{' with a higher cap' if self.capped else ''} goes on from there"


@dataclass(frozen=True)
class Live:
    """What the build of a live LLM needs beside the LLM.

    Attributes:
        ledger: Where completions are kept for good.
        budget: What may be used; several builds may share it.
        watch: Called with the counts whenever they change.
    """

    ledger: Ledger
    budget: Budget
    watch: Callable[[Progress], object] = lambda progress: None


@dataclass(frozen=True)
class Composition:
    """The texts of a corpus with their provenance, and how they came about.

    Attributes:
        task: The task.
        kept: The corpus's texts, in the order of the requests.
        record: Counts and reasons.
        halt: Why there are fewer texts than there could be, None if nothing stopped the build.
    """

    task: Task
    kept: tuple[Candidate, ...]
    record: CorpusRecord
    halt: Halt | None = None

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
    live: Live | None = None,
) -> Composition:
    """Ask `llm` for the texts of a corpus and keep those that pass the filters.

    Args:
        task: The task.
        order: What is asked for.
        llm: What answers.
        train: Real training texts that a strategy may draw examples from.
        real_test_texts: Texts that no corpus may copy, or an index of them that several builds
            share; None where there are none at hand.
        live: What a live LLM's build needs; None for a recording, which is a ledger.

    Raises:
        UserError: The LLM cannot give what is asked for, or nothing can be answered.
    """
    asking, quota = asking_of(task, order, llm, train)
    # Made when there is something to filter: it would spoil the pace of what is being sent.
    sieve = Sieve(
        task,
        lambda: build_chain(
            task,
            seed_examples=None,
            shows_examples=asking.strategy.shows_examples,
            real_test_texts=real_test_texts,
        ),
    )
    rounds = Rounds(task.label_names, quota)
    if isinstance(llm, RecordedLLM):
        halt = None
        _sift_recorded(asking, llm, rounds, sieve)
    else:
        halt = _sift_live(asking, rounds, sieve, live)
    kept = chosen_texts(task, sieve.kept, quota.per_label, order.seed)
    use = _use(asking, order, quota, sieve, train)
    record = _record(asking, order, quota, sieve, kept, use)
    return Composition(task, kept, replace(record, unfinished=halt.why if halt else ""), halt)


def asking_of(
    task: Task, order: Order, llm: LLM, train: LabelledTexts | None
) -> tuple[Asking, Quota]:
    """Return how `llm` is asked for a corpus, and for how much.

    Raises:
        UserError: The LLM cannot give what is asked for, or there are no texts to show.
    """
    # A recording's prompts were sent long ago: examples drawn now were never shown to it.
    pool = None if llm.ignores_messages else train
    strategy = create_strategy(order.strategy, pool, order.seed)
    if strategy.shows_examples and not pool and not llm.ignores_messages:
        raise UserError(
            f"{order.strategy} shows real training texts of {task.name}, and none are at hand: "
            "give --real PATH, or use zero_shot"
        )
    if isinstance(llm, LiveLLM) and order.seed > MOST_SEED:
        raise UserError(f"--seed {order.seed}: give one of at most {MOST_SEED} with a live LLM")
    quota = llm.quota(task, order.strategy, order.per_label, order.texts_per_request)
    return Asking(task, strategy, _plan(task, order, llm, quota), llm), quota


def _plan(task: Task, order: Order, llm: LLM, quota: Quota) -> Plan:
    if not isinstance(llm, LiveLLM):
        return Plan(quota.texts_per_request, order.seed)
    most = llm.sampling.max_tokens or answer_bound(task, quota.texts_per_request)
    return Plan(
        quota.texts_per_request,
        order.seed,
        sampling={**llm.sampling.parameters, "max_tokens": most},
    )


def _sift_recorded(asking: Asking, llm: RecordedLLM, rounds: Rounds, sieve: Sieve) -> None:
    answers = list(asking.replay(_every(asking.task, rounds.quota), llm.answer))
    if asking.strategy.shows_examples:
        sieve.chain.shown(llm.shown_examples([answer.request for answer in answers]) or ())
    sieve.take(answers)


def _every(task: Task, quota: Quota) -> list[Stretch]:
    """Return all that a recording may hold."""
    return [
        Stretch(label, conversation, 1, quota.turns)
        for label in task.label_names
        for conversation in range(quota.conversations)
    ]


def _use(
    asking: Asking, order: Order, quota: Quota, sieve: Sieve, train: LabelledTexts | None
) -> TokenUse:
    """Return the tokens of the requests.

    The examples that a recording's prompts showed are not in it: where there are texts to draw
    from, examples like them are, so that they count.
    """
    llm = asking.llm
    drawable = train is not None and all(train.counts().values())
    if not (isinstance(llm, RecordedLLM) and asking.strategy.shows_examples and drawable):
        return sieve.use
    drawn = replace(asking, strategy=create_strategy(order.strategy, train, order.seed))
    answers = drawn.replay(_every(asking.task, quota), llm.answer)
    each = (TokenUse.of(a.request, a.completion) for a in answers if a.completion is not None)
    return sum(each, start=TokenUse())


def _sift_live(asking: Asking, rounds: Rounds, sieve: Sieve, live: Live | None) -> Halt | None:
    """Ask, round by round, until every label is full; return why it ended before that."""
    if live is None:
        raise ValueError("a live LLM needs a ledger")
    generation = Generation(asking, live.ledger, live.budget, live.watch)
    round_ = rounds.first()
    while round_:
        halt: Exhausted | None = None
        try:
            generation.fill(round_)
        except Exhausted as stopped:
            halt = stopped
        sieve.take(generation.read(round_))
        if halt is not None:
            signal = halt.signal if isinstance(halt, Interrupted) else None
            return Halt(str(halt), signal, capped=isinstance(halt, BudgetMet))
        round_ = rounds.following(sieve.accepted, generation.broken)
    if rounds.given_up:
        labels = ", ".join(map(repr, rounds.given_up))
        why = f"no new text of {labels} passed in {FUTILE} rounds of requests"
        reasons = sieve.reasons(rounds.given_up)
        return Halt(f"{why} (most of all: {reasons[0]})" if reasons else why, futile=True)
    return None


def _record(
    asking: Asking,
    order: Order,
    quota: Quota,
    sieve: Sieve,
    kept: tuple[Candidate, ...],
    use: TokenUse,
) -> CorpusRecord:
    task, llm = asking.task, asking.llm
    accepted, used = sieve.accepted, counts_per_label(task, kept)
    return CorpusRecord(
        task=task.name,
        strategy=order.strategy,
        llm=llm.description,
        requested_per_label=quota.per_label,
        candidates=sieve.candidates,
        kept=used,
        surplus={label: n - used[label] for label, n in accepted.items()},
        rejected=sieve.rejected,
        failed_requests=dict(sieve.failed),
        warnings=sieve.chain.warnings(kept),
        statuses=dict(sieve.chain.statuses()),
        content_hash=labelled_texts(task, kept).content_hash,
        path="",
        recorded=llm.ignores_messages,
        models=tuple(sorted({c.model for c in kept if c.model})),
        caveats=llm.caveats,
        seed=order.seed,
        texts_per_request=quota.texts_per_request,
        **asdict(use),
        sampling=dict(asking.plan.sampling),
        prompts=prompts_digest(task, order.strategy),
        context=task.prompt.context,
        generate=task.prompt.generate,
        meanings=dict(task.labels),
    )
