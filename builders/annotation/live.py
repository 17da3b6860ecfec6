"""Asks a live LLM for labels: portion by portion, and what an answer spoils again, one at a time.

An answer with a wrong number of labels, or none that can be read, says nothing of any of its texts:
they are asked about once more, each in a request of its own. So a text that makes an LLM fail, by
chance or because somebody meant it to, costs its neighbours nothing but that.
"""

from collections.abc import Sequence

from builders.annotation.answers import LabelNames
from builders.annotation.labelling import NOT_ASKED, Found, Outcome, outcomes_of
from builders.annotation.questions import SINGLY, LabelQuestions, labels_bound, labels_schema
from builders.composition import Halt, Live
from builders.data import Texts
from builders.generation import Asking, Generation, Interrupted, Stretch
from builders.llms.base import Exhausted, LiveLLM
from builders.strategies.base import Plan
from builders.tasks.base import Task
from builders.token_use import TokenUse


def labels_asking(
    task: Task,
    texts: Texts,
    llm: LiveLLM,
    *,
    group: str,
    texts_per_request: int,
    most_words: int,
    seed: int,
) -> tuple[Asking, list[Stretch]]:
    """Return how `llm` is asked for the labels of `texts`, and the first round of requests.

    Args:
        task: The task.
        texts: The texts, in the order in which they are asked about.
        llm: What answers.
        group: Names the requests.
        texts_per_request: Texts of one request.
        most_words: Words of a text that are shown.
        seed: Sent along, with the number of the request.
    """
    size = texts_per_request
    portions = [
        texts.select(range(start, min(start + size, len(texts))))
        for start in range(0, len(texts), size)
    ]
    singly = [texts.select([i]) for i in range(len(texts))]
    questions = LabelQuestions({group: portions, f"{group}/{SINGLY}": singly}, most_words)
    most = llm.sampling.max_tokens or labels_bound(task, size)
    sampling = {**llm.sampling.parameters, "max_tokens": most}
    # Where no schema is wanted, or none is known, the LLM's own dialect says it in words.
    plan = Plan(size, seed, sampling, labels_schema(task))
    first = [Stretch(group, i, 1, 1) for i in range(len(portions))]
    return Asking(task, questions, plan, llm), first


def ask_labels(asking: Asking, first: Sequence[Stretch], texts: Texts, live: Live) -> Found:
    """Ask for the labels of `texts`.

    Args:
        asking: How they are asked for, as `labels_asking` returns it.
        first: The first round.
        texts: The texts.
        live: Ledger, budget and who watches.

    Raises:
        UserError: Nothing can be answered.
    """
    assert isinstance(asking.strategy, LabelQuestions)
    generation = Generation(asking, live.ledger, live.budget, live.watch)
    plan = asking.plan
    found = Found(
        outcomes=[Outcome(None, NOT_ASKED)] * len(texts),
        texts_per_request=plan.texts_per_request,
        most_words=asking.strategy.most_words,
        sampling=dict(plan.sampling),
    )
    spoiled = _round(generation, first, asking, found)
    if found.halt is None and spoiled and plan.texts_per_request > 1:
        found.asked_again = len(spoiled)
        group = f"{first[0].label}/{SINGLY}"
        again = [Stretch(group, place, 1, 1) for places in spoiled for place in places]
        _round(generation, again, asking, found)
    return found


def _round(
    generation: Generation, stretches: Sequence[Stretch], asking: Asking, found: Found
) -> list[range]:
    """Get and read a round of answers; return the places of texts whose answer said nothing."""
    try:
        generation.fill(stretches)
    except Exhausted as stopped:
        signal = stopped.signal if isinstance(stopped, Interrupted) else None
        found.halt = Halt(str(stopped), signal)
    names = LabelNames(asking.task.label_names)
    spoiled: list[range] = []
    for answer in generation.read(stretches):
        request, completion = answer.request, answer.completion
        if completion is not None:
            found.use += TokenUse.of(request, completion)
        size = 1 if request.id.label.endswith(f"/{SINGLY}") else asking.plan.texts_per_request
        start = request.id.conversation * size
        places = range(start, start + request.n_texts)
        outcomes = outcomes_of(names, request.custom_id, request.n_texts, completion)
        found.outcomes[start : places.stop] = outcomes
        if outcomes[0].spoiled:
            found.failed.append(answer.failure or outcomes[0].reason)
            spoiled.append(places)
    return spoiled
