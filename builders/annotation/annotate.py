"""From texts and an LLM to labels: which texts it is asked about, and what came of it."""

from collections import Counter
from dataclasses import asdict

from builders.annotation.labelling import Found, Labelling, agreement, llm_labelled
from builders.annotation.live import ask_labels, labels_asking
from builders.annotation.order import LabelOrder, drawn_texts
from builders.annotation.record import CONFIGURATION, LabellingRecord
from builders.annotation.recorded import RecordedLabels
from builders.composition import Live
from builders.data import LabelledTexts, Texts
from builders.errors import UserError
from builders.llms.base import LLM, LiveLLM
from builders.llms.recording import Recording
from builders.normalisation import word_count
from builders.tasks.base import Task


def label_texts(
    task: Task,
    pool: LabelledTexts | Texts,
    llm: LLM,
    order: LabelOrder | None = None,
    *,
    source: str = "",
    live: Live | None = None,
) -> Labelling:
    """Ask `llm` for the labels of texts; their true labels, where there are any, are not shown.

    Args:
        task: The task.
        pool: The texts that there are to choose from.
        llm: What answers. A recording has labels for certain texts, which it knows by their names,
            and for no others.
        order: What is asked for.
        source: Where the texts came from, for cards and reports.
        live: What a live LLM needs; None for a recording.

    Raises:
        UserError: The LLM cannot give what is asked for, or nothing can be answered.
    """
    order = order or LabelOrder()
    if isinstance(llm, Recording):
        asked, found = _recorded(task, pool, llm, order, source)
    elif isinstance(llm, LiveLLM) and live is not None:
        asked = drawn_texts(pool, order)
        asking, first = labels_asking(task, Texts(asked.texts, asked.ids), llm, order)
        found = ask_labels(asking, first, live)
    else:
        raise ValueError("a live LLM needs a ledger")
    record = _record(task, pool, asked, found, llm, order, source)
    return Labelling(task, asked, tuple(found.outcomes), record, found.halt)


def _recorded(
    task: Task, pool: LabelledTexts | Texts, llm: Recording, order: LabelOrder, source: str
) -> tuple[LabelledTexts | Texts, Found]:
    """Return the texts that are recorded, in the order of the recording, and what is."""
    held = RecordedLabels(llm, task, order.split)
    place = {name: i for i, name in enumerate(pool.ids)}
    there = [name for name in held.outcomes if name in place]
    _refuse_others(held, there, order, source)
    chosen = there[: order.n]
    found = held.found(Texts(pool.texts, pool.ids), chosen)
    return pool.select([place[name] for name in chosen]), found


def _refuse_others(held: RecordedLabels, there: list[str], order: LabelOrder, source: str) -> None:
    """Refuse what was not recorded.

    Raises:
        UserError: There is nothing for the task, the texts are others, or the order is another.
    """
    where = f"the recording of labels of {held.task.name} {order.split}"
    if not held.outcomes:
        raise UserError(
            f"{held.recording.called} has no labels of {held.task.name} {order.split}: it knows "
            "certain real texts by their names; choose another LLM, task, or source of texts"
        )
    if not there:
        raise UserError(
            f"{where} knows texts by their names, such as {next(iter(held.outcomes))}, and no text "
            f"of {source or 'those at hand'} has one of them: give the data that it was made with, "
            "or ask a live LLM"
        )
    if order.texts_per_request not in (None, held.texts_per_request):
        raise UserError(
            f"--texts-per-request {order.texts_per_request}: {where} was made with "
            f"{held.texts_per_request}; leave the option out"
        )
    words = held.recording.label_words
    if order.most_words not in (None, words):
        made = f"{words} words of a text" if words else "a number that is not known"
        raise UserError(
            f"--max-words {order.most_words}: {where} was made with {made}; leave the option out"
        )
    if order.seed:
        raise UserError(
            f"--seed {order.seed}: {where} was drawn once; leave the option out, or ask a live LLM"
        )
    if order.n is not None and order.n > len(there):
        raise UserError(
            f"--n {order.n}: {where} has labels for {len(there)} of the texts at hand; use "
            f"--n {len(there)} or less"
        )


def _record(
    task: Task,
    pool: LabelledTexts | Texts,
    asked: LabelledTexts | Texts,
    found: Found,
    llm: LLM,
    order: LabelOrder,
    source: str,
) -> LabellingRecord:
    texts = llm_labelled(task, asked, found.outcomes)
    words = found.most_words
    return LabellingRecord(
        task=task.name,
        strategy=CONFIGURATION,
        llm=llm.description,
        kept=texts.counts(),
        failed_requests=dict(Counter(found.failed)),
        content_hash=texts.content_hash,
        path="",
        caveats=llm.label_caveats if isinstance(llm, Recording) else llm.caveats,
        seed=order.seed,
        texts_per_request=found.texts_per_request,
        recorded=llm.ignores_messages,
        models=tuple(sorted({each.model for each in found.outcomes if each.model})),
        **asdict(found.use),
        sampling=found.sampling,
        unfinished=found.halt.why if found.halt else "",
        split=order.split,
        source=source,
        at_hand=len(pool),
        requested=len(asked) if order.n is None else order.n,
        asked=sum(bool(each.request) for each in found.outcomes),
        unlabelled=dict(Counter(each.reason for each in found.outcomes if each.reason)),
        asked_again=found.asked_again,
        missing=found.missing,
        most_words=words,
        cut=None if words is None else sum(word_count(text) > words for text in asked.texts),
        agreement=agreement(task, asked, found.outcomes),
    )
